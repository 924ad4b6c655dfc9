//! Waiting for a condition, with a deadline and a report instead of a blind sleep.

use std::time::{Duration, Instant};

use super::World;

/// No condition may take longer.
pub const DEADLINE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until a condition holds; gives up with the last state of the world.
pub fn wait_for(world: &World, what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < DEADLINE, "gave up waiting for {what}\n{}", world.report());
        std::thread::sleep(LOOK_EVERY);
    }
}
