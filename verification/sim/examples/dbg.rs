use sched_sim::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let seed: u64 = a[2].parse().unwrap();
    let steady = a[1] == "steady";
    let faults = if steady { Faults::NONE } else if seed % 2 == 0 { Faults::ALL } else { Faults::NONE.with(Fault::Storm) };
    let cpus = if steady { 1 + (seed % 4) as u32 } else { 1 + (seed / 2 % 6) as u32 };
    let plan = Plan { seed, cpus, steps: if steady {3000} else {10000}, faults, keep_records: true, measure: steady };
    let o = if steady { run_steady(&plan) } else { run_threads(&plan) };
    let n: usize = a[3].parse().unwrap();
    let filter = a.get(4);
    let lines: Vec<String> = o.history.records.iter().map(|r| format!("{} {:?} {:?} task {}.{} d{} arg {} other {:?}", r.time_ns, r.cpu, (r.kind, r.name.map(|n| o.history.names[n.get() as usize-1].clone()).unwrap_or_default()), r.task>>48, r.task & 0xffffffffffff, r.detail, r.argument, r.other))
      .filter(|l| filter.is_none_or(|f| l.contains(f.as_str()))).collect();
    for l in lines.iter().skip(lines.len().saturating_sub(n)) { println!("{l}"); }
    println!("{:?} steps {} polls {}", o.violation, o.steps, o.polls);
    println!("{:?}", o.measures.events);
}
