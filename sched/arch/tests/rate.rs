//! Ticks and nanoseconds: never early, never back.

use sched_arch::{Clock, Rate};

/// Frequencies of real counters, and the ends of what may be given.
const FREQUENCIES_HZ: [u64; 12] = [
    1,
    32_768,
    1_000_000,
    19_200_000,
    24_000_000,
    62_500_000,
    999_999_937,
    1_000_000_000,
    2_494_140_000,
    5_800_000_000,
    4_000_000_000_000_000_000,
    u64::MAX,
];

/// Every power of two and its neighbours: where rounding shows.
fn numbers() -> impl Iterator<Item = u64> {
    (0..64).flat_map(|shift| {
        let power = 1u64 << shift;
        [
            power.wrapping_sub(1),
            power,
            power + 1,
            power.saturating_mul(3),
            (power / 4).saturating_mul(5),
        ]
    })
}

#[test]
fn a_duration_in_ticks_is_never_shorter_than_the_duration() {
    for hz in FREQUENCIES_HZ {
        let rate = Rate::from_hz(hz);
        for ns in numbers() {
            let ticks = rate.ticks(ns);
            assert!(rate.ns(ticks) >= ns || ticks == u64::MAX, "{ns} ns at {hz} Hz");
        }
    }
}

#[test]
fn a_duration_in_ticks_is_hardly_longer_than_the_duration() {
    for hz in FREQUENCIES_HZ.into_iter().filter(|&hz| (1_000_000..10_000_000_000).contains(&hz)) {
        let rate = Rate::from_hz(hz);
        for ns in numbers().filter(|&ns| ns < 3_600_000_000_000) {
            let exact = (u128::from(ns) * u128::from(hz)).div_ceil(1_000_000_000) as u64;
            let ticks = rate.ticks(ns);
            // From 1 MHz to 10 GHz the two factors are off by less than one part in 2²² together.
            let most = exact + 2 + (exact >> 22);
            assert!((exact..=most).contains(&ticks), "{ns} ns at {hz} Hz: {ticks}, not {exact}");
        }
    }
}

#[test]
fn a_clock_does_not_step_back() {
    for hz in FREQUENCIES_HZ {
        let rate = Rate::from_hz(hz);
        let mut sorted: Vec<_> = numbers().collect();
        sorted.sort();
        assert!(sorted.is_sorted_by_key(|&ticks| rate.ns(ticks)), "at {hz} Hz");
    }
}

#[test]
fn a_clock_counts_from_its_start_and_reads_0_before() {
    let clock = Clock::new(Rate::from_hz(1_000_000), 500);
    assert_eq!([0, 499, 500, 501].map(|ticks| clock.ns_at(ticks)), [0, 0, 0, 1_000]);
}

#[test]
fn a_deadline_is_reached_when_the_counter_says_so() {
    for hz in FREQUENCIES_HZ {
        let clock = Clock::new(Rate::from_hz(hz), 1_000);
        for now_ticks in [0, 1_000, 1_001, 1 << 40] {
            for at_ns in numbers() {
                let at_ticks = clock.ticks_at(at_ns, now_ticks);
                let reached = clock.ns_at(at_ticks) >= at_ns || at_ticks == u64::MAX;
                // Before its start the clock stands: nobody asks for a deadline there but the tests.
                assert!(reached || now_ticks < 1_000, "{at_ns} ns at {hz} Hz, at {now_ticks}");
                assert!(at_ticks >= now_ticks, "a deadline before now");
            }
        }
    }
}

#[test]
fn what_is_past_is_due_now() {
    let clock = Clock::new(Rate::from_hz(1_000_000_000), 0);
    assert_eq!(clock.ticks_until(99, 100), 0);
    assert_eq!(clock.ticks_at(0, 100), 100);
}
