//! What an attempt makes under another name, `{out}`, and gets its own name only when it is whole.
//!
//! The command writes beside the path that its unit makes. When the attempt has ended well and was found right, all of that
//! is made durable, then renamed, then the directory is made durable, and only then its end is recorded: the path is absent
//! or whole at any moment, also after a power cut. Whatever is there before that name is given belongs to somebody else. It
//! is replaced only if it is what an earlier attempt left, which may have died before its end was recorded, and nobody has
//! changed it since.
//!
//! What the name begins with tells which attempt it is of, so that what is left can be removed without a doubt.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::files::if_there;
use crate::sys::opening;

/// Tells what is at a path from all that takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64, i64, i64);

impl Identity {
    /// Identifies what was found at a path.
    pub fn of(found: &Metadata) -> Identity {
        Identity(found.dev(), found.ino(), found.ctime(), found.ctime_nsec())
    }
}

/// Gives what was made at `out` the name `path`, durably; in place of what is there only if that is what `former` identifies.
pub(super) fn publish(
    out: &Path,
    path: &Path,
    former: Option<Identity>,
    aside: impl FnOnce() -> PathBuf,
) -> Result<(), OutError> {
    let io = |doing: &'static str| {
        let path = path.to_owned();
        move |source: io::Error| OutError::Io { doing, path, source }
    };
    let made = fs::symlink_metadata(out).map_err(io("look at what is to become"))?;
    if !(made.is_file() || made.is_dir()) {
        return Err(OutError::Neither(path.to_owned()));
    }
    make_durable(out).map_err(io("make durable what is to become"))?;
    let is_there = if_there(fs::symlink_metadata(path)).map_err(io("look at"))?;
    match is_there.filter(|there| former == Some(Identity::of(there))) {
        // A directory takes the place of an empty one only; what it holds is nobody's to delete.
        Some(there) if there.is_dir() => {
            if fs::remove_dir(path).is_err() {
                fs::rename(path, aside()).map_err(io("rename"))?;
            }
            rename_to_new(out, path)?;
        }
        Some(_) if made.is_dir() => return Err(OutError::Taken(path.to_owned())),
        Some(_) => fs::rename(out, path).map_err(io("give its name to"))?,
        None => rename_to_new(out, path)?,
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync(dir).map_err(io("make durable the directory of"))
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
    let refused = |source: io::Error| OutError::Io { doing: "give its name to", path: path.to_owned(), source };
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
    #[error("cannot {doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("it made neither a file nor a directory at {{out}}, which was to become {}", .0.display())]
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

    fn at(path: &Path) -> Option<Identity> {
        fs::symlink_metadata(path).ok().map(|found| Identity::of(&found))
    }

    #[test]
    fn what_somebody_else_made_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (out, path) = (dir.path().join("out"), dir.path().join("path"));
        fs::write(&out, "ours").unwrap();
        fs::write(&path, "theirs").unwrap();

        let was_there = at(&path);
        fs::remove_file(&path).unwrap();
        fs::write(dir.path().join("other"), "").unwrap();
        fs::write(&path, "theirs").unwrap();
        for former in [None, was_there] {
            let refused = publish(&out, &path, former, || unreachable!("nothing is there to be renamed"));
            assert!(matches!(refused, Err(OutError::Taken(_))), "{refused:?}");
            assert_eq!(fs::read(&path).unwrap(), b"theirs");
        }

        publish(&out, &path, at(&path), || unreachable!("a file is replaced")).unwrap();
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

            publish(&out, &path, at(&path), || aside.clone()).unwrap();

            assert!(path.join(round.to_string()).exists());
        }
        assert!(aside.join("1").exists());
        fs::create_dir(&out).unwrap();
        fs::write(out.join("x"), "").unwrap();
        assert!(discard(&out).unwrap() && !out.exists() && !discard(&out).unwrap());
    }
}
