//! Whether a database is sound.

use diesel::sql_types::Text;

use super::open::EngineVersion;
use super::statement::statement;
use super::{Store, StoreError};

statement! {
    // A server looks after its files itself.
    struct QuickCheck {}
    ["PRAGMA quick_check(1)" "SELECT 'ok'"] -> Text
}

impl Store {
    /// Returns SQLite's version and whether the file is sound; reads the whole file.
    pub fn integrity(&mut self) -> Result<(String, bool), StoreError> {
        let version = self.ask(EngineVersion {})?;
        let answer: String = self.ask(QuickCheck {})?;
        Ok((version, answer == "ok"))
    }
}
