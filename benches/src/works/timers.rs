//! Timers that fire, and timers that do not.

use super::timer_rivals::{CancellableHashWheel, HashWheel, Heap, Map, Nexus, Ours, Timers};
use crate::goal::Goal;
use crate::rng::Rng;
use crate::work::{Contender, OURS, Work};

/// Deadlines lie within so many ticks.
const SPAN_TICKS: u64 = 1 << 16;

/// The default shape.
type Default6x64 = Ours<6, 64, 1>;
/// What the crate recommends up to some ten thousand timers, and beyond.
type Wide = Ours<4, 256, 1>;
type Huge = Ours<4, 256, 8>;

/// With more timers, nexus-timer needs minutes for one round: each of its ticks looks at every timer of a slot.
const NEXUS_MOST: u64 = 10_000;

/// From so many timers on they do not fit into caches near the CPU.
const HUGE: u64 = 100_000;

pub(super) const ARM_AND_EXPIRE: Work = Work {
    name: "timer arm + expire",
    about: "one timer is armed and fires; the size is how many are armed, within 65 536 ticks, before time passes",
    sizes: &[100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000],
    two_cores: false,
    goal: |size| match size {
        10_000 => Some(Goal::of(0.3, &["hhwt"])),
        1_000_000 => Some(Goal::of(1.5, &["hhwt"])),
        _ => None,
    },
    floor: |_| None,
    contenders: |size| {
        let ours =
            if size < HUGE { expire::<Wide>(OURS, size) } else { expire::<Huge>(OURS, size) };
        let mut all = vec![ours, expire::<Default6x64>(Default6x64::NAME, size)];
        all.push(expire::<HashWheel>(HashWheel::NAME, size));
        if size <= NEXUS_MOST {
            all.push(expire::<Nexus>(Nexus::NAME, size));
        }
        all.push(expire::<Map>(Map::NAME, size));
        all.push(expire::<Heap>(Heap::NAME, size));
        all
    },
    missing: &[],
};

pub(super) const ARM_AND_CANCEL: Work = Work {
    name: "timer arm + cancel",
    about: "one timer is armed and cancelled, 64 by 64; the size is how many others are armed meanwhile",
    sizes: &[100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000],
    two_cores: false,
    goal: |size| (size == 1_000_000).then(|| Goal::of(0.02, &["BTreeMap"])),
    floor: |_| None,
    contenders: |size| {
        let ours =
            if size < HUGE { cancel::<Wide>(OURS, size) } else { cancel::<Huge>(OURS, size) };
        let mut all = vec![ours, cancel::<Default6x64>(Default6x64::NAME, size)];
        all.push(cancel::<CancellableHashWheel>(CancellableHashWheel::NAME, size));
        all.push(cancel::<Nexus>(Nexus::NAME, size));
        all.push(cancel::<Map>(Map::NAME, size));
        all
    },
    missing: &[],
};

pub(super) const TICKS: Work = Work {
    name: "timer tick",
    about: "one tick passes, what it makes due fires and is armed anew; the size is how many are armed, within 65 536 ticks. Ours touches at most 128 timers in a tick",
    sizes: &[100, 1_000, 10_000, 100_000, 1_000_000],
    two_cores: false,
    goal: |size| (size == 10_000).then(|| Goal::of(1.0, &["hhwt"])),
    floor: |_| None,
    contenders: |size| {
        let ours = if size < HUGE { ticks::<Wide>(OURS, size) } else { ticks::<Huge>(OURS, size) };
        let mut all = vec![ours, ticks::<Default6x64>(Default6x64::NAME, size)];
        all.push(ticks::<HashWheel>(HashWheel::NAME, size));
        if size <= NEXUS_MOST {
            all.push(ticks::<Nexus>(Nexus::NAME, size));
        }
        all.push(ticks::<Map>(Map::NAME, size));
        all.push(ticks::<Heap>(Heap::NAME, size));
        all
    },
    missing: &[],
};

/// Timers as time passes, whoever keeps them.
pub(crate) trait TimerHistory {
    fn arm(&mut self, timer: u32, after_ticks: u32);
    fn tick(&mut self, fired: &mut Vec<u32>);
}

impl<T: Timers> TimerHistory for T {
    fn arm(&mut self, timer: u32, after_ticks: u32) {
        Timers::arm(self, timer, after_ticks);
    }

    fn tick(&mut self, fired: &mut Vec<u32>) {
        Timers::tick(self, fired);
    }
}

/// How to begin with so many timers.
type Begin = fn(u64) -> Box<dyn TimerHistory>;

/// Who keeps `size` timers in [`TICKS`].
pub(crate) fn histories(size: u64) -> Vec<(&'static str, Begin)> {
    fn begin<T: Timers>(size: u64) -> Box<dyn TimerHistory> {
        Box::new(T::new(size as u32))
    }
    let ours: Begin = if size < HUGE { begin::<Wide> } else { begin::<Huge> };
    let mut all = vec![(OURS, ours), (Default6x64::NAME, begin::<Default6x64>)];
    all.push((HashWheel::NAME, begin::<HashWheel>));
    if size <= NEXUS_MOST {
        all.push((Nexus::NAME, begin::<Nexus>));
    }
    all.push((Map::NAME, begin::<Map>));
    all.push((Heap::NAME, begin::<Heap>));
    all
}

fn after_ticks(rng: &mut Rng) -> u32 {
    1 + rng.below(SPAN_TICKS) as u32
}

fn expire<T: Timers>(name: &'static str, size: u64) -> Contender {
    let mut rng = Rng::new();
    let mut timers = T::new(size as u32);
    Contender::new(name, size, move || {
        (0..size as u32).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
        assert_eq!(timers.expire_all(), size, "{name} lost timers");
    })
}

fn cancel<T: Timers>(name: &'static str, size: u64) -> Contender {
    const BATCH: u32 = 64;
    let mut rng = Rng::new();
    let mut timers = T::new(size as u32 + BATCH);
    (BATCH..BATCH + size as u32).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
    Contender::new(name, BATCH.into(), move || {
        (0..BATCH).for_each(|timer| timers.arm_to_cancel(timer, after_ticks(&mut rng)));
        (0..BATCH).for_each(|timer| timers.cancel(timer));
    })
}

fn ticks<T: Timers>(name: &'static str, size: u64) -> Contender {
    let mut rng = Rng::new();
    let mut timers = T::new(size as u32);
    let mut fired = Vec::with_capacity(size as usize);
    (0..size as u32).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
    Contender::new(name, 1, move || {
        timers.tick(&mut fired);
        fired.drain(..).for_each(|timer| timers.arm(timer, after_ticks(&mut rng)));
    })
}
