//! How many units may start until the machine is looked at again.
//!
//! A unit needs memory and disk some time after its start, so that one look must not let many start: far from the limits
//! running units become more by as many as there is room for, each counted with the whole limit; near a limit
//! one unit starts, and the next one after another look.

/// What the feed lets start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gate {
    /// Units that may start, whatever ends meanwhile.
    starts: usize,
    /// Units that may run.
    most_running: usize,
}

impl Gate {
    /// Everything may start.
    pub const OPEN: Gate = Gate { starts: usize::MAX, most_running: usize::MAX };
    /// Nothing may.
    pub const CLOSED: Gate = Gate { starts: 0, most_running: usize::MAX };
    /// One unit may.
    pub const ONE: Gate = Gate { starts: 1, most_running: usize::MAX };

    /// Lets those that end be replaced, and `more` start beside the `running` ones.
    pub fn more(running: usize, more: usize) -> Gate {
        Gate { starts: usize::MAX, most_running: running.saturating_add(more) }
    }

    /// Returns the gate that both let through.
    pub fn narrower(self, other: Gate) -> Gate {
        let most_running = self.most_running.min(other.most_running);
        Gate { starts: self.starts.min(other.starts), most_running }
    }

    /// Returns `true` if a unit may start beside so many.
    pub fn is_open(self, running: usize) -> bool {
        self.most(running) > 0
    }

    /// Returns how many units may start beside so many.
    pub fn most(self, running: usize) -> usize {
        self.starts.min(self.most_running.saturating_sub(running))
    }

    /// Counts a start.
    pub fn pass(&mut self) {
        if self.starts != usize::MAX {
            self.starts = self.starts.saturating_sub(1);
        }
    }
}
