//! For models under shuttle: how schedules are drawn.
//!
//! The seeds are fixed, so a failure comes again with the same command; `VERIFICATION_SEED=<number>` draws others.

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler, UrwRandomScheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

/// Steps of one execution: far more than any takes, so that one that goes round in circles fails.
const MOST_STEPS: usize = 200_000;

/// Stacks for whole scheduler loops.
const STACK_BYTES: usize = 1 << 18;

/// Runs `body` under `iterations` random schedules.
pub fn random(iterations: usize, body: impl Fn() + Send + Sync + 'static) {
    run(RandomScheduler::new_from_seed(seed(), iterations), body);
}

/// Runs `body` under `iterations` schedules of probabilistic concurrency testing: priorities, and `depth` − 1 points at
/// which they change.
pub fn pct(iterations: usize, depth: usize, body: impl Fn() + Send + Sync + 'static) {
    run(PctScheduler::new_from_seed(seed(), depth, iterations), body);
}

/// Runs `body` under `iterations` schedules of a uniform random walk: each interleaving is as likely as any other.
pub fn urw(iterations: usize, body: impl Fn() + Send + Sync + 'static) {
    run(UrwRandomScheduler::new_from_seed(seed(), iterations), body);
}

fn seed() -> u64 {
    match std::env::var("VERIFICATION_SEED") {
        Ok(seed) => seed.parse().expect("VERIFICATION_SEED is a number"),
        Err(_) => 0x5eed,
    }
}

fn run(scheduler: impl Scheduler + 'static, body: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.max_steps = MaxSteps::FailAfter(MOST_STEPS);
    // The seed brings a failure back; schedules of this length are no good for that.
    config.failure_persistence = FailurePersistence::None;
    // Shuttle treats every atomic as sequentially consistent, and says so for each weaker one: loom is for those.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(body);
}
