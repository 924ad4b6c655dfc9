//! How values of the model look in columns.

use std::str::{FromStr, Utf8Error};

use diesel::deserialize::{self, FromSqlRow};
use serde::de::DeserializeOwned;

use crate::model::{Row, Unreadable};

/// A state or another closed set, kept as its word.
#[derive(Debug, FromSqlRow)]
pub(super) struct Word<T>(pub T);

/// A structure kept as a JSON document.
#[derive(Debug, FromSqlRow)]
pub(super) struct Json<T>(pub T);

/// What a column holds, or the text that cannot be read as that; the rest of its row is read all the same.
#[derive(Debug, FromSqlRow)]
pub(super) struct Checked<T>(Result<T, Held>);

/// A text that its column should not hold, and why.
#[derive(Debug)]
struct Held {
    value: String,
    reason: String,
}

impl<T: OfText> Checked<T> {
    /// Reads the text of a column.
    pub fn of_text(text: &str) -> Self {
        Self(T::of_text(text).map_err(|error| Held { value: text.to_owned(), reason: error.to_string() }))
    }

    /// Reads the bytes of a column, which another program may have written.
    fn read(bytes: &[u8]) -> Self {
        let held =
            |error: Utf8Error| Held { value: String::from_utf8_lossy(bytes).into_owned(), reason: error.to_string() };
        str::from_utf8(bytes).map_err(held).map_or_else(|held| Self(Err(held)), Self::of_text)
    }
}

impl<T> Checked<T> {
    /// Returns the value, if it can be read.
    pub fn known(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }

    /// Returns the value.
    ///
    /// # Errors
    /// When the column holds something else: what, and where.
    pub fn of(self, row: Row, column: &'static str) -> Result<T, Unreadable> {
        self.0.map_err(|Held { value, reason }| Unreadable { row, column, value, reason })
    }
}

impl Checked<String> {
    /// Returns the text, with a mark in place of each byte that is no text.
    pub fn shown(&self) -> &str {
        self.0.as_ref().map_or_else(|held| held.value.as_str(), String::as_str)
    }
}

/// A text that another program may have written.
pub(super) type TextColumn = Option<Checked<String>>;

/// Returns the text of a column, if there is one.
pub(super) fn text_of(text: TextColumn, place: Row, column: &'static str) -> Result<Option<String>, Unreadable> {
    text.map(|text| text.of(place, column)).transpose()
}

/// A value that a text stands for.
pub(super) trait OfText: Sized {
    fn of_text(text: &str) -> deserialize::Result<Self>;
}

impl OfText for String {
    fn of_text(text: &str) -> deserialize::Result<Self> {
        Ok(text.to_owned())
    }
}

impl<T> OfText for Word<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    fn of_text(text: &str) -> deserialize::Result<Self> {
        Ok(Self(text.parse()?))
    }
}

impl<T: DeserializeOwned> OfText for Json<T> {
    fn of_text(text: &str) -> deserialize::Result<Self> {
        // An array would be read as fields in their order, and an empty one as all defaults.
        if !text.trim_start().starts_with('{') {
            return Err("it is no JSON object".into());
        }
        Ok(Self(serde_json::from_str(text)?))
    }
}

/// A value that the bytes of a column of text stand for.
pub(super) trait OfBytes: Sized {
    fn of_bytes(bytes: &[u8]) -> deserialize::Result<Self>;
}

impl<T: OfText> OfBytes for Checked<T> {
    fn of_bytes(bytes: &[u8]) -> deserialize::Result<Self> {
        Ok(Self::read(bytes))
    }
}

impl<T> OfBytes for Word<T>
where
    Self: OfText,
{
    fn of_bytes(bytes: &[u8]) -> deserialize::Result<Self> {
        Self::of_text(str::from_utf8(bytes)?)
    }
}

impl<T: DeserializeOwned> OfBytes for Json<T> {
    fn of_bytes(bytes: &[u8]) -> deserialize::Result<Self> {
        Self::of_text(str::from_utf8(bytes)?)
    }
}

/// Has a type read from columns of text, in whichever database they are.
macro_rules! from_text {
    ($type:ident $(<$T:ident> where $_:ident: $($bound:path)?)?) => {
        impl $(<$T $(: $bound)?>)? diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::sqlite::Sqlite> for $type $(<$T>)?
        where
            Self: $crate::store::columns::OfBytes,
        {
            fn from_sql(mut value: diesel::sqlite::SqliteValue<'_, '_, '_>) -> diesel::deserialize::Result<Self> {
                $crate::store::columns::OfBytes::of_bytes(value.read_blob())
            }
        }

        #[cfg(feature = "postgres")]
        impl $(<$T $(: $bound)?>)? diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $type $(<$T>)?
        where
            Self: $crate::store::columns::OfBytes,
        {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                $crate::store::columns::OfBytes::of_bytes(value.as_bytes())
            }
        }

        #[cfg(feature = "postgres")]
        impl $(<$T $(: $bound)?>)? diesel::deserialize::FromSql<diesel::sql_types::Text, $crate::store::connection::Db> for $type $(<$T>)?
        where
            Self: $crate::store::columns::OfBytes,
        {
            fn from_sql(value: $crate::store::connection::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                value.from_sql::<Self, diesel::sql_types::Text>()
            }
        }
    };
}

pub(super) use from_text;

from_text!(Checked<T> where T: OfText);
from_text!(Word<T> where T:);
from_text!(Json<T> where T: DeserializeOwned);

/// Narrows a counter that is to be raised further; one that cannot be is an error.
pub(super) fn counter(value: i64, row: Row, column: &'static str) -> Result<u32, Unreadable> {
    let narrow = u32::try_from(value).ok().filter(|count| *count < u32::MAX);
    let out_of_range = || Unreadable { row, column, value: value.to_string(), reason: "it is out of range".to_owned() };
    narrow.ok_or_else(out_of_range)
}

/// Narrows a counter read from an INTEGER column; the schema keeps counters small and not negative.
pub(super) fn count(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Limits;

    #[test]
    fn limits_that_are_no_object_are_not_read_as_defaults() {
        assert!(Json::<Limits>::of_text("[]").is_err());
        assert!(Json::<Limits>::of_text("{}").is_ok());
    }
}
