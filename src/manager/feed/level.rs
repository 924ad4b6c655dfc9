//! How full a feed is, and when it is time to read more.

/// Units kept ready.
pub(in crate::manager) const FEED_UNITS: usize = 512;
/// Units below which it is time to read more.
pub(in crate::manager) const LOW_UNITS: usize = FEED_UNITS / 2;
/// Bytes that the units in hand may take before no further ones are read.
const FEED_BYTES: usize = 32 << 20;

/// Returns `true` if the units in hand take so many bytes that no further ones are to be read.
pub(in crate::manager) fn is_full(bytes: usize) -> bool {
    bytes >= FEED_BYTES
}

/// How full the feed is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manager) struct Level {
    /// Units that no worker has taken yet.
    pub queued: usize,
    /// Units among them that came back.
    pub due: usize,
    /// What the units in hand hold in memory, about.
    pub bytes: usize,
    /// Workers that those may take within a moment, as far as the rate and the machine are concerned.
    pub ready: usize,
    /// Workers that units have taken and not given back.
    pub busy: usize,
    /// Units that run.
    pub running: usize,
    /// Units whose end is not committed, the queued ones included.
    pub in_hand: usize,
}

impl Level {
    /// Returns `true` if further fresh units are to be read.
    pub fn is_low_of_fresh(self) -> bool {
        self.is_low(self.queued - self.due)
    }

    /// Returns `true` if further units that came back are to be read.
    pub fn is_low_of_due(self) -> bool {
        self.is_low(self.due)
    }

    /// Few of a kind are queued, and there is memory for more; one of a kind is always queued, whatever its size.
    fn is_low(self, queued: usize) -> bool {
        queued <= LOW_UNITS && (queued == 0 || self.bytes < FEED_BYTES)
    }

    /// Returns for how many bytes of further units there is room.
    pub fn room_bytes(self) -> usize {
        FEED_BYTES.saturating_sub(self.bytes)
    }
}
