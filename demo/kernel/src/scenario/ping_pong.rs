//! Two tasks wake each other, on each pair of neighbours.

use super::runner::{Found, cpus, ensure, here, now_ns, pinned};
use crate::bell::Bell;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;

const ROUNDS: u64 = 1_000;
const LONG_ROUNDS: u64 = 100_000;

pub(super) async fn run(options: Options) -> Found {
    let rounds = if options.long { LONG_ROUNDS } else { ROUNDS };
    let mut best_ns = u64::MAX;
    for one in cpus(options) {
        let Some(other) = cpus(options).cycle().nth(one.index() + 1) else { continue };
        let bells = Arc::new([Bell::new(), Bell::new()]);
        let theirs = bells.clone();
        let ponger = pinned("pong", other).spawn(async move {
            let mut at_home = true;
            for _ in 0..rounds {
                at_home &= theirs[1].wait().await == 1 && here() == other;
                theirs[0].ring();
            }
            at_home
        });
        let pinger = pinned("ping", one).spawn(async move {
            let begin_ns = now_ns();
            let mut at_home = true;
            for _ in 0..rounds {
                bells[1].ring();
                at_home &= bells[0].wait().await == 1 && here() == one;
            }
            (at_home, now_ns() - begin_ns)
        });
        let pinger = pinger.await;
        let ponger = ponger.await;
        let (Ok((true, took_ns)), Ok(true)) = (pinger, ponger) else {
            return Err(format!("{one} and {other}: {pinger:?}, {ponger:?}").into());
        };
        best_ns = best_ns.min(took_ns / rounds);
    }
    ensure!(best_ns > 0, "the clock stands still");
    Ok(format!("{rounds} rounds for each pair, {best_ns} ns a round for the best"))
}
