//! Models of the trace: a reader beside a ring's writer, threads that share a ring, names on their way to a reader.

use loom::sync::Arc;
use loom::thread;
use sched::trace::{Event, Kind, NameId, Names, Record, Ring, Rings, Trace};
use verification::exhaustive::model;

/// A record whose words all say `number`, but for the last.
fn numbered(number: u64) -> Record {
    Record {
        time_ns: number,
        task: number,
        argument: number,
        kind: Kind::Halt,
        detail: number as u8,
        cpu: None,
        other: None,
        name: None,
    }
}

/// Room for one record, a writer of two, and a reader that begins at any time: what it sees is whole, and what it does
/// not see of what was written is counted.
#[test]
fn a_reader_sees_whole_records_only() {
    model(|| {
        let ring = Arc::new(Ring::<1>::new());
        let writer = {
            let ring = ring.clone();
            thread::spawn(move || (1..=2).for_each(|number| ring.push(numbered(number))))
        };
        let written = ring.written();
        let mut reader = ring.read();
        let mut seen = 0;
        for record in reader.by_ref() {
            assert!(record == numbered(record.time_ns), "a torn record");
            seen += 1;
        }
        assert!(seen + reader.lost() >= written, "a record vanished");
        writer.join().unwrap();
        assert!(ring.read().eq([numbered(2)]));
    });
}

/// Two threads that are no CPU write at the same time: each record is written whole, or missed, and counted.
#[test]
fn threads_take_turns_at_their_ring() {
    model(|| {
        let ring: &'static Ring<2> = Box::leak(Box::new(Ring::new()));
        let rings = Arc::new(Rings::<2>::new(&[], ring));
        let other = {
            let rings = rings.clone();
            thread::spawn(move || rings.record(None, 1, Event::Halt))
        };
        rings.record(None, 2, Event::Halt);
        other.join().unwrap();
        assert_eq!(ring.written() + rings.missed(), 2, "a record vanished");
        assert_eq!(ring.count(Kind::Halt), ring.written());
        assert!(ring.read().all(|record| record == Record { time_ns: record.time_ns, ..halt() }));
    });
}

fn halt() -> Record {
    Record::new(None, 0, &Event::Halt, None)
}

/// Two threads that give the same name a number, and a third that looks names up: a slot has the whole text or none.
#[test]
fn a_name_is_whole_or_not_there() {
    const NAME: &str = "name";
    model(|| {
        let names = Arc::new(Names::new());
        let intern = || {
            let names = names.clone();
            thread::spawn(move || names.intern(NAME))
        };
        let threads = [intern(), intern()];
        let slots = [1, 2].map(|number| NameId::new(number).expect("not zero"));
        let ids = threads.map(|thread| {
            for text in slots.into_iter().filter_map(|id| names.get(id)) {
                assert_eq!(text, NAME);
            }
            thread.join().unwrap()
        });
        let known: Vec<NameId> = ids.into_iter().flatten().collect();
        assert!(known.iter().all(|&id| Some(id) == names.intern(NAME)), "a name has two numbers");
        assert!(!known.is_empty());
        assert_eq!(names.get(known[0]), Some(NAME));
    });
}
