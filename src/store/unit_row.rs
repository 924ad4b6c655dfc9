//! What is read of a unit that may run.

use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, TextColumn};

pub(super) type UnitColumns = (BigInt, Nullable<Text>, Text, BigInt, BigInt, BigInt);
pub(super) type UnitRow = (i64, TextColumn, Checked<String>, i64, i64, i64);
/// A unit that came back, with what its handler kept, and whether it was postponed before.
pub(super) type DueRow = (UnitRow, TextColumn, bool);
