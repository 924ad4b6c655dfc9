//! What a creation would lead to, found out by doing it where nobody sees it.

use std::path::Path;
use std::sync::Mutex;

use super::create::next_chunk;
use super::{Client, ClientError, Created, ManagerProgram, owner};
use crate::model::{NewJob, NewUnit, StateDir};
use crate::store::{Store, StoreError};
use crate::sys;

/// What a creation would lead to.
#[derive(Debug, Clone, Copy)]
pub struct Rehearsal {
    /// Units that the new job would have.
    pub units: i64,
    /// The job that has the key already and that nothing would be changed of.
    pub existing: Option<Created>,
}

impl Client {
    /// Checks that [`Client::create`], or with `makes_directory` [`Client::create_with_directory`], would find or make the
    /// database, and opens it to read if it exists; changes nothing.
    pub fn rehearse_create(path: &Path, makes_directory: bool) -> Result<Option<Client>, ClientError> {
        owner::refuse_open_directory(path)?;
        owner::refuse_other_owner(path)?;
        #[cfg(feature = "postgres")]
        if crate::store::is_address(path) {
            return Self::rehearse_on_server(path);
        }
        let is_empty = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0);
        match Self::open_to_read(path) {
            Ok(client) => {
                sys::expect_writable(path).map_err(ClientError::files("write to", path))?;
                return Ok(Some(client));
            }
            // A creation fills it.
            Err(ClientError::Store(StoreError::NotOurs { .. })) if is_empty => {}
            Err(ClientError::Store(StoreError::NoDatabase { .. })) => {}
            Err(ClientError::Store(StoreError::NoDirectory { .. })) if makes_directory => {}
            Err(error) => return Err(error),
        }
        let absolute = std::path::absolute(path).map_err(ClientError::files("find the absolute path of", path))?;
        let dir = absolute.ancestors().skip(1).find(|dir| dir.exists()).unwrap_or(path);
        sys::expect_writable(dir).map_err(ClientError::files("make a database in", dir))?;
        Ok(None)
    }

    /// Checks the same of a database on a server.
    #[cfg(feature = "postgres")]
    fn rehearse_on_server(path: &Path) -> Result<Option<Client>, ClientError> {
        let opened = match Self::open_to_read(path) {
            Err(ClientError::Store(error)) if error.is_no_database() => None,
            opened => Some(opened?),
        };
        Store::expect_server_for_creation(path)?;
        Ok(opened)
    }

    /// Does what a creation does, but writes it where nobody sees it; `there` is the database that the job would be in,
    /// if it exists.
    pub(super) fn rehearse_job<E>(
        there: Option<&Client>,
        new: &NewJob,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<Rehearsal, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut units = units.into_iter();
        let (first, all) = next_chunk(&mut units)?;
        if let Some(client) = there {
            let job = client.store().job_of_same_key(new)?;
            if let Some(job) = job {
                let existing = client.compare_with(job, new, first, &mut units)?;
                return Ok(Rehearsal { units: 0, existing: Some(existing) });
            }
        }
        let scratch = Client::scratch()?;
        let created = scratch.write_job(new, first, all, &mut units)?;
        Ok(Rehearsal { units: scratch.progress(created.job)?.total, existing: None })
    }

    /// Makes a client of a database that nobody else sees.
    fn scratch() -> Result<Client, ClientError> {
        let store = Mutex::new(Store::scratch()?);
        Ok(Client {
            store,
            state: StateDir::beside(Path::new("")),
            program: ManagerProgram::ThisExecutable,
            secrets: Vec::new(),
        })
    }
}
