//! What a kernel may set.

/// Settings of a scheduler. All have a meaning for any value: what is too small for the loop to move is taken as the
/// least that is not (a limit of 1, a budget of 2, a slice of 10 µs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// After so many Normal polls in a row one Background poll is due; `u32::MAX` makes the order strict.
    pub background_limit_polls: u32,
    /// After so many Critical polls in a row one poll of a lower tier is due; `u32::MAX` makes the order strict.
    pub critical_limit_polls: u32,
    /// Inbox nodes touched in one step, for each of the two inboxes.
    pub inbox_budget_nodes: usize,
    /// A CPU with nothing to do takes half of what another one has published, at most 32 tasks, instead of one.
    pub steal_half: bool,
    /// So long a CPU whose search brought nothing leaves others alone while it spins or ticks, in nanoseconds. It looks before it halts
    /// all the same; a kick or its timer ends the time early. 0: it searches in each step that has nothing else.
    pub steal_cooldown_ns: u64,
    /// So many steps find nothing to do, one after the other, before a CPU halts. What comes meanwhile needs no kick and no end of a
    /// halt; the price is power, or what else the CPU's thread stands on could do. 0: it halts at once.
    pub spin_steps: u32,
    /// While a CPU is busy its timer interrupts it at least so often, and asks the task to yield; `u64::MAX`: never.
    pub slice_ns: u64,
    /// Every task is listed, for [`for_each_task`](crate::Scheduler::for_each_task), unless its
    /// [builder](crate::Builder::listed) says otherwise.
    #[cfg(feature = "registry")]
    pub list_tasks: bool,
    /// Those of the threads' classes.
    #[cfg(feature = "threads")]
    pub threads: crate::thread::ThreadSettings,
}

impl Settings {
    /// One Background poll per 100 Normal, one lower poll per 256 Critical, 64 nodes a step, no cooldown, no spinning, 1 ms slices;
    /// no lists.
    pub const DEFAULT: Self = Self {
        background_limit_polls: 100,
        critical_limit_polls: 256,
        inbox_budget_nodes: 64,
        steal_half: false,
        steal_cooldown_ns: 0,
        spin_steps: 0,
        slice_ns: 1_000_000,
        #[cfg(feature = "registry")]
        list_tasks: false,
        #[cfg(feature = "threads")]
        threads: crate::thread::ThreadSettings::DEFAULT,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
