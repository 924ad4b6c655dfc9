//! What a server does in its own way: many managers of one job, each with a lease by the server's clock and ranges of units.
//!
//! Whoever changes a job has it alone, and its managers record beside each other; see `job_lock`.
//!
//! Known weakness: diesel does not hand out most SQLSTATEs, so that refusals are distinguished by their fixed texts, as those of
//! SQLite are; see `fault::ENGLISH`.

#[cfg(feature = "postgres")]
mod callers;
#[cfg(feature = "postgres")]
mod commit;
mod counters;
#[cfg(feature = "postgres")]
mod fault;
#[cfg(all(test, feature = "postgres"))]
mod fault_tests;
mod groups;
mod holders;
#[cfg(feature = "postgres")]
mod insert;
mod job_lock;
mod lease;
mod left;
mod look;
#[cfg(feature = "postgres")]
mod open;
mod ranges;
#[cfg(feature = "postgres")]
mod record;
#[cfg(all(test, feature = "postgres"))]
mod schema_tests;
#[cfg(feature = "postgres")]
mod server;
mod share;

#[cfg(feature = "postgres")]
pub use callers::ServerConnection;
#[cfg(feature = "postgres")]
pub(super) use callers::within;
#[cfg(feature = "postgres")]
pub(super) use commit::{Commit, Kept};
pub(super) use counters::add_up;
#[cfg(feature = "postgres")]
pub(super) use counters::moved;
pub(super) use groups::{due_of_groups, fresh_of_groups};
pub(super) use holders::{holders, is_held, is_live, owner_of};
#[cfg(feature = "postgres")]
pub(super) use insert::insert;
pub(super) use job_lock::{lock, lock_meters, share_lock};
#[cfg(feature = "postgres")]
pub(super) use lease::was_set_back;
pub(super) use lease::{
    beat, count, has_left, lease_length, lose_expired, lose_here, others_go_on, renew, time, was_followed,
};
pub(super) use left::{Here, adopt, give_back_here, jobs_of_host, lose_host};
pub(super) use look::{Look, look};
#[cfg(all(test, feature = "postgres"))]
pub(super) use open::open_in;
#[cfg(feature = "postgres")]
pub(super) use open::{Opened, Session, is_one, look_for_creation, migrate, open, sql_for};
#[cfg(feature = "postgres")]
pub use open::{PostgresError, has_password, is_address, sql_for_administrators, without_password};
pub(super) use ranges::{
    claim, drop_ahead, due_units, fresh_units, give_all_back, give_back, give_back_but, is_of_another, next_due,
    others_have_units, running_units,
};
#[cfg(feature = "postgres")]
pub(super) use record::{Move, apply, waves};
#[cfg(feature = "postgres")]
pub use server::{CounterCheck, HolderKind, HorizonHolder, ServerSettings, ServerState, Standby};
#[cfg(feature = "postgres")]
pub(super) use server::{counters, server_state};
pub(super) use share::{count_failures_again, grant, share};
