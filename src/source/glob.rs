//! Files that match patterns.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use walkdir::{DirEntry, WalkDir};

use super::item::{json_text, until_error};
use super::{Item, Items, Place, SourceError};

/// What a glob leaves out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobOptions {
    /// Patterns of files that are left out.
    pub exclude: Vec<String>,
    /// Whether names that begin with a dot match although the pattern does not say so.
    pub hidden: bool,
}

/// Returns the files that match any of the patterns, each once, in the order of the patterns and then of their names.
///
/// `*` does not match a slash, `**` matches any number of directories, `{a,b}` either. Paths are given as the pattern
/// begins: relative ones stay relative. Links to files count as files; links to directories are not followed.
pub fn glob(patterns: &[String], options: GlobOptions) -> Result<Items, SourceError> {
    let exclude = exclusions(&options.exclude)?;
    let walks = patterns.iter().map(|pattern| Walk::new(pattern, &options)).collect::<Result<Vec<_>, _>>()?;
    let several = walks.len() > 1;
    let mut seen = HashSet::new();
    let found = walks.into_iter().flat_map(Walk::files);
    Ok(until_error(found.filter_map(move |found| {
        let path = match found {
            Ok(path) => path,
            Err(error) => return Some(Err(error)),
        };
        if exclude.is_match(&path) || (several && !seen.insert(path.clone())) {
            return None;
        }
        Some(match path.to_str() {
            Some(text) => Ok(Item { payload: json_text(text), place: Place::File(text.to_owned()) }),
            None => Err(SourceError::FileName { path }),
        })
    })))
}

/// Returns a pattern that means below `dir` what `pattern` means in the working directory; an absolute one stays.
#[cfg(feature = "mcp")]
pub fn pattern_below(dir: &str, pattern: &str) -> String {
    let dir = globset::escape(dir);
    Path::new(&dir).join(pattern).to_string_lossy().into_owned()
}

/// One pattern and the directory below which all its files lie.
struct Walk {
    root: PathBuf,
    /// Whether the walk starts in the working directory, which the pattern does not name.
    implied_root: bool,
    matcher: GlobMatcher,
    hidden: bool,
}

impl Walk {
    fn new(pattern: &str, options: &GlobOptions) -> Result<Walk, SourceError> {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|source| SourceError::Pattern { pattern: pattern.to_owned(), source })?;
        let literal = literal_prefix(pattern);
        // A pattern that names hidden files asks for them; globset itself does not tell them apart.
        let hidden = options.hidden || Path::new(pattern).strip_prefix(&literal).is_ok_and(names_hidden);
        let implied_root = literal.as_os_str().is_empty();
        let root = if implied_root { PathBuf::from(".") } else { literal };
        Ok(Walk { root, implied_root, matcher: glob.compile_matcher(), hidden })
    }

    fn files(self) -> impl Iterator<Item = Result<PathBuf, SourceError>> + Send {
        let Walk { root, implied_root, matcher, hidden } = self;
        let missing = !root.exists();
        let entries = WalkDir::new(&root).sort_by_file_name().into_iter();
        let entries = entries.filter_entry(move |entry| hidden || entry.depth() == 0 || !is_hidden(entry));
        entries.take_while(move |_| !missing).filter_map(move |entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(source) => {
                    let path = source.path().map_or_else(|| root.clone(), Path::to_owned);
                    return Some(Err(SourceError::Walk { path, source }));
                }
            };
            let path = if implied_root { entry.path().strip_prefix(".").ok()? } else { entry.path() };
            (matcher.is_match(path) && is_file(&entry)).then(|| Ok(path.to_owned()))
        })
    }
}

fn exclusions(patterns: &[String]) -> Result<GlobSet, SourceError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let malformed = |source| SourceError::Pattern { pattern: pattern.clone(), source };
        set.add(GlobBuilder::new(pattern).literal_separator(true).build().map_err(malformed)?);
    }
    let name = patterns.join(" ");
    set.build().map_err(|source| SourceError::Pattern { pattern: name, source })
}

/// Returns the path up to the first component that is a pattern.
fn literal_prefix(pattern: &str) -> PathBuf {
    let is_literal =
        |component: &Component<'_>| !component.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']);
    Path::new(pattern).components().take_while(is_literal).collect()
}

fn names_hidden(pattern: &Path) -> bool {
    pattern.components().any(|component| match component {
        Component::Normal(name) => name.to_string_lossy().starts_with('.'),
        _ => false,
    })
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_file() || (entry.path_is_symlink() && entry.path().is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in ["a.txt", "b.md", "sub/c.txt", "sub/deep/d.txt", ".hidden.txt", "sub/.git/e.txt", "odd [1].txt"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        dir
    }

    fn found(dir: &Path, patterns: &[&str], options: GlobOptions) -> Vec<String> {
        let patterns: Vec<String> = patterns.iter().map(|pattern| format!("{}/{pattern}", dir.display())).collect();
        let prefix = format!("{}/", dir.display());
        glob(&patterns, options)
            .unwrap()
            .map(|item| serde_json::from_str::<String>(&item.unwrap().payload).unwrap())
            .map(|path| path.strip_prefix(&prefix).unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_star_stays_in_its_directory_and_two_go_below() {
        let dir = tree();

        assert_eq!(found(dir.path(), &["*.txt"], GlobOptions::default()), ["a.txt", "odd [1].txt"]);
        assert_eq!(
            found(dir.path(), &["**/*.txt"], GlobOptions::default()),
            ["a.txt", "odd [1].txt", "sub/c.txt", "sub/deep/d.txt"]
        );
    }

    #[test]
    fn braces_exclusions_and_several_patterns_name_each_file_once() {
        let dir = tree();
        let exclude = vec![format!("{}/sub/**", dir.path().display())];

        let files = found(dir.path(), &["{a,c}.*", "*.{txt,md}", "sub/*"], GlobOptions { exclude, hidden: false });

        assert_eq!(files, ["a.txt", "b.md", "odd [1].txt"]);
    }

    #[test]
    fn hidden_files_are_found_when_asked_for() {
        let dir = tree();

        assert_eq!(found(dir.path(), &[".*.txt"], GlobOptions::default()), [".hidden.txt"]);
        let all = found(dir.path(), &["**/*.txt"], GlobOptions { hidden: true, ..GlobOptions::default() });
        assert!(all.contains(&"sub/.git/e.txt".to_owned()) && all.contains(&".hidden.txt".to_owned()));
    }

    #[test]
    fn a_plain_name_is_itself_and_a_missing_directory_has_no_files() {
        let dir = tree();

        assert_eq!(found(dir.path(), &["sub/c.txt", "nowhere/*.txt"], GlobOptions::default()), ["sub/c.txt"]);
    }

    #[test]
    fn a_name_that_is_not_text_is_refused_by_name() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"bad\xff")), "").unwrap();

        let pattern = format!("{}/*", dir.path().display());
        let error = glob(&[pattern], GlobOptions::default()).unwrap().next().unwrap().unwrap_err();

        assert!(error.to_string().contains("not valid UTF-8"), "{error}");
    }
}
