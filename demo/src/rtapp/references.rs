//! Who refers to what: names become ids, and what nobody answers is named.
//!
//! Checked at the end, as warnings, for the workload does run: a wait that nothing ends, a semaphore
//! that nobody posts, a mutex that a task unlocks or waits with and never locks, a barrier in a task
//! that is forked (its parties are counted from the file).

use super::diagnostics::{Diagnostics, WarningKind, quoted};
use super::model::{
    Barrier, BarrierId, ConditionId, MutexId, Resources, SemaphoreId, TaskId, Timer, TimerId,
    TimerMode, TimerScope,
};
use super::names::Names;
use std::collections::{BTreeMap, BTreeSet};

/// The tables under construction, and what is to be checked at the end.
pub(super) struct References<'n> {
    names: &'n Names<'n>,
    task: TaskId,
    instances: u32,

    mutexes: Table,
    conditions: Table,
    semaphores: Table,
    barriers: Table,
    /// Per barrier: one per event and instance.
    parties: Vec<u64>,
    /// Keyed by the task, for a timer that is its own, and the name.
    timers: BTreeMap<(Option<TaskId>, String), TimerId>,
    timer_list: Vec<Timer>,

    locked: BTreeSet<(TaskId, MutexId)>,
    wants_locked: Vec<(usize, TaskId, MutexId)>,
    woken: BTreeSet<ConditionId>,
    waits: Vec<(usize, ConditionId)>,
    posted: BTreeSet<SemaphoreId>,
    sem_waits: Vec<(usize, SemaphoreId)>,
    has_barrier: BTreeSet<TaskId>,
    forks: Vec<(usize, TaskId)>,
}

impl<'n> References<'n> {
    /// Before the first task.
    pub(super) fn new(names: &'n Names<'n>) -> Self {
        Self {
            names,
            task: TaskId(0),
            instances: 0,
            mutexes: Table::default(),
            conditions: Table::default(),
            semaphores: Table::default(),
            barriers: Table::default(),
            parties: Vec::new(),
            timers: BTreeMap::new(),
            timer_list: Vec::new(),
            locked: BTreeSet::new(),
            wants_locked: Vec::new(),
            woken: BTreeSet::new(),
            waits: Vec::new(),
            posted: BTreeSet::new(),
            sem_waits: Vec::new(),
            has_barrier: BTreeSet::new(),
            forks: Vec::new(),
        }
    }

