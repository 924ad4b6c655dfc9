//! What somebody else has to do before a user can work in a database on a server.

use std::path::Path;

use super::{Client, ClientError};
use crate::store::Store;

impl Client {
    /// Returns the statements that an administrator has to run so that the user of a database on a server can work in it: they
    /// make the tables where there are none. None for a database in a file, whose tables nobody else has to make.
    ///
    /// Nothing is changed, and neither tables nor the right to make them are needed.
    ///
    /// ```no_run
    /// let db = "postgres://joe@db.example/jobs".as_ref();
    /// if let Some(sql) = job_manager::Client::sql_for_administrators_of(db)? {
    ///     println!("{sql}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn sql_for_administrators_of(db: &Path) -> Result<Option<String>, ClientError> {
        Ok(Store::sql_for_administrators_of(db)?)
    }
}
