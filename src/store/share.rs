//! A manager's part of what the managers of its job have together.

use super::connection::on_server;
use super::{Lease, Store, StoreError, postgres};
use crate::model::{Limits, Share};

impl Store {
    /// Returns a manager's share where the job has a limit for all of its managers together, and may have several.
    pub fn share(&mut self, lease: Lease, limits: &Limits) -> Result<Option<Share>, StoreError> {
        if !limits.are_shared() || !on_server(&mut self.conn) {
            return Ok(None);
        }
        self.read("read what other managers do", |conn| Ok(Some(postgres::share(conn, lease)?)))
    }

    /// Grants a manager so many of the `total` workers of its job, or as many as others have left, and returns how many.
    ///
    /// Whoever wants more asks before it uses them; whoever gives some back asks when they are free.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn grant(&mut self, lease: Lease, workers: usize, total: usize) -> Result<usize, StoreError> {
        let [workers, total] = [workers, total].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        let granted =
            self.write_under(lease, "grant workers", |conn, _| postgres::grant(conn, lease, workers, total))?;
        Ok(usize::try_from(granted).unwrap_or(0))
    }
}
