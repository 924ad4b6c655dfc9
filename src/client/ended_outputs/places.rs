//! Where the output of each unit is, by its number: a sparse file without a name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::files::PrivateDir;
use crate::model::Seq;
use crate::sys::AttemptPlace;

/// Start, epoch, slot, and one more than the offset: zeros are no place.
const PLACE_BYTES: usize = 4 * 8;

pub(super) struct Places(File);

impl Places {
    pub fn create(dir: &Path) -> io::Result<Places> {
        PrivateDir::open(dir)?.nameless_file(&format!("places.{}", std::process::id())).map(Places)
    }

    pub fn put(&self, place: AttemptPlace) -> io::Result<()> {
        let slot = i64::try_from(place.slot).unwrap_or(i64::MAX);
        let offset = i64::try_from(place.offset + 1).unwrap_or(i64::MAX);
        let numbers = [place.started_us, place.epoch, slot, offset];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.0.write_all_at(&bytes, position(Seq(place.seq)))
    }

    pub fn get(&self, seq: Seq) -> io::Result<Option<AttemptPlace>> {
        let mut bytes = [0; PLACE_BYTES];
        match self.0.read_exact_at(&mut bytes, position(seq)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let number = |index: usize| {
            let part = bytes[index * 8..][..8].try_into().expect("a number has eight bytes");
            i64::from_le_bytes(part)
        };
        let [started_us, epoch, slot, offset] = [0, 1, 2, 3].map(number);
        Ok((offset > 0).then(|| AttemptPlace {
            seq: seq.0,
            started_us,
            epoch,
            slot: usize::try_from(slot).unwrap_or(0),
            offset: u64::try_from(offset - 1).unwrap_or(0),
        }))
    }
}

fn position(seq: Seq) -> u64 {
    u64::try_from(seq.0).unwrap_or(0) * PLACE_BYTES as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_of_a_unit_is_found_again_and_others_have_none() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::create(dir.path()).unwrap();
        let place = |seq, offset| AttemptPlace { seq, started_us: -5, epoch: 2, slot: 1, offset };

        places.put(place(7, 0)).unwrap();
        places.put(place(9, 3)).unwrap();
        places.put(place(9, 4)).unwrap();

        assert_eq!(places.get(Seq(7)).unwrap(), Some(place(7, 0)));
        assert_eq!(places.get(Seq(9)).unwrap(), Some(place(9, 4)));
        assert_eq!(places.get(Seq(8)).unwrap(), None);
        assert_eq!(places.get(Seq(1_000_000)).unwrap(), None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
