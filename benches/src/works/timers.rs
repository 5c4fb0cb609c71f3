//! Timers that fire, and timers that do not.

use super::timer_rivals::{CancellableHashWheel, HashWheel, Map, Ours, Timers};
use crate::goal::Goal;
use crate::rng::Rng;
use crate::work::{Contender, Work};

/// Deadlines lie within so many ticks.
const SPAN_TICKS: u64 = 1 << 16;

pub(super) const ARM_AND_EXPIRE: Work = Work {
    name: "timer arm + expire",
    about: "one timer is armed and fires; the size is how many are armed, within 65 536 ticks, before time passes",
    sizes: &[100, 10_000, 1_000_000],
    two_cores: false,
    goal: |size| match size {
        10_000 => Some(Goal::of(0.3, &["hhwt"])),
        1_000_000 => Some(Goal::of(1.5, &["hhwt"])),
        _ => None,
    },
    floor: |_| None,
    contenders: |size| vec![expire::<Ours>(size), expire::<HashWheel>(size), expire::<Map>(size)],
    missing: &[],
};

pub(super) const ARM_AND_CANCEL: Work = Work {
    name: "timer arm + cancel",
    about: "one timer is armed and cancelled, 64 by 64; the size is how many others are armed meanwhile",
    sizes: &[100, 10_000, 1_000_000],
    two_cores: false,
    goal: |size| (size == 1_000_000).then(|| Goal::of(0.02, &["BTreeMap"])),
    floor: |_| None,
    contenders: |size| {
        vec![cancel::<Ours>(size), cancel::<CancellableHashWheel>(size), cancel::<Map>(size)]
    },
    missing: &[],
};

fn after_ticks(rng: &mut Rng) -> u32 {
    1 + rng.below(SPAN_TICKS) as u32
}

fn expire<T: Timers>(size: u64) -> Contender {
    let mut rng = Rng::new();
    let mut timers = T::new(size as u32);
    Contender::new(T::NAME, size, move || {
        (0..size as u32).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
        assert_eq!(timers.expire_all(), size, "{} lost timers", T::NAME);
    })
}

fn cancel<T: Timers>(size: u64) -> Contender {
    const BATCH: u32 = 64;
    let mut rng = Rng::new();
    let mut timers = T::new(size as u32 + BATCH);
    (BATCH..BATCH + size as u32).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
    Contender::new(T::NAME, BATCH.into(), move || {
        (0..BATCH).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
        (0..BATCH).for_each(|timer| timers.cancel(timer));
    })
}