    /// What follows is said by the events of this task. Its name.
    pub(super) fn begin_task(&mut self, task: TaskId, instances: u32) -> &'n str {
        self.task = task;
        self.instances = instances;
        self.names.of(task)
    }

    pub(super) fn lock(&mut self, name: &str) -> MutexId {
        let mutex = MutexId(self.mutexes.id(name));
        self.locked.insert((self.task, mutex));
        mutex
    }

    /// A mutex that the task should hold here.
    pub(super) fn held(&mut self, name: &str, at: usize) -> MutexId {
        let mutex = MutexId(self.mutexes.id(name));
        self.wants_locked.push((at, self.task, mutex));
        mutex
    }

    pub(super) fn wake(&mut self, name: &str) -> ConditionId {
        let condition = ConditionId(self.conditions.id(name));
        self.woken.insert(condition);
        condition
    }

    pub(super) fn wait(&mut self, name: &str, at: usize) -> ConditionId {
        let condition = ConditionId(self.conditions.id(name));
        self.waits.push((at, condition));
        condition
    }

    /// A wait for the task's own name; or for `hint`, if only that is ever woken.
    pub(super) fn suspend(
        &mut self,
        hint: Option<&str>,
        at: usize,
        diagnostics: &mut Diagnostics,
    ) -> ConditionId {
        let own = self.names.of(self.task);
        match hint {
            Some(hint) if !self.names.is_woken(own) && self.names.is_woken(hint) => {
                let (value, own) = (quoted(hint), quoted(own));
                let message = format!("suspend on {value}, for nothing resumes {own}");
                diagnostics.warn(at, WarningKind::Doubtful, message);
                self.wait(hint, at)
            }
            _ => self.wait(own, at),
        }
    }

    pub(super) fn sem_post(&mut self, name: &str) -> SemaphoreId {
        let semaphore = SemaphoreId(self.semaphores.id(name));
        self.posted.insert(semaphore);
        semaphore
    }

    pub(super) fn sem_wait(&mut self, name: &str, at: usize) -> SemaphoreId {
        let semaphore = SemaphoreId(self.semaphores.id(name));
        self.sem_waits.push((at, semaphore));
        semaphore
    }

    pub(super) fn barrier(&mut self, name: &str) -> BarrierId {
        let barrier = self.barriers.id(name);
        self.parties.resize(self.barriers.names.len(), 0);
        self.parties[barrier] += u64::from(self.instances);
        self.has_barrier.insert(self.task);
        BarrierId(barrier)
    }

    /// A timer is absolute for all as soon as one event says so.
    pub(super) fn timer(&mut self, name: &str, mode: TimerMode) -> TimerId {
        let (owner, scope) = if name.starts_with("unique") {
            (Some(self.task), TimerScope::PerInstance(self.task))
        } else {
            (None, TimerScope::Shared)
        };
        let next = TimerId(self.timer_list.len());
        let id = *self.timers.entry((owner, name.to_owned())).or_insert(next);
        if id == next {
            self.timer_list.push(Timer { name: name.to_owned(), scope, mode });
        } else if mode == TimerMode::Absolute {
            self.timer_list[id.0].mode = mode;
        }
        id
    }

    pub(super) fn fork(&mut self, name: &str, at: usize) -> Option<TaskId> {
        let task = self.names.task(name)?;
        self.forks.push((at, task));
        Some(task)
    }

    /// After the last task.
    pub(super) fn finish(self, diagnostics: &mut Diagnostics) -> Resources {
        let mut doubt = |at, message| diagnostics.warn(at, WarningKind::Doubtful, message);
        for &(at, condition) in self.waits.iter().filter(|(_, id)| !self.woken.contains(id)) {
            let name = quoted(&self.conditions.names[condition.0]);
            doubt(at, format!("waits for ever: nothing resumes or signals {name}"));
        }
        for &(at, semaphore) in self.sem_waits.iter().filter(|(_, id)| !self.posted.contains(id)) {
            let name = quoted(&self.semaphores.names[semaphore.0]);
            doubt(at, format!("waits for ever: nothing posts {name}"));
        }
        for (at, task, mutex) in self.wants_locked {
            if !self.locked.contains(&(task, mutex)) {
                let (task, mutex) = (self.names.of(task), &self.mutexes.names[mutex.0]);
                doubt(at, format!("task {} never locks {}", quoted(task), quoted(mutex)));
            }
        }
        for (at, task) in self.forks {
            if self.has_barrier.contains(&task) {
                let task = quoted(self.names.of(task));
                doubt(at, format!("{task} has a barrier, which does not count forked instances"));
            }
        }
        let parties = |count: u64| u32::try_from(count).unwrap_or(u32::MAX).max(1);
        let barriers = self.barriers.names.into_iter().zip(self.parties);
        Resources {
            mutexes: self.mutexes.names,
            conditions: self.conditions.names,
            semaphores: self.semaphores.names,
            barriers: barriers
                .map(|(name, count)| Barrier { name, parties: parties(count) })
                .collect(),
            timers: self.timer_list,
        }
    }
}

/// Names in the order of their first use.
#[derive(Default)]
struct Table {
    names: Vec<String>,
    ids: BTreeMap<String, usize>,
}

impl Table {
    fn id(&mut self, name: &str) -> usize {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        let id = self.names.len();
        self.ids.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        id
    }
}
