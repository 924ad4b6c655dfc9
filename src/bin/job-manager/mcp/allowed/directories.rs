//! Directories that may be read and written.

use std::env;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use job_manager::model::RawText;

use super::{AllowError, Refused};

/// Directories, as they are without links.
#[derive(Debug, Clone)]
pub(super) struct Directories(Vec<PathBuf>);

impl Directories {
    /// Looks up directories; without any, the working directory, unless it is the root or a home.
    pub fn of(given: &[PathBuf]) -> Result<Directories, AllowError> {
        if !given.is_empty() {
            let found = |path: &PathBuf| {
                let missing = |source| AllowError::Directory { path: path.clone(), source };
                let found = path.canonicalize().map_err(missing)?;
                if found.is_dir() { Ok(found) } else { Err(missing(std::io::ErrorKind::NotADirectory.into())) }
            };
            return Ok(Directories(given.iter().map(found).collect::<Result<_, _>>()?));
        }
        let here = env::current_dir().and_then(|here| here.canonicalize()).ok();
        let home = env::home_dir().and_then(|home| home.canonicalize().ok());
        // A host that has no project starts its servers there.
        let is_too_much = |dir: &PathBuf| dir.parent().is_none() || Some(dir) == home.as_ref();
        Ok(Directories(here.into_iter().filter(|dir| !is_too_much(dir)).collect()))
    }

    /// Lists them.
    pub fn listed(&self) -> Vec<RawText> {
        self.0.iter().map(|dir| RawText::from(dir.as_os_str())).collect()
    }

    /// Returns `true` if a path leads into one of them.
    pub fn hold(&self, path: &Path) -> bool {
        resolved(path).is_some_and(|path| self.0.iter().any(|dir| path.starts_with(dir)))
    }

    /// Returns where a path leads.
    ///
    /// # Errors
    /// When that is in none of them.
    pub fn expect(&self, parameter: &'static str, path: &Path) -> Result<PathBuf, Refused> {
        let inside = resolved(path).filter(|path| self.0.iter().any(|dir| path.starts_with(dir)));
        inside.ok_or_else(|| Refused::Outside {
            parameter,
            path: path.display().to_string(),
            allowed: self.to_string(),
        })
    }
}

impl fmt::Display for Directories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dirs: Vec<String> = self.0.iter().map(|dir| dir.display().to_string()).collect();
        f.write_str(if dirs.is_empty() { "none" } else { "" })?;
        f.write_str(&dirs.join(", "))
    }
}

/// Returns where an absolute path leads: as much of it as there is without links, then names only.
fn resolved(path: &Path) -> Option<PathBuf> {
    if !path.is_absolute() {
        return None;
    }
    let there = path.ancestors().find(|path| path.symlink_metadata().is_ok())?;
    let missing = path.strip_prefix(there).ok()?;
    // What is not there yet may become a link; of names alone none leads elsewhere at present.
    let is_plain = missing.components().all(|part| matches!(part, Component::Normal(_)));
    // A link that leads nowhere is there, and cannot be resolved.
    let there = there.canonicalize().ok().filter(|_| is_plain)?;
    // Joined with nothing it would end with a slash, which only a directory may.
    Some(if missing.as_os_str().is_empty() { there } else { there.join(missing) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_is_inside_where_it_leads_inside() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        for name in ["in/sub", "out"] {
            std::fs::create_dir_all(base.join(name)).unwrap();
        }
        symlink("../out", base.join("in/link")).unwrap();
        symlink("sub", base.join("in/own")).unwrap();
        symlink("/nowhere/at/all", base.join("in/dangling")).unwrap();
        let allowed = Directories::of(&[base.join("in")]).unwrap();

        for path in ["in", "in/sub", "in/new/file", "in/own/x", "in/sub/../x", "out/../in/x"] {
            assert!(allowed.hold(&base.join(path)), "{path}");
        }
        for path in
            ["out", "in/link", "in/link/x", "in/../out", "in/new/../../out", "in/dangling", "in/dangling/x", "inn"]
        {
            assert!(!allowed.hold(&base.join(path)), "{path}");
        }
        assert!(!allowed.hold(Path::new("in")));
        assert!(Directories::of(&[base.join("none")]).is_err());
    }
}
