//! The hash behind ids and columns that must stay the same, whatever a library does.

/// Returns the 64-bit hash of Fowler, Noll and Vo (FNV-1a).
pub fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
