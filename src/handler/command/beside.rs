//! Names beside the path that a unit makes: where an attempt makes it, and what says that it is unfinished.
//!
//! Each begins with a point, so that patterns and listings pass it over, and fits where the name of the path does.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::handler::Attempt;
use crate::handler::template::NAME_BYTES;
use crate::model::text::whole_characters;
use crate::model::{UnitId, fnv};

/// Bytes of what may be an extension.
const EXTENSION_BYTES: usize = 64;
/// Digits of a job's uid that tell it from the jobs of other databases.
const UID_DIGITS: usize = 12;

/// Returns the path at which an attempt makes what is to become `path`; with `keep` it is that of the unit's next attempt too.
pub(super) fn out_of(path: &Path, attempt: &Attempt<'_>, keep: bool) -> PathBuf {
    let number = (!keep).then_some(attempt.number);
    path.with_file_name(name_of(path.file_name().unwrap_or_default(), &attempt.job.uid, attempt.unit.id, number))
}

/// Returns the name of what is to become `name`, which keeps its extension: programs choose what they write by it.
fn name_of(name: &OsStr, uid: &str, unit: UnitId, number: Option<u32>) -> OsString {
    let uid: String = uid.chars().filter(char::is_ascii_hexdigit).take(UID_DIGITS).collect();
    let number = number.map_or_else(String::new, |number| format!("-{number}"));
    let begin = format!(".jm-{uid}-{}{number}-", unit.seq());
    let name = Path::new(name);
    let ending = name.extension().filter(|ending| ending.len() <= EXTENSION_BYTES);
    let ending = ending.map_or_else(Vec::new, |ending| [b".", ending.as_bytes()].concat());
    let whole = name.as_os_str().as_bytes();
    let stem = &whole[..whole.len() - ending.len()];
    let stem = cut(stem, NAME_BYTES.saturating_sub(begin.len() + ending.len()));
    OsString::from_vec([begin.as_bytes(), stem, &ending].concat())
}

/// Returns the file beside a path that says that the path is unfinished.
pub(super) fn mark_of(path: &Path) -> Option<PathBuf> {
    beside(path, ".partial")
}

/// Returns a name for an unfinished directory of a unit that no other one has.
pub(super) fn free_name(path: &Path, unit: UnitId) -> Option<PathBuf> {
    let first = format!(".partial-{}-{}", unit.job(), unit.seq());
    let later = (2..).map(|number| format!("{first}-{number}"));
    let mut names = std::iter::once(first.clone()).chain(later).map_while(|ending| beside(path, &ending));
    names.find(|name| fs::symlink_metadata(name).is_err())
}

/// Returns a path whose name is that of another one between a point and an ending. A name that would be too long is cut, and told
/// from others that begin alike by its hash.
fn beside(path: &Path, ending: &str) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    if 1 + name.len() + ending.len() <= NAME_BYTES {
        return Some(path.with_file_name(OsString::from_vec([b".", name, ending.as_bytes()].concat())));
    }
    let ending = format!("-{:016x}{ending}", fnv(name.iter().copied()));
    let begin = cut(name, NAME_BYTES.saturating_sub(1 + ending.len()));
    Some(path.with_file_name(OsString::from_vec([b".", begin, ending.as_bytes()].concat())))
}

/// Cuts a text to so many bytes, between characters.
fn cut(text: &[u8], bytes: usize) -> &[u8] {
    if text.len() > bytes { &text[..whole_characters(&text[..bytes])] } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, Seq};

    fn unit() -> UnitId {
        UnitId::new(JobId(1), Seq(17))
    }

    fn name(name: &str, number: Option<u32>) -> String {
        let uid = "01a21b3d-f4e2-7684-8896-ffb9e30f48e3";
        name_of(OsStr::new(name), uid, unit(), number).into_string().unwrap()
    }

    #[test]
    fn the_name_tells_the_attempt_keeps_the_extension_and_fits() {
        assert_eq!(name("a b.mp4", Some(2)), ".jm-01a21b3df4e2-17-2-a b.mp4");
        assert_eq!(name("plain", None), ".jm-01a21b3df4e2-17-plain");
        let long = name(&format!("{}.mp4", "€".repeat(83)), Some(1));
        assert!(long.len() <= NAME_BYTES && long.ends_with("€.mp4"), "{long}");
    }

    #[test]
    fn every_name_beside_a_path_fits_and_two_paths_have_no_name_in_common() {
        let dir = tempfile::tempdir().unwrap();
        let mark = |name: &str| mark_of(&dir.path().join(name)).unwrap();
        assert_eq!(mark("a.mp4"), dir.path().join(".a.mp4.partial"));
        for length in 240..=NAME_BYTES {
            let [one, other] = ["1", "2"].map(|last| format!("{}{last}", "x".repeat(length - 1)));

            let aside = free_name(&dir.path().join(&one), unit()).unwrap();

            assert_ne!(mark(&one), mark(&other));
            for made in [mark(&one), aside] {
                fs::write(&made, "").unwrap_or_else(|error| panic!("{length}: {error}"));
                fs::remove_file(made).unwrap();
            }
        }
        assert_eq!(mark_of(Path::new("/")), None);
    }
}
