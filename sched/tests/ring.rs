//! The trace ring: what is there after a wrap, what was lost, and what a reader sees while the writer goes on.

use sched::trace::{
    Event, Header, HeaderError, Kind, NAMES, NameId, Names, Outcome, RECORD_BYTES, Record, Ring,
    Rings, Trace,
};
use sched::{CpuId, Tier};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

const CAPACITY: u64 = 8;

/// A record whose words all say `number`.
fn numbered(number: u64) -> Record {
    let low = number as u16;
    Record {
        time_ns: number,
        task: number,
        argument: number,
        kind: Kind::Wake,
        detail: number as u8,
        cpu: (low != u16::MAX).then(|| CpuId::new(low.into())),
        other: (low != u16::MAX).then(|| CpuId::new(low.into())),
        name: NameId::new(low),
    }
}

fn numbers<const N: usize>(ring: &Ring<N>) -> (Vec<u64>, u64) {
    let mut reader = ring.read();
    let numbers = reader.by_ref().map(|record| record.time_ns).collect();
    (numbers, reader.lost())
}

#[test]
fn the_last_records_are_there_and_the_others_are_counted() {
    let ring = Ring::<{ CAPACITY as usize }>::new();
    assert_eq!(numbers(&ring), (vec![], 0));
    for number in 0..3 * CAPACITY + 3 {
        ring.push(numbered(number));
        let written = number + 1;
        let lost = written.saturating_sub(CAPACITY);
        assert_eq!(numbers(&ring), ((lost..written).collect(), lost));
        assert_eq!((ring.written(), ring.count(Kind::Wake)), (written, written));
    }
    assert_eq!(ring.count(Kind::Run), 0);
}

/// The writer overtakes a reader that has begun.
#[test]
fn what_is_overwritten_under_a_reader_is_passed_over() {
    let ring = Ring::<{ CAPACITY as usize }>::new();
    (0..CAPACITY).for_each(|number| ring.push(numbered(number)));
    let mut reader = ring.read();
    assert_eq!(reader.next(), Some(numbered(0)));
    (CAPACITY..CAPACITY + 4).for_each(|number| ring.push(numbered(number)));
    assert_eq!(reader.next(), Some(numbered(4)));
    assert_eq!(reader.lost(), 3);
    (0..CAPACITY).for_each(|number| ring.push(numbered(100 + number)));
    assert_eq!(reader.next(), None, "it ends where the ring ended when it began");
    assert_eq!(reader.lost(), 6);
}

