//! Paths in JSON, of whatever bytes they are; see [`RawText`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RawText;

/// Writes a path.
pub fn serialize<S: Serializer>(path: impl AsRef<Path>, serializer: S) -> Result<S::Ok, S::Error> {
    RawText::from(path.as_ref().as_os_str()).serialize(serializer)
}

/// Reads a path.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(OsString::from(RawText::deserialize(deserializer)?).into())
}

/// Paths that may be missing.
pub mod optional {
    use super::{Deserialize, Deserializer, OsString, PathBuf, RawText, Serialize, Serializer};

    /// Writes a path, or null.
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_ref().map(|path| RawText::from(path.as_os_str())).serialize(serializer)
    }

    /// Reads a path, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        let path: Option<RawText> = Deserialize::deserialize(deserializer)?;
        Ok(path.map(|path| OsString::from(path).into()))
    }
}
