//! Bringing a database that an older version has left up to date, where that harms nobody.
//!
//! It happens when a client opens the database to write, never when one reads. A database of somebody else stays as it is,
//! because its owner may go on with the older version, and so does one in which a manager of an older version runs a job or
//! may run one: its statements are meant for the schema that it has found.

use std::path::Path;

use super::error::{AccessError, ClientError};
use super::owner;
use crate::model::{DatabaseFile, Timestamp};
use crate::status::{Health, observe_manager};
use crate::store::{Access, RunningJob, Store, StoreError};

/// Opens a store; a database of an older schema that is to be written is brought up to date before.
pub(super) fn open_store(path: &Path, access: Access) -> Result<Store, ClientError> {
    match Store::open(path, access) {
        Err(StoreError::TooOld { path, .. }) => {
            owner::refuse_other_owner(&path)?;
            Store::bring_up_to_date(&path, refuse_older_managers)?;
            Ok(Store::open(&path, access)?)
        }
        opened => Ok(opened?),
    }
}

fn refuse_older_managers(database: &DatabaseFile, running: &[RunningJob]) -> Result<(), ClientError> {
    for job in running {
        let found = observe_manager(job.id, job.record.as_ref(), None, database, Timestamp::now());
        let (job, path) = (job.id, database.path.clone());
        match found.health {
            Health::NotStarted | Health::Stopped => {}
            Health::Running => return Err(AccessError::OlderManager { path, job }.into()),
            Health::Unknown => {
                return Err(ClientError::HealthUnknown { job, reason: found.reason, lock: None });
            }
        }
    }
    Ok(())
}
