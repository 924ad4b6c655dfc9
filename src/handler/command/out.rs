//! What an attempt makes under another name, `{out}`, and gets its own name only when it is whole.
//!
//! The command writes beside the path that its unit makes. When the attempt has ended well and was found right, all of that
//! is made durable, then renamed, then the directory is made durable, and only then its end is recorded: the path is absent
//! or whole at any moment, also after a power cut. Whatever is there before that name is given belongs to somebody else: it
//! is replaced only where it was there already when a later attempt began, because an earlier one may have made it and died
//! before its end was recorded.
//!
//! What the name begins with tells which attempt it is of, so that what is left can be removed without a doubt.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::files::if_there;
use crate::handler::Attempt;
use crate::model::UnitId;
use crate::model::text::whole_characters;
use crate::sys::opening;

/// Bytes of a file's name that every file system takes.
const NAME_BYTES: usize = 255;
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
    let room = NAME_BYTES.saturating_sub(begin.len() + ending.len());
    let stem = if stem.len() > room { &stem[..whole_characters(&stem[..room])] } else { stem };
    OsString::from_vec([begin.as_bytes(), stem, &ending].concat())
}

/// Gives what was made at `out` the name `path`, durably; with `replace` in place of what is there.
pub(super) fn publish(out: &Path, path: &Path, replace: bool, aside: impl FnOnce() -> PathBuf) -> Result<(), OutError> {
    let io = |doing: &'static str, of: &Path| {
        let of = of.to_owned();
        move |source: io::Error| OutError::Io { doing, of, source }
    };
    let made = fs::symlink_metadata(out).map_err(io("look at", out))?;
    if !(made.is_file() || made.is_dir()) {
        return Err(OutError::Neither(out.to_owned()));
    }
    make_durable(out).map_err(io("make durable", out))?;
    let is_there = if_there(fs::symlink_metadata(path)).map_err(io("look at", path))?;
    match is_there.filter(|_| replace) {
        // A directory takes the place of an empty one only; what it holds is nobody's to delete.
        Some(there) if there.is_dir() => {
            if fs::remove_dir(path).is_err() {
                fs::rename(path, aside()).map_err(io("rename", path))?;
            }
            rename_to_new(out, path)?;
        }
        Some(_) if made.is_dir() => return Err(OutError::Taken(path.to_owned())),
        Some(_) => fs::rename(out, path).map_err(io("rename", out))?,
        None => rename_to_new(out, path)?,
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(dir).map_err(io("make durable", dir))
}

/// Removes what an attempt left under the name that is its own; returns whether there was anything.
pub(super) fn discard(out: &Path) -> io::Result<bool> {
    let Some(left) = if_there(fs::symlink_metadata(out))? else { return Ok(false) };
    // Links in it are removed, not followed.
    let removed = if left.is_dir() { fs::remove_dir_all(out) } else { fs::remove_file(out) };
    if_there(removed).map(|_| true)
}

/// Renames to a name that nobody has.
fn rename_to_new(out: &Path, path: &Path) -> Result<(), OutError> {
    let refused = |source: io::Error| OutError::Io { doing: "rename", of: out.to_owned(), source };
    match renameat_with(CWD, out, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST | Errno::NOTEMPTY) => Err(OutError::Taken(path.to_owned())),
        // Some file systems cannot: a second name is refused where there is one already.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => match fs::hard_link(out, path) {
            Ok(()) => fs::remove_file(out).map_err(refused),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OutError::Taken(path.to_owned())),
            Err(_) if fs::symlink_metadata(path).is_ok() => Err(OutError::Taken(path.to_owned())),
            Err(_) => fs::rename(out, path).map_err(refused),
        },
        Err(error) => Err(refused(error.into())),
    }
}

/// Syncs a file, or a directory with all that is in it.
fn make_durable(path: &Path) -> io::Result<()> {
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let kind = fs::symlink_metadata(&path)?;
        if kind.is_dir() {
            let _opening = opening();
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
        if kind.is_dir() || kind.is_file() {
            sync(&path)?;
        }
    }
    Ok(())
}

fn sync(path: &Path) -> io::Result<()> {
    let file = {
        // No longer than that: other units start meanwhile.
        let _opening = opening();
        File::open(path)?
    };
    file.sync_all()
}

/// Why what an attempt made did not get its name.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutError {
    #[error("cannot {doing} {}: {source}", of.display())]
    Io { doing: &'static str, of: PathBuf, source: io::Error },
    #[error("it made neither a file nor a directory at {}", .0.display())]
    Neither(PathBuf),
    /// It is whole, and there is still a mark or a note that says otherwise.
    #[error("cannot say that what it made is whole: {0}")]
    Unsettled(#[from] io::Error),
    /// Another attempt would find it too, and would take it for its own.
    #[error("{} was made by somebody else meanwhile, and is not replaced", .0.display())]
    Taken(PathBuf),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, Seq};

    fn name(name: &str, number: Option<u32>) -> String {
        let uid = "01a21b3d-f4e2-7684-8896-ffb9e30f48e3";
        name_of(OsStr::new(name), uid, UnitId::new(JobId(1), Seq(17)), number).into_string().unwrap()
    }

    #[test]
    fn the_name_tells_the_attempt_keeps_the_extension_and_fits() {
        assert_eq!(name("a b.mp4", Some(2)), ".jm-01a21b3df4e2-17-2-a b.mp4");
        assert_eq!(name("plain", None), ".jm-01a21b3df4e2-17-plain");
        let long = name(&format!("{}.mp4", "€".repeat(83)), Some(1));
        assert!(long.len() <= NAME_BYTES && long.ends_with("€.mp4"), "{long}");
    }

    #[test]
    fn what_somebody_else_made_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (out, path) = (dir.path().join("out"), dir.path().join("path"));
        fs::write(&out, "ours").unwrap();
        fs::write(&path, "theirs").unwrap();

        let refused = publish(&out, &path, false, || unreachable!("nothing is there to be renamed"));

        assert!(matches!(refused, Err(OutError::Taken(_))), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        publish(&out, &path, true, || unreachable!("a file is replaced")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ours");
        assert!(!out.exists());
    }

    #[test]
    fn a_directory_takes_the_place_of_an_empty_one_and_sets_another_aside() {
        let dir = tempfile::tempdir().unwrap();
        let (out, path, aside) = (dir.path().join("out"), dir.path().join("path"), dir.path().join("aside"));
        for round in [0, 1, 2] {
            fs::create_dir(&out).unwrap();
            fs::write(out.join(round.to_string()), "").unwrap();
            if round == 1 {
                fs::remove_file(path.join("0")).unwrap();
            }

            publish(&out, &path, round > 0, || aside.clone()).unwrap();

            assert!(path.join(round.to_string()).exists());
        }
        assert!(aside.join("1").exists());
        fs::create_dir(&out).unwrap();
        fs::write(out.join("x"), "").unwrap();
        assert!(discard(&out).unwrap() && !out.exists() && !discard(&out).unwrap());
    }
}
