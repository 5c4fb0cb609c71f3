//! Threads that wake one another, across CPUs and on one, lose no wake.

use super::hog::{spawn, thread_on};
use super::runner::{Found, cpus, ensure};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use sched::thread::ThreadRef;
use spin::Once;

const ROUNDS: u64 = 300;

#[derive(Default)]
struct Table {
    turn: AtomicU64,
    players: [Once<ThreadRef>; 2],
}

pub(super) async fn run(options: Options) -> Found {
    let rounds = if options.long { ROUNDS * 100 } else { ROUNDS };
    let mut games = Vec::new();
    for cpu in cpus(options) {
        let Some(other) = cpus(options).cycle().nth(cpu.index() + 1) else { continue };
        let table = Arc::new(Table::default());
        for (side, cpu) in [cpu, other].into_iter().enumerate() {
            let table = table.clone();
            games.push(spawn(thread_on("player", [cpu]), move || play(&table, side, rounds)));
        }
    }
    let mut parks = 0;
    for game in games {
        match game.await.map_err(|error| format!("{error:?}"))? {
            Some(parked) => parks += parked,
            None => return Err("a player is no thread".into()),
        }
    }
    ensure!(parks > 0, "nobody waited");
    Ok(format!("{rounds} rounds from each CPU to the next, {parks} parks"))
}

fn play(table: &Table, side: usize, rounds: u64) -> Option<u64> {
    let me = SCHEDULER.current_thread()?;
    table.players[side].call_once(|| me);
    let mut parks = 0;
    for round in 0..rounds {
        let mine = 2 * round + side as u64;
        // Ordering: Acquire and Release: one player's moves before the other's.
        while table.turn.load(Ordering::Acquire) != mine {
            SCHEDULER.park().ok()?;
            parks += 1;
        }
        table.turn.store(mine + 1, Ordering::Release);
        if let Some(other) = table.players[1 - side].get() {
            other.unpark();
        }
    }
    Some(parks)
}
