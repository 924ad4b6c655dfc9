//! What jobs were created with, kept beside them: see [`Creation`].

use diesel::prelude::*;

use super::columns::{Checked, Json};
use super::connection::DbConnection;
use super::failure::Failure;
use super::metadata::{self, key};
use super::schema::metadata as table;
use super::{Store, StoreError, feed};
use crate::model::{Contents, Creation, JobId, NewJob, Row};

impl Store {
    /// Returns what a job was created with; none for one that an older version has made.
    pub fn creation(&mut self, job: JobId) -> Result<Option<Creation>, StoreError> {
        self.read("read what the job was created with", |conn| creation_of(conn, job))
    }
}

/// Returns what a job was created with inside a transaction; see [`Store::creation`].
pub(super) fn creation_of(conn: &mut DbConnection, job: JobId) -> Result<Option<Creation>, Failure> {
    let found: Option<Checked<Json<Creation>>> =
        table::table.find((job.0, key::CREATION)).select(table::value).first(conn).optional()?;
    Ok(found.map(|creation| creation.of(Row::Job(job), key::CREATION)).transpose()?.map(|Json(creation)| creation))
}

/// Writes what a job is created with inside a transaction, and draws the sample of its units if it is to have one.
pub(super) fn put_creation(
    conn: &mut DbConnection,
    job: JobId,
    new: &NewJob,
    contents: Contents,
) -> Result<(), Failure> {
    let creation = Creation { limits: new.limits.clone(), contents };
    let text = serde_json::to_string(&creation).expect("a creation is numbers and words");
    metadata::put(conn, job, key::CREATION, &text)?;
    feed::draw(conn, job, &new.limits)
}
