//! The loop beside tokio's current-thread runtime: yields and spawns, in one process and run.

use benches::one_cpu;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use sched::yield_now;

const YIELDS: usize = 64;

fn yields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("yield");
    for tasks in [1, 100, 10_000] {
        group.throughput(Throughput::Elements((tasks * YIELDS) as u64));
        group.bench_function(BenchmarkId::new("sched", tasks), |bencher| {
            let scheduler = one_cpu();
            let mut core = scheduler.enter().unwrap();
            bencher.iter(|| {
                for _ in 0..tasks {
                    drop(scheduler.spawn(async {
                        for _ in 0..YIELDS {
                            yield_now().await;
                        }
                    }));
                }
                let goal = scheduler.totals().spawned;
                while scheduler.totals().completed < goal {
                    for _ in 0..tasks * YIELDS {
                        core.step();
                    }
                }
            });
        });
        group.bench_function(BenchmarkId::new("tokio", tasks), |bencher| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            bencher.iter(|| {
                runtime.block_on(async {
                    let handles: Vec<_> = (0..tasks)
                        .map(|_| {
                            tokio::spawn(async {
                                for _ in 0..YIELDS {
                                    tokio::task::yield_now().await;
                                }
                            })
                        })
                        .collect();
                    for handle in handles {
                        handle.await.unwrap();
                    }
                });
            });
        });
    }
    group.finish();
}

fn spawns(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("spawn");
    group.throughput(Throughput::Elements(64));
    group.bench_function("sched", |bencher| {
        let scheduler = one_cpu();
        let mut core = scheduler.enter().unwrap();
        bencher.iter(|| {
            for _ in 0..64 {
                drop(scheduler.spawn(async {}));
            }
            let goal = scheduler.totals().spawned;
            while scheduler.totals().completed < goal {
                for _ in 0..64 {
                    core.step();
                }
            }
        });
    });
    group.bench_function("tokio", |bencher| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        bencher.iter(|| {
            runtime.block_on(async {
                let mut last = tokio::spawn(async {});
                for _ in 1..64 {
                    last = tokio::spawn(async {});
                }
                last.await.unwrap();
            });
        });
    });
    group.finish();
}

criterion_group!(benches, yields, spawns);
criterion_main!(benches);
