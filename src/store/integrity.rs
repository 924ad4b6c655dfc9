//! Whether a database is sound.

use diesel::sql_types::Text;

use super::connection::on_server;
use super::open::EngineVersion;
use super::statement::statement;
use super::{Store, StoreError};

statement! { struct QuickCheck {} "PRAGMA quick_check(1)" -> Text }

impl Store {
    /// Returns what keeps the database, with its version, and whether the file is sound; reads the whole file. A server looks
    /// after its files itself.
    pub fn integrity(&mut self) -> Result<(String, Option<bool>), StoreError> {
        let version: String = self.ask(EngineVersion {})?;
        if on_server(&mut self.conn) {
            return Ok((format!("PostgreSQL {version}"), None));
        }
        let answer: String = self.ask(QuickCheck {})?;
        Ok((format!("SQLite {version}"), Some(answer == "ok")))
    }
}
