//! Models of the trace ring: a reader beside its writer.

use loom::sync::Arc;
use loom::thread;
use sched::trace::{Kind, Record, Ring};
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