/// Readers beside a writer see whole records only, in order, and none twice.
#[test]
fn no_reader_sees_half_a_record() {
    let written = if cfg!(miri) { 200 } else { 300_000 };
    let ring = Ring::<{ CAPACITY as usize }>::new();
    let over = AtomicBool::new(false);
    let read = || {
        let mut seen = 0;
        loop {
            let last_round = over.load(SeqCst);
            let mut expected = None;
            for record in ring.read() {
                assert_eq!(record, numbered(record.time_ns), "a torn record");
                assert!(expected.is_none_or(|expected| record.time_ns >= expected));
                expected = Some(record.time_ns + 1);
                seen += 1;
            }
            if last_round {
                return seen;
            }
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        let readers = [scope.spawn(read), scope.spawn(read)];
        (0..written).for_each(|number| ring.push(numbered(number)));
        over.store(true, SeqCst);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}

#[test]
fn a_record_survives_its_bytes() {
    for kind in Kind::ALL {
        for cpu in [None, Some(CpuId::new(0)), Some(CpuId::new(1023))] {
            let record = Record {
                time_ns: u64::MAX - 1,
                task: 7 << 48 | 9,
                argument: 1 << 40,
                kind: *kind,
                detail: 3,
                cpu,
                other: cpu,
                name: NameId::new(300),
            };
            assert_eq!(Record::from_bytes(&record.to_bytes()), Some(record));
        }
    }
    let known = Kind::ALL.len() as u8;
    for kind in (0..=u8::MAX).filter(|&kind| kind == 0 || kind > known) {
        let mut bytes = numbered(1).to_bytes();
        bytes[24] = kind;
        assert_eq!(Record::from_bytes(&bytes), None, "kind {kind} is not known");
    }
}

/// The format is for files: what stands where is promised.
#[test]
fn the_layout_is_the_documented_one() {
    let record = Record {
        time_ns: 0x0102,
        task: 0x0304,
        argument: 0x0506,
        kind: Kind::Steal,
        detail: 7,
        cpu: Some(CpuId::new(0x0809)),
        other: None,
        name: NameId::new(0x0a0b),
    };
    let mut bytes = [0; RECORD_BYTES];
    bytes[..2].copy_from_slice(&[2, 1]);
    bytes[8..10].copy_from_slice(&[4, 3]);
    bytes[16..18].copy_from_slice(&[6, 5]);
    bytes[24..].copy_from_slice(&[9, 7, 9, 8, 0xff, 0xff, 0x0b, 0x0a]);
    assert_eq!(record.to_bytes(), bytes);
}

#[test]
fn a_header_survives_its_bytes_and_others_are_refused() {
    let header = Header { cpus: 64, names: 3, records: 1 << 40, lost: 5 };
    let bytes = header.to_bytes();
    assert_eq!(Header::from_bytes(&bytes), Ok(header));
    assert_eq!(Header::from_bytes(&bytes[..Header::BYTES - 1]), Err(HeaderError::NotATrace));
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes;
        bytes[at] = byte;
        Header::from_bytes(&bytes)
    };
    assert_eq!(with(0, b'S'), Err(HeaderError::NotATrace));
    assert_eq!(with(8, 2), Err(HeaderError::Version(2)));
    assert_eq!(with(12, 40), Err(HeaderError::RecordBytes(40)));
}

#[test]
fn names_keep_their_numbers() {
    let names = Names::new();
    // Texts side by side: all find room near their place.
    static TEXT: [u8; 2 * NAMES] = [b'x'; 2 * NAMES];
    let texts: Vec<&'static str> =
        TEXT.chunks(2).map(|text| str::from_utf8(text).unwrap()).collect();
    let ids: Vec<_> = texts.iter().map(|text| names.intern(text)).collect();
    assert!(ids.iter().all(Option::is_some));
    assert_eq!(names.intern("one too many"), None);
    for (text, id) in texts.iter().zip(&ids) {
        assert_eq!(names.intern(text), *id);
        if let Some(id) = id {
            assert_eq!(names.get(*id), Some(*text));
        }
    }
    assert_eq!(names.intern(""), None);
    assert_eq!(names.get(NameId::new(u16::MAX).unwrap()), None);
}

#[test]
fn a_prefix_is_another_name() {
    let names = Names::new();
    let whole = "a prefix";
    let ids = [whole, &whole[..3]].map(|text| names.intern(text).unwrap());
    assert_eq!(ids.map(|id| names.get(id).unwrap()), ["a prefix", "a p"]);
}

#[test]
fn each_cpu_has_its_ring_and_others_share_one() {
    static CPUS: [Ring<4>; 2] = [const { Ring::new() }; 2];
    static OTHERS: Ring<16> = Ring::new();
    let rings = Rings::new(&CPUS, &OTHERS);
    let record = |cpu: Option<u32>, now_ns| rings.record(cpu.map(CpuId::new), now_ns, Event::Halt);
    record(Some(0), 1);
    record(Some(1), 2);
    record(None, 3);
    record(Some(2), 4);
    let of_cpus: Vec<Vec<_>> =
        rings.read().map(|reader| reader.map(|record| record.time_ns).collect()).collect();
    assert_eq!(of_cpus, [[1], [2]]);
    let others: Vec<_> = rings.read_others().map(|record| (record.cpu, record.time_ns)).collect();
    assert_eq!(others, [(None, 3), (Some(CpuId::new(2)), 4)]);
    assert_eq!(rings.counts(CpuId::new(1)).unwrap().of(Kind::Halt), 1);
    assert_eq!(rings.counts(CpuId::new(2)), None);
    assert_eq!(rings.counts_of_others().of(Kind::Halt), 2);

    // Several threads: each record is written or missed, none is lost without a count.
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..100).for_each(|now_ns| record(None, now_ns)));
        }
    });
    assert_eq!(OTHERS.written() + rings.missed(), 302);
}

#[test]
fn a_record_tells_the_tier_the_outcome_and_the_name_it_was_given() {
    static CPUS: [Ring<8>; 1] = [const { Ring::new() }; 1];
    static OTHERS: Ring<8> = Ring::new();
    let rings = Rings::new(&CPUS, &OTHERS);
    let name = rings.names().intern("one");
    let run = Record { kind: Kind::Run, detail: Tier::Critical as u8, name, ..numbered(1) };
    assert_eq!((run.tier(), run.outcome()), (Some(Tier::Critical), None));
    assert_eq!(run.name.and_then(|name| rings.names().get(name)), Some("one"));
    for outcome in [
        Outcome::Requeued,
        Outcome::Waits,
        Outcome::Completed,
        Outcome::Cancelled,
        Outcome::Unreachable,
        Outcome::Preempted,
    ] {
        let stop = Record { kind: Kind::Stop, detail: outcome as u8, ..numbered(2) };
        assert_eq!((stop.tier(), stop.outcome()), (None, Some(outcome)));
    }
    let nonsense = Record { kind: Kind::Stop, detail: 200, ..numbered(3) };
    assert_eq!(nonsense.outcome(), None);
}
