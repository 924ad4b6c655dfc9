//! Creating jobs and adding units inside a caller's own transaction, with every check that a client makes.

use std::path::Path;

use super::create::{check_new_job, with_own_limits, with_submitter};
use super::made::made_path;
use super::payload::{check_new_unit, grouped};
use super::same_job::refuse_another;
use super::{Client, ClientError, lease, memory, owner, refuse_shared_disk};
use crate::handler::Grouping;
use crate::model::{JobId, NewJob, NewUnit, UnitsAdded};
#[cfg(feature = "postgres")]
use crate::store::ServerConnection;
use crate::store::{self, CallerConnection, CallerError, FileConnection, StoreError};

impl Client {
    /// Opens a connection to this client's database for the caller's own transactions: [`create_job_in`] and
    /// [`add_units_in`] take it.
    ///
    /// It waits for managers as this client does, syncs what it commits, and checks foreign keys. A connection that is made
    /// otherwise, as in a pool, needs at least `PRAGMA busy_timeout = 10000`: without it a transaction fails at its
    /// beginning whenever somebody else writes.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::create("jobs.db".as_ref())?;
    /// let mut conn = client.connect()?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn connect(&self) -> Result<FileConnection, ClientError> {
        Ok(self.store().connect_caller()?)
    }

    /// Opens a connection to this client's database on a server, for the same.
    ///
    /// It has the settings of this client's own: a lock is waited for no longer than 10 s, and a transaction that idles for as
    /// long is ended, because managers wait for one that has added units to their job. A connection that is made otherwise, as in a
    /// pool, has whatever its owner gave it.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::create("postgres:///jobs".as_ref())?;
    /// let mut conn = client.connect_to_server()?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    #[cfg(feature = "postgres")]
    pub fn connect_to_server(&self) -> Result<ServerConnection, ClientError> {
        Ok(self.store().connect_caller_to_server()?)
    }
}

/// Creates a job inside the caller's transaction and returns its number; a job that has the key of `new` already is
/// returned unchanged if it does the same, whatever its units are.
///
/// Nothing of it is seen by anybody before the caller commits; then it can be started. A service that dies between its
/// commit and the start finds the job with [`Client::unstarted_jobs`].
///
/// The connection must be to a database of this package, as [`Client::connect`] opens one, and its transaction should be an
/// `immediate_transaction`, because one that reads before it writes fails when another one writes meanwhile. Outside of
/// any transaction this is one by itself, which waits for managers.
///
/// ```no_run
/// use job_manager::client::diesel as sql;
/// use job_manager::{Client, NewJob, NewUnit};
/// use sql::prelude::*;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::create("jobs.db".as_ref())?;
/// let mut conn = client.connect()?;
/// let job = conn.immediate_transaction(|conn| {
///     sql::sql_query("UPDATE albums SET state = 'publishing' WHERE id = 7").execute(conn)?;
///     let photos = (1..=500).map(|photo| NewUnit::new(&photo).expect("a number has a form in JSON"));
///     let job = job_manager::client::create_job_in(conn, &NewJob::new("album 7", "thumbnail"), photos)?;
///     Ok::<_, Box<dyn std::error::Error>>(job)
/// })?;
/// client.start_detached(job)?;
/// # Ok(())
/// # }
/// ```
///
/// On a PostgreSQL server the same is done through a `PgConnection`, for services that keep their data there. Its transaction may be of
/// any isolation; above READ COMMITTED it fails, as such transactions do, when somebody else changes the job meanwhile, and is tried again
/// by the caller. The service's own tables may lie beside those of this package, or in another schema: these are found by the search path.
///
/// ```no_run
/// # #[cfg(feature = "postgres")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use job_manager::client::diesel as sql;
/// use job_manager::{Client, NewJob, NewUnit};
/// use sql::prelude::*;
///
/// let client = Client::create("postgres:///shop?host=/run/postgresql".as_ref())?;
/// let mut conn = client.connect_to_server()?;
/// let job = conn.transaction(|conn| {
///     sql::sql_query("UPDATE orders SET state = 'billing' WHERE month = '2026-11'").execute(conn)?;
///     let orders = (1..=500).map(|order| NewUnit::new(&order).expect("a number has a form in JSON"));
///     let job = job_manager::client::create_job_in(conn, &NewJob::new("bills 2026-11", "bill"), orders)?;
///     Ok::<_, Box<dyn std::error::Error>>(job)
/// })?;
/// client.start_detached(job)?; // a service that dies before this: `recover --created` starts it
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "postgres"))]
/// # fn main() {}
/// ```
///
/// # Errors
/// Whatever [`Client::create_job`] refuses is refused here too, a database of somebody else included, and a connection to
/// anything else than a database of this version, in WAL mode if it is a file; the caller then rolls its transaction back.
pub fn create_job_in<C: CallerConnection>(
    conn: &mut C,
    new: &NewJob,
    units: impl IntoIterator<Item = NewUnit>,
) -> Result<JobId, ClientError> {
    check_new_job(new)?;
    let conn = conn.caller();
    lease::check(conn.is_on_server(), &new.limits)?;
    memory::check(conn.is_on_server(), &new.handler, &new.limits)?;
    let given = units.into_iter().map(Ok::<_, std::convert::Infallible>);
    let mut units = with_own_limits(given, new.limits.clone(), Some(new.limits.workers))
        .map(|unit| unit.map_err(ClientError::Source))
        .peekable();
    if units.peek().is_none() {
        return Err(ClientError::NoUnits);
    }
    let made = made_path(&new.handler, &new.spec);
    store::create_job_in(conn, &with_submitter(new)?, units, made.as_deref(), look_to_create, |job, spec, creation| {
        refuse_another(job, spec, creation, new)
    })
}

/// Adds units to a job inside the caller's transaction; see [`Client::add_units`] and [`create_job_in`].
///
/// A manager that runs the job takes them up within a moment of the caller's commit; a job that had ended becomes
/// paused. On a server the job is the caller's until then: its managers record nothing meanwhile, so that the transaction should end
/// soon after this.
///
/// # Errors
/// Whatever [`Client::add_units`] refuses is refused here too, and what [`create_job_in`] refuses of a connection; the caller
/// then rolls its transaction back.
pub fn add_units_in<C: CallerConnection>(
    conn: &mut C,
    job: JobId,
    units: impl IntoIterator<Item = NewUnit>,
) -> Result<UnitsAdded, ClientError> {
    let made = |job: &crate::model::Job, spec: &str| made_path(&job.handler, spec);
    store::add_units_in(conn.caller(), job, units.into_iter(), made, look_to_write, |job, unit| {
        let checked = check_new_unit(&job.limits, &unit, None);
        let grouped = checked.and_then(|()| grouped(Grouping::of(&job.limits)?.as_ref(), unit));
        grouped.map_err(|error| ClientError::Source(error.into()))
    })
}

/// Refuses what a client does not write to.
fn look_to_write(db: &Path) -> Result<(), ClientError> {
    refuse_shared_disk(db)?;
    owner::refuse_open_directory(db)
}

/// Refuses also what a client creates no job in.
fn look_to_create(db: &Path) -> Result<(), ClientError> {
    look_to_write(db)?;
    owner::refuse_other_owner(db)
}

/// So that a caller's transaction can return this error, and diesel can say that the transaction itself failed.
impl From<CallerError> for ClientError {
    fn from(error: CallerError) -> Self {
        StoreError::from(error).into()
    }
}
