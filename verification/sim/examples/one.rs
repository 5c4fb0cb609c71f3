//! x
use sched_sim::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let plan = Plan { seed: a[1].parse().unwrap(), cpus: a[2].parse().unwrap(), steps: a[3].parse().unwrap(), faults: a[4].parse().unwrap(), keep_records: true, measure: false };
    let o = run_traffic(&plan);
    println!("{:?}", o.violation);
    let n: usize = a[5].parse().unwrap();
    let cpu: Option<u32> = a.get(6).map(|x| x.parse().unwrap());
    let r: Vec<_> = o.history.records.iter().filter(|r| cpu.is_none_or(|c| r.cpu.map(|c| c.get()) == Some(c) || r.other.map(|c| c.get()) == Some(c))).collect();
    for r in &r[r.len().saturating_sub(n)..] { println!("{} {:?} {} {:x} {:?} {}", r.time_ns, r.cpu.map(|c| c.get()), r.kind, r.task, r.other.map(|c| c.get()), r.detail); }
}
