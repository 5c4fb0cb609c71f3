//! x
use sched_sim::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let from: u64 = a[1].parse().unwrap();
    let to: u64 = a[2].parse().unwrap();
    let steps: u64 = a[3].parse().unwrap();
    let cpus: u32 = a[4].parse().unwrap();
    let faults: Faults = a[5].parse().unwrap();
    let t = std::time::Instant::now();
    let (mut n, mut polls, mut bad) = (0, 0, 0);
    for seed in from..to {
        let cpus = if cpus == 0 { 1 + (seed % 64) as u32 } else { cpus };
        let o = run_traffic(&Plan { seed, cpus, steps, faults, keep_records: false, measure: false });
        n += o.steps;
        polls += o.polls;
        if let Some(v) = o.violation {
            bad += 1;
            if bad < 20 { println!("seed {seed} cpus {cpus}: {v}"); }
        }
    }
    let s = t.elapsed().as_secs_f64();
    println!("{n} steps {polls} polls {bad} bad {:.2} s  {:.2} Msteps/s", s, n as f64 / s / 1e6);
}
