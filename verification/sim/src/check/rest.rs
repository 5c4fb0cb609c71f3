//! What holds for all tasks: looked at rarely, and at the end.

use super::{Checked, Checker, Place, broken, label};
use crate::violation::Kind;

/// Tasks named in a message.
const NAMED: usize = 5;

impl Checker {
    /// V1, V8, V12: counts everything anew.
    pub(crate) fn look_at_all(&mut self) -> Checked {
        let mut in_inboxes = vec![0; self.cpus.len()];
        let mut in_queues = vec![0; self.cpus.len()];
        let (mut live, mut waiting) = (0, 0);
        for (index, task) in self.tasks.iter().enumerate() {
            if task.place == Place::Waiting {
                self.is_in_time(index as u32)?;
            }
            live += usize::from(task.place != Place::Over);
            let ready = !matches!(
                task.place,
                Place::Over
                    | Place::Running(_)
                    | Place::InFlight(_)
                    | Place::Waiting
                    | Place::Fresh
            );
            waiting += usize::from(ready);
            match task.place {
                Place::Inbox(cpu) => in_inboxes[usize::from(cpu)] += 1,
                Place::Queue(cpu) => in_queues[usize::from(cpu)] += 1,
                _ => {}
            }
        }
        for (cpu, view) in self.cpus.iter().enumerate() {
            let queued = view.in_tiers.iter().sum::<usize>() + view.threads.len();
            if (view.in_inboxes, queued) != (in_inboxes[cpu], in_queues[cpu]) {
                return broken(
                    Kind::TwoPlaces,
                    format!("the counts of cpu{cpu} do not fit its tasks"),
                );
            }
        }
        if (live, waiting) != (self.live, self.waiting) {
            return broken(
                Kind::Books,
                format!(
                    "{live} live and {waiting} waiting, not {} and {}",
                    self.live, self.waiting
                ),
            );
        }
        Ok(())
    }

    /// V8 at the end: nothing will ever happen any more.
    pub(crate) fn at_rest(&self) -> Checked {
        if self.live == 0 {
            return Ok(());
        }
        let left = self.tasks.iter().filter(|task| task.place != Place::Over);
        let some: Vec<_> = left
            .take(NAMED)
            .map(|task| format!("{} is {:?}", label(task.id), task.place))
            .collect();
        broken(
            Kind::Lost,
            format!("all is at rest, and {} tasks are not over: {}", self.live, some.join(", ")),
        )
    }
}
