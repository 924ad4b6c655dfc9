//! What a lease leaves behind, and what is done about it before anything else: by the next manager, and by whoever ends a job
//! that has none.
//!
//! The processes of units are ended first. Then the ends that no commit had reached are recorded, and the units that are left
//! are given back or failed. The caller holds the job's lock and names a lease of its own, so that nothing of the dead one
//! can be written any more.
//!
//! It starts nothing, tells nobody, and knows neither managers nor clients.

mod error;
pub(crate) mod former;
mod held_slots;
mod leftovers;
mod noted;
mod outbox;
pub mod policy;
mod said;

pub use error::RecoveryError;
pub use held_slots::clear_slots;
pub use leftovers::{Leftovers, end_noted};
pub use noted::note;
pub use outbox::{Ended, Outbox, RecorderGone, clear as clear_outbox};
