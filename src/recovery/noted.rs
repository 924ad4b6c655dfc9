//! What the note of a slot says: one word that tells which attempt was under way.

use crate::model::{Seq, Unit};

/// Packs which attempt a slot runs into one word: the unit's number, then the last bits of its revision, of how often a
/// manager died while it ran, and of the attempt's number. Never 0, because sequence numbers start at 1.
///
/// With a death that was counted the row does not fit its note any more: a recovery that was cut off counts none twice.
pub fn note(unit: &Unit, attempt: u32) -> u64 {
    let seq = u64::try_from(unit.id.seq().0).expect("sequence numbers are positive");
    let last_bits = |number: u64, bits: u32| number & ((1 << bits) - 1);
    let (revision, crashes) = (last_bits(unit.revision.cast_unsigned(), 16), last_bits(unit.crashes.into(), 4));
    (seq << 32) | (revision << 16) | (crashes << 12) | last_bits(attempt.into(), 12)
}

/// Returns the unit that a note is about.
pub(super) fn noted_seq(noted: u64) -> Option<Seq> {
    (noted != 0).then(|| Seq(i64::try_from(noted >> 32).expect("the upper half of a word fits")))
}
