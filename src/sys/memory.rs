//! How this process gives memory back.

/// Blocks of so many bytes are long.
#[cfg(target_env = "gnu")]
const LONG_BLOCK_BYTES: i32 = 1 << 20;

/// Has long blocks given back to the kernel as soon as they are freed.
///
/// By itself the allocator learns from the first long block that is freed to keep such blocks, for each thread separately: with items
/// of megabytes that is many times what is in use.
pub(super) fn return_long_blocks() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it sets a number of the allocator, and no other thread exists yet.
    unsafe {
        nix::libc::mallopt(nix::libc::M_MMAP_THRESHOLD, LONG_BLOCK_BYTES);
    }
}
