//! Persistence: the only module that knows SQL, and all of diesel.
//!
//! One file per table or concern, one method per verb of the domain. Every write runs in an immediate transaction
//! that spans no wait, no spawn and no foreign code; every write of a manager is guarded by its epoch, and counters
//! change in the transaction that changes the units. Nothing but SQLite ever opens the database file: an open and
//! close of it by other code in this process would drop SQLite's locks.
//! Known weakness: diesel does not hand out SQLite's result codes, so refusals are distinguished by their fixed texts.

mod access;
mod attempts;
#[cfg(feature = "postgres")]
mod away;
mod caller;
mod callers;
mod change;
mod charts;
mod claim;
mod clock_step;
mod columns;
#[cfg(test)]
mod conformance;
mod connection;
mod copy;
mod counters;
mod create;
mod creation;
mod delete;
mod ended;
mod enqueue;
mod error;
mod error_kind;
mod failure;
mod failures;
mod fault;
mod feed;
mod fence;
mod filter;
mod finalizer;
mod find;
mod flagged;
mod flags;
#[cfg(feature = "sources")]
mod foreign;
#[cfg(feature = "sources")]
mod foreign_error;
mod former;
mod former_hosts;
mod former_record;
mod groups;
mod integrity;
mod jobs;
mod join;
mod kills;
mod lanes;
mod lease;
mod lease_holders;
mod leave;
mod limits;
mod look;
mod lose_host;
mod made_paths;
mod manager_row;
mod manager_writes;
mod managers;
mod metadata;
mod meters;
mod migrate;
mod names;
mod notes;
mod open;
#[cfg(feature = "postgres")]
mod open_on_server;
#[cfg(test)]
mod page_tests;
mod pilot;
mod place;
mod postgres;
#[cfg(test)]
mod properties;
#[cfg(feature = "sources")]
mod query_text;
#[cfg(test)]
mod read_plans;
mod record;
mod renew;
mod renewals;
mod results;
mod retrying;
mod same_key;
mod schema;
#[cfg(test)]
mod schema_tests;
#[cfg(any(test, feature = "sources"))]
mod scratch;
#[cfg(feature = "postgres")]
mod server;
mod settings;
mod setup_lock;
mod share;
mod slots;
mod snapshot;
#[cfg(feature = "sources")]
mod sorter;
mod space;
mod specs;
mod split;
mod standing;
mod statement;
mod statistics;
#[cfg(test)]
mod statistics_tests;
mod steer;
mod stop_requests;
mod strips;
mod tables;
mod tallies;
mod totals;
#[cfg(test)]
mod transition_tests;
mod unit_range;
mod unit_row;
mod units;
mod waiting;
mod written;
#[cfg(test)]
mod written_tests;

use std::ffi::OsString;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;

use connection::{DbConnection, read_transaction, write_transaction};
use failure::{Failure, caught};

use crate::model::DatabaseFile;

pub use access::Access;
pub use caller::{CallerConnection, FileConnection};
pub use callers::CallerError;
pub use clock_step::SMALL_STEP;
pub use copy::{CopiedPart, CopyRefused, PartialCopy};
pub use create::CreateOutcome;
pub use enqueue::{add_units_in, create_job_in};
pub use error::StoreError;
pub use fault::Fault;
pub use feed::PageBound;
pub use fence::GO_ON;
pub use flags::{FlagRefused, Verdict};
#[cfg(feature = "sources")]
pub use foreign::ForeignDatabase;
pub use lease::{Claim, Fence, Lease, Work};
pub use lease_holders::is_on_server;
pub use leave::Leaving;
pub use made_paths::MadePath;
pub use migrate::RunningJob;
pub use pilot::EndedUnit;
pub use place::check_path;
#[cfg(feature = "postgres")]
pub use postgres::{
    CounterCheck, HolderKind, HorizonHolder, PostgresError, ServerConnection, ServerSettings, ServerState, Standby,
    has_password, is_address, sql_for_administrators, without_password,
};
pub use record::{Batch, GroupRefused, MeterRefused, Recorded, Settled, UnitChange};
pub use renew::GONE;
pub use renewals::Renewals;
pub use same_key::SameKey;
pub use snapshot::{Extent, JobRows};
#[cfg(feature = "sources")]
pub use sorter::Sorter;
pub use standing::Standing;
pub use unit_range::UnitRange;

