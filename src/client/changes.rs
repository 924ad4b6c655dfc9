//! Noticing that a database has changed, without reading what.

use super::{Client, ClientError};

impl Client {
    /// Returns a number that differs from the one before whenever somebody else has committed to the database.
    ///
    /// Cheap enough to be asked many times a second. Numbers of two clients cannot be compared, and what this client
    /// itself writes does not count. Whether a manager lives is no part of the database: its death changes nothing.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// let before = client.data_version()?;
    /// while client.data_version()? == before {
    ///     std::thread::sleep(std::time::Duration::from_millis(200));
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the database cannot be read, or is no longer where it was opened.
    pub fn data_version(&self) -> Result<i64, ClientError> {
        let mut store = self.store();
        store.refuse_moved_file()?;
        Ok(store.data_version()?)
    }
}
