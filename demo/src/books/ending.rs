//! How a run ends: freeze, wait until all is quiet, audit, finish, audit again.

use super::verdict::MOST_NAMED;
use super::{Account, Auditor, Booked, Books, Phase, Stall, Verdict};
use crate::Sched;
use std::time::{Duration, Instant};

/// How long quiescence may take, and the end of all tasks after it.
const LIMIT: Duration = Duration::from_secs(10);
/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(2);
/// The books must balance at so many looks in a row, with nothing sent in between.
const QUIET_LOOKS: u32 = 3;

/// Ends a run: what its books say. `report` hears of tasks that wait too long meanwhile.
#[must_use]
pub fn close_books(
    scheduler: &'static Sched,
    cpus: u32,
    books: &'static Books,
    mut auditor: Auditor,
    roots: &[Booked],
    report: impl Fn(&Stall),
) -> Verdict {
    let look = |auditor: &mut Auditor| {
        auditor.look(Instant::now(), |cpu| scheduler.is_idle(cpu), cpus).iter().for_each(&report);
        auditor.account()
    };
    books.set_phase(Phase::Frozen);
    let account = until_quiet(|| look(&mut auditor));
    let mut verdict = Verdict::at_quiescence(&account, &auditor.behind(MOST_NAMED));

    books.set_phase(Phase::Finish);
    // Every second one, so that cancellation is in every run.
    roots.iter().step_by(2).for_each(Booked::cancel);
    let start = Instant::now();
    let account = loop {
        let account = look(&mut auditor);
        auditor.tell_to_finish();
        let totals = scheduler.totals();
        let over = totals.completed + totals.cancelled + totals.unreachable;
        if (account.open_tasks == 0 && over == totals.spawned) || start.elapsed() > LIMIT {
            break account;
        }
        std::thread::sleep(INTERVAL);
    };
    verdict.at_end(&account, &scheduler.totals(), &auditor.unfinished(MOST_NAMED));
    if auditor.stalls() > 0 {
        verdict.fault(format!("{} waits too long beside an idle CPU", auditor.stalls()));
    }
    verdict
}

/// Looks until nothing moves and all is seen, or time is up; the last account.
fn until_quiet(mut look: impl FnMut() -> Account) -> Account {
    let start = Instant::now();
    let (mut last, mut quiet_looks) = (look(), 0);
    while quiet_looks < QUIET_LOOKS && start.elapsed() < LIMIT {
        std::thread::sleep(INTERVAL);
        let now = look();
        let quiet = now == last && now.behind == 0;
        quiet_looks = if quiet { quiet_looks + 1 } else { 0 };
        last = now;
    }
    last
}