/// One connection to one database.
///
/// Belongs to one thread at a time; several stores on the same file, in any number of processes, see each other's
/// commits at once.
pub struct Store {
    conn: DbConnection,
    file: DatabaseFile,
    renewals: Option<(Lease, Arc<Renewals>)>,
    #[cfg(feature = "postgres")]
    session: Option<Box<postgres::Session>>,
}

impl Store {
    /// Returns the path of the database, canonical.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Returns the variable that a process needs besides its own environment to open the database by its path.
    pub fn password_variable(&self) -> Option<(OsString, OsString)> {
        #[cfg(feature = "postgres")]
        return Some(("PGPASSWORD".into(), self.session.as_ref()?.password()?));
        #[cfg(not(feature = "postgres"))]
        None
    }

    /// Returns which file the database is.
    pub fn file(&self) -> &DatabaseFile {
        &self.file
    }

    /// Runs `body` in one immediate transaction: all of it is kept, or nothing.
    fn write<T>(
        &mut self,
        operation: &'static str,
        body: impl FnMut(&mut DbConnection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        #[cfg(feature = "postgres")]
        if self.session.is_some() {
            let mut body = body;
            return self.persist(|store| store.write_once(operation, &mut body));
        }
        self.write_once(operation, body)
    }

    fn write_once<T>(
        &mut self,
        operation: &'static str,
        mut body: impl FnMut(&mut DbConnection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        // When the disk is full SQLite rolls back by itself, and diesel then reports that its own ROLLBACK failed:
        // the first failure is kept aside, because it is the one that says what happened.
        let (mut first, mut panicked, mut value) = (None, None, None);
        #[cfg(feature = "postgres")]
        let mut commit = None;
        let outcome = write_transaction(&mut self.conn, |conn| {
            #[cfg(feature = "postgres")]
            if connection::on_server(conn) {
                commit = Some(postgres::Commit::of(conn)?);
            }
            caught(conn, &mut body, &mut panicked).map(|done| value = Some(done)).map_err(|failure| {
                let seen = match failure {
                    Failure::Sql(ref error) => Failure::Sql(diesel::result::Error::DatabaseError(
                        diesel::result::DatabaseErrorKind::Unknown,
                        Box::new(error.to_string()),
                    )),
                    Failure::Store(_) => return failure,
                };
                first = Some(seen);
                failure
            })
        });
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
        #[cfg(feature = "postgres")]
        let outcome = match (outcome, commit) {
            (Err(Failure::Sql(error)), Some(commit))
                if value.is_some() && Fault::of_sql(&error) == Fault::Disconnected =>
            {
                self.settle(&commit, error.into())
            }
            (outcome, _) => outcome,
        };
        match (outcome, value, first) {
            (Ok(()), Some(value), _) => Ok(value),
            (Ok(()), None, _) => unreachable!("what is kept was done"),
            (Err(Failure::Sql(error)), _, Some(first)) if Fault::of_sql(&error) == Fault::Unexpected => {
                Err(first.during(operation, &self.file.path))
            }
            (Err(failure), ..) => Err(failure.during(operation, &self.file.path)),
        }
    }

    /// Runs `body` on one snapshot of the database.
    fn read<T>(
        &mut self,
        operation: &'static str,
        body: impl FnMut(&mut DbConnection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        #[cfg(feature = "postgres")]
        if self.session.is_some() {
            let mut body = body;
            return self.persist(|store| store.read_once(operation, &mut body));
        }
        self.read_once(operation, body)
    }

    fn read_once<T>(
        &mut self,
        operation: &'static str,
        body: impl FnMut(&mut DbConnection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut panicked = None;
        let outcome = read_transaction(&mut self.conn, |conn| caught(conn, body, &mut panicked));
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
        outcome.map_err(|failure| failure.during(operation, &self.file.path))
    }
}
