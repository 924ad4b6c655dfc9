//! What a manager must have written about itself, in whatever form: a guess in place of a part would be taken for the truth
//! about who lives.

use std::path::PathBuf;

use super::failure::Failure;
use super::metadata::damaged;
use crate::model::{DatabaseFile, JobId, ProcessIdentity, RawText, Timestamp};

/// What the columns of a row say, or texts said in former schemas.
pub(super) struct Recorded {
    pub identity: ProcessIdentity,
    pub database: Option<DatabaseFile>,
    pub version: String,
    pub program: Option<PathBuf>,
    pub heartbeat_at: Option<Timestamp>,
    pub rate_per_second: Option<f64>,
}

/// Returns a number that a process can have.
pub(super) fn whole<T: TryFrom<i64>>(
    job: JobId,
    key: &'static str,
    value: i64,
    allowed: std::ops::RangeInclusive<i64>,
) -> Result<T, Failure> {
    let read = allowed.contains(&value).then(|| T::try_from(value).ok()).flatten();
    read.ok_or_else(|| damaged(job, key, Some(value.to_string())))
}

/// Returns a text in the form that it must have.
pub(super) fn text(job: JobId, key: &'static str, value: String, is_one: fn(&str) -> bool) -> Result<String, Failure> {
    if is_one(&value) { Ok(value) } else { Err(damaged(job, key, Some(value))) }
}

/// Returns the path that a column holds.
pub(super) fn path_of(column: &str) -> PathBuf {
    PathBuf::from(std::ffi::OsString::from(RawText::of_column(column)))
}

/// Returns `true` for a text in the form of the kernel's boot ids.
pub(super) fn is_boot_id(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
