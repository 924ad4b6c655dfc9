//! What holds for all jobs of a database.

use diesel::prelude::*;

use super::error::Failure;
use super::schema::settings;
use super::{Store, StoreError};

const MACHINE_WORKERS: &str = "machine_workers";

impl Store {
    /// Returns how many units of all jobs together may run at the same time; none without such a limit.
    pub fn machine_workers(&mut self) -> Result<Option<usize>, StoreError> {
        self.read("read the machine's limit", |conn| {
            let value: Option<String> =
                settings::table.find(MACHINE_WORKERS).select(settings::value).first(conn).optional()?;
            value.map(|value| value.parse().map_err(Failure::unreadable)).transpose()
        })
    }

    /// Changes that limit, which running managers take up.
    pub fn set_machine_workers(&mut self, workers: Option<usize>) -> Result<(), StoreError> {
        self.write("change the machine's limit", |conn| {
            match workers {
                Some(workers) => diesel::replace_into(settings::table)
                    .values((settings::key.eq(MACHINE_WORKERS), settings::value.eq(workers.to_string())))
                    .execute(conn)?,
                None => diesel::delete(settings::table.find(MACHINE_WORKERS)).execute(conn)?,
            };
            Ok(())
        })
    }
}
