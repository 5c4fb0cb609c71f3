//! The theorems of EEVDF, over random steady mixes, in exact arithmetic.
//!
//! Time goes in quanta of q, and tasks are picked anew at the end of each. All weights divide q·2²⁰,
//! so that no virtual time is rounded anywhere, and what is compared are integers: the lag of task i at
//! time t, times W, is wᵢ·t − W·sᵢ, where sᵢ is the service that it has had.

use crate::common::{Rng, Tasks, pick, size};
use sched::class::fair::{FairSettings, VirtualTime};
use sched::class::{Enqueue, Fair, Resched, SchedClass};

/// A quantum, in nanoseconds: many weights divide it.
const Q: u64 = 720_720;

struct Client {
    weight: i128,
    request_ns: i128,
    served_ns: i128,
}

/// Whether a weight divides Q·2²⁰, as all do that are made of these factors.
fn weight(rng: &mut Rng) -> u32 {
    loop {
        let factors: [&[u64]; 6] =
            [&[1, 3, 9], &[1, 5], &[1, 7], &[1, 11], &[1, 13], &[1 << rng.below(20)]];
        let weight: u64 = factors.into_iter().map(|of| rng.of(of)).product();
        if weight <= 1 << 20 {
            return weight as u32;
        }
    }
}

/// One mix, whose virtual time begins at `start`. Says what does not hold.
pub(crate) fn mix(seed: u64, start: u64) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let short = seed.is_multiple_of(2);
    let mut tasks = Tasks::new();
    let start = VirtualTime::from_bits(start);
    let mut fair = Fair::starting_at(start, FairSettings::DEFAULT);
    let mut clients = Vec::new();
    for _ in 0..1 + rng.below(12) {
        let weight = weight(&mut rng);
        let request_ns = Q * if short { 1 } else { rng.of(&[1, 2, 3, 6, 20]) };
        let id = tasks.add(weight, request_ns);
        let _ = fair.enqueue_task(tasks.handle(id), Enqueue::Wakeup, 0).expect("it is new");
        let [weight, request_ns] = [weight.into(), request_ns.into()];
        clients.push(Client { weight, request_ns, served_ns: 0 });
    }
    let total: i128 = clients.iter().map(|client| client.weight).sum();
    let q = i128::from(Q);
    let fail_if = |wrong: bool, what: &str, at: &dyn std::fmt::Debug| {
        if wrong { Err(format!("mix {seed}: {what} at {at:?}")) } else { Ok(()) }
    };

    let mut running = pick(&mut fair, 0).ok_or("nothing to run")?;
    for quantum in 1..=40 + rng.below(160) {
        let now_ns = quantum * Q;
        let t = i128::from(now_ns);
        let client = &mut clients[running];
        client.served_ns += q;
        let promised = i128::from(tasks.entity(running).deadline().since(start));
        let resched = fair.task_tick(now_ns);
        let entity = tasks.entity(running);

        // Lemma 3: the request is done within q of the moment at which V reaches its deadline.
        let virtually = i128::from(entity.vruntime().since(start));
        let is_late = (t - q) << 20 > promised * total;
        fail_if(is_late, "Lemma 3: a request is late", &(quantum, running))?;
        // Virtual times are what the definitions say.
        let exact = (client.served_ns << 20) / client.weight;
        fail_if(virtually != exact, "v is not the weighted service", &(virtually, exact))?;
        let average = ((t << 20) / total) as i64;
        let v = fair.virtual_time().since(start);
        fail_if(v != average, "V is not the fair share", &(v, average))?;
        if quantum % 20 == 1 {
            fail_if(fair.check().is_err(), "check", &fair.check())?;
        }

        let mut lags = 0;
        for (id, client) in clients.iter().enumerate() {
            let lag = client.weight * t - total * client.served_ns;
            lags += lag;
            let (r, at) = (client.request_ns, (quantum, id, lag as f64 / (total * q) as f64));
            let holds = -r * total < lag && lag < r.max(q) * total;
            fail_if(!holds, "Theorem 1: a lag beyond its bound", &at)?;
            fail_if(short && lag.abs() >= q * total, "Corollary 2: a lag of q", &at)?;
        }
        fail_if(lags != 0, "Lemma 2: the lags do not cancel out", &lags)?;

        let before = running;
        running = pick(&mut fair, now_ns).ok_or("nothing to run")?;
        let changes = (resched == Resched::Yes) == (running != before);
        fail_if(!changes, "a tick that does not say what the pick does", &quantum)?;
    }
    Ok(())
}

#[test]
fn lag_stays_within_its_bounds_in_every_steady_mix() {
    let failed: Vec<_> =
        (0..size("CLASS_MIXES", 10_000)).filter_map(|seed| mix(seed, 0).err()).collect();
    assert!(failed.is_empty(), "{} mixes fail; {}", failed.len(), failed[0]);
}
