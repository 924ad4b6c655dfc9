//! What holds for all jobs of a database.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::DbConnection;
use super::failure::Failure;
use super::schema::settings;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{Row, Unreadable};

const MACHINE_WORKERS: &str = "machine_workers";

statement! {
    struct PutSetting {
        "INSERT INTO settings (key, value) VALUES (" key: &'static str as Text,
        ", " value: String as Text,
    }
    ") ON CONFLICT (key) DO UPDATE SET value = excluded.value"
}

impl Store {
    /// Returns how many units of all jobs together may run at the same time; none without such a limit.
    pub fn machine_workers(&mut self) -> Result<Option<usize>, StoreError> {
        self.read("read the machine's limit", |conn| {
            let text = machine_workers_text(conn)?;
            Ok(text.as_deref().map(read_machine_workers).transpose()?)
        })
    }

    /// Changes that limit, which running managers take up.
    pub fn set_machine_workers(&mut self, workers: Option<usize>) -> Result<(), StoreError> {
        self.write("change the machine's limit", |conn| {
            match workers {
                Some(workers) => PutSetting { key: MACHINE_WORKERS, value: workers.to_string() }.execute(conn)?,
                None => diesel::delete(settings::table.find(MACHINE_WORKERS)).execute(conn)?,
            };
            Ok(())
        })
    }
}

/// Returns the text of the limit over all jobs.
pub(super) fn machine_workers_text(conn: &mut DbConnection) -> Result<Option<String>, Failure> {
    Ok(settings::table.find(MACHINE_WORKERS).select(settings::value).first(conn).optional()?)
}

/// Reads the limit over all jobs.
pub(super) fn read_machine_workers(value: &str) -> Result<usize, StoreError> {
    value.parse().map_err(|error: std::num::ParseIntError| {
        let (value, reason) = (value.to_owned(), error.to_string());
        StoreError::Unreadable(Unreadable { row: Row::Settings, column: MACHINE_WORKERS, value, reason })
    })
}
