//! Tasks in static memory: all that a kernel without a heap has.
//!
//! The futures are written by hand: what a `static` is of must have a name.

use crate::SCHEDULER;
use crate::bell::Bell;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};
use sched::{JoinHandle, TaskMemory};

const ROUNDS: u64 = 100;

static BELLS: [Bell; 2] = [const { Bell::new() }; 2];
static ROUNDS_DONE: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];
static MEMORY: [TaskMemory<Player>; 2] = [const { TaskMemory::new() }; 2];

/// Waits for its own bell, and rings the other's.
struct Player {
    side: usize,
    rounds_left: u64,
}

impl Future for Player {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        while self.rounds_left > 0 {
            if BELLS[self.side].poll(context).is_pending() {
                return Poll::Pending;
            }
            self.rounds_left -= 1;
            ROUNDS_DONE[self.side].fetch_add(1, Ordering::Relaxed);
            BELLS[1 - self.side].ring();
        }
        Poll::Ready(ROUNDS)
    }
}

/// Both players, and the first ring.
fn play() -> Option<[JoinHandle<u64>; 2]> {
    let player = |side: usize| {
        let player = Player { side, rounds_left: ROUNDS };
        SCHEDULER.task("player").spawn_in(&MEMORY[side], player).ok()
    };
    let handles = [player(0)?, player(1)?];
    BELLS[0].ring();
    Some(handles)
}

#[cfg(feature = "alloc")]
pub(super) async fn run(_: crate::options::Options) -> super::runner::Found {
    use super::runner::ensure;
    let Some(players) = play() else { return Err("the memory is in use".into()) };
    for player in players {
        ensure!(player.await == Ok(ROUNDS), "a player gave up");
    }
    Ok(alloc::format!("{ROUNDS} rounds"))
}

/// Waits for both players, and ends all.
#[cfg(not(feature = "alloc"))]
struct Referee {
    players: [Option<JoinHandle<u64>>; 2],
}

#[cfg(not(feature = "alloc"))]
impl Future for Referee {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        for player in &mut self.players {
            if let Some(handle) = player {
                match Pin::new(handle).poll(context) {
                    Poll::Ready(Ok(ROUNDS)) => *player = None,
                    Poll::Ready(other) => panic!("a player ended with {other:?}"),
                    Poll::Pending => return Poll::Pending,
                }
            }
        }
        let done = ROUNDS_DONE.each_ref().map(|done| done.load(Ordering::Relaxed));
        assert_eq!(done, [ROUNDS; 2]);
        crate::console::println!("ok      statics");
        crate::console::println!("verdict: 1 passed, 0 failed");
        crate::arch::exit(true)
    }
}

#[cfg(not(feature = "alloc"))]
pub(super) fn start(_: crate::options::Options) {
    static REFEREE: TaskMemory<Referee> = TaskMemory::new();
    let Some(players) = play() else { panic!("the memory is in use") };
    let referee = Referee { players: players.map(Some) };
    if SCHEDULER.task("referee").spawn_in(&REFEREE, referee).is_err() {
        panic!("the memory is in use");
    }
}
