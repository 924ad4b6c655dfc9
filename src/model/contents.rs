//! What the units of a job are, in a few bytes: so that the same units can be told from others without a look at the job's rows.

use serde::{Deserialize, Serialize};

use super::NewUnit;

/// The number of some units and a checksum of their payloads and keys, whatever their order.
///
/// The checksum is kept in databases: how it is made must not change. It tells accidents isolation, not forgeries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    units: u64,
    checksum: u64,
}

impl Contents {
    /// Counts one unit in.
    pub fn add(&mut self, unit: &NewUnit) {
        let hash = absorb(SEED, unit.payload.as_bytes());
        let hash = unit.key.as_ref().map_or(hash, |key| absorb(hash, key.as_bytes()));
        self.units += 1;
        // A sum does not depend on the order. It needs hashes whose bits are all mixed.
        self.checksum = self.checksum.wrapping_add(mix(hash));
    }

    /// Counts several units in.
    pub fn add_all(&mut self, units: &[NewUnit]) {
        units.iter().for_each(|unit| self.add(unit));
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Takes bytes into a hash, eight at a time, and their number.
fn absorb(mut hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash ^ u64::from_le_bytes(last)) ^ (bytes.len() as u64).wrapping_mul(SEED)
}

/// Spreads each bit over all others.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(units: &[(&str, Option<&str>)]) -> Contents {
        let mut contents = Contents::default();
        for (payload, key) in units {
            contents.add(&NewUnit { payload: (*payload).to_owned(), key: key.map(str::to_owned), group: None });
        }
        contents
    }

    #[test]
    fn the_same_units_in_another_order_have_the_same_checksum_and_any_others_do_not() {
        let units = [("\"a1\"", None), ("\"b2\"", Some("k")), ("\"a long payload of some bytes\"", None)];
        let mut turned = units;
        turned.reverse();
        let all = of(&units);

        assert_eq!(of(&turned), all);
        for other in [
            &units[..2],
            &[units[0], units[1], units[1]],
            &[("\"a2\"", None), ("\"b1\"", Some("k")), units[2]],
            &[units[0], ("\"b2\"", None), units[2]],
            &[units[0], ("\"b2\"", Some("")), units[2]],
            &[("\"a1\"", Some("k")), ("\"b2\"", None), units[2]],
            &[("\"a1\"\0", None), units[1], units[2]],
        ] {
            assert_ne!(of(other), all, "{other:?}");
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_databases_hold() {
        let contents = serde_json::to_string(&of(&[("\"a1\"", None), ("7", Some("seven and more"))])).unwrap();

        assert_eq!(contents, r#"{"units":2,"checksum":4783312273563720118}"#);
    }
}
