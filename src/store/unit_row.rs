//! What is read of a unit that may run.

use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::columns::{Checked, TextColumn, counter, text_of};
use crate::model::{Postponed, Row, Unit, UnitId, Unreadable};

pub(super) type UnitColumns = (BigInt, Nullable<Text>, Text, BigInt, BigInt, BigInt);
pub(super) type UnitRow = (i64, TextColumn, Checked<String>, i64, i64, i64);
pub(super) type DueColumns = (UnitColumns, Nullable<Text>, Bool, Bool);
/// A unit that came back, with what its handler kept, whether it was postponed before, and whether it was chosen to be among the
/// first and comes for its first attempt.
pub(super) type DueRow = (UnitRow, TextColumn, bool, bool);

/// Returns a unit; texts that cannot be read are its own matter, a counter that cannot be counted on from is everybody's.
pub(super) fn unit((id, key, payload, attempts, crashes, revision): UnitRow) -> Result<Unit, Unreadable> {
    let id = UnitId::from_raw(id);
    let place = Row::Unit(id);
    let (key, payload) = (text_of(key, place, "key"), payload.of(place, "payload"));
    let unreadable = key.as_ref().err().or(payload.as_ref().err()).map(ToString::to_string);
    Ok(Unit {
        id,
        key: key.unwrap_or_default(),
        payload: payload.unwrap_or_else(|_| Unit::UNKNOWN_PAYLOAD.to_owned()),
        attempts: counter(attempts, place, "attempts")?,
        crashes: counter(crashes, place, "crashes")?,
        revision,
        checkpoint: None,
        came_back: false,
        postponed: Postponed::default(),
        slots: 1,
        lane: None,
        unreadable,
    })
}
