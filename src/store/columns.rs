//! How values of the model look in columns.

use std::str::FromStr;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use serde::de::DeserializeOwned;

/// A state or another closed set, kept as its word.
#[derive(Debug, FromSqlRow)]
pub(super) struct Word<T>(pub T);

/// A structure kept as a JSON document.
#[derive(Debug, FromSqlRow)]
pub(super) struct Json<T>(pub T);

impl<T> FromSql<Text, Sqlite> for Word<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(value.read_text().parse()?))
    }
}

impl<T: DeserializeOwned> FromSql<Text, Sqlite> for Json<T> {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(serde_json::from_str(value.read_text())?))
    }
}

/// Narrows a counter read from an INTEGER column; the schema keeps counters small and not negative.
pub(super) fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
