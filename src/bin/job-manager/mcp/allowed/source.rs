//! Sources of items that lie inside of what may be used.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use job_manager::model::RawText;
use job_manager::source::{Input, InputFile, Item, SourceError};
use job_manager::submission::{OpenSources, SourceSpec};

use super::directories::Directories;
use super::{Allowed, Refused};

/// What makes a name of a path a pattern.
const MARKS: [char; 5] = ['*', '?', '[', '{', '\\'];

impl Allowed {
    /// Has a source read where its path leads.
    ///
    /// # Errors
    /// When that is outside.
    pub(in crate::mcp) fn expect_source(&self, source: &mut SourceSpec, cwd: &Path) -> Result<(), Refused> {
        match source {
            SourceSpec::Lines { input, .. } => self.expect_input("lines_file", input),
            SourceSpec::Csv { input, .. } => self.expect_input("csv_file", input),
            SourceSpec::Jsonl { input } => self.expect_input("jsonl_file", input),
            SourceSpec::Json { input, .. } => self.expect_input("json_file", input),
            SourceSpec::Commands { input, .. } => self.expect_input("commands", input),
            SourceSpec::Sql { database, .. } => self.expect_file("sql_database", database),
            SourceSpec::Glob { patterns, .. } => {
                patterns.iter().try_for_each(|pattern| self.expect_pattern(&pattern.to_string_lossy(), cwd))
            }
            SourceSpec::Arguments(_) | SourceSpec::Range(_) | SourceSpec::Product(_) => Ok(()),
        }
    }

    fn expect_input(&self, parameter: &'static str, input: &mut Input) -> Result<(), Refused> {
        match input {
            Input::File(file) => self.expect_file(parameter, file),
            Input::Stdin | Input::Text { .. } => Ok(()),
        }
    }

    fn expect_file(&self, parameter: &'static str, file: &mut InputFile) -> Result<(), Refused> {
        file.path = self.directories.expect(parameter, &file.path)?;
        Ok(())
    }

    /// Refuses a pattern that begins outside, or can lead there by its own text; links are looked at where it finds some.
    fn expect_pattern(&self, pattern: &str, cwd: &Path) -> Result<(), Refused> {
        let refused = |why| Refused::Pattern { pattern: pattern.to_owned(), why };
        let plain = pattern.find(MARKS).map_or(pattern, |mark| {
            let begin = &pattern[..mark];
            begin.rfind('/').map_or("", |slash| &pattern[..=slash])
        });
        let rest = &pattern[plain.len()..];
        if rest.replace('\\', "").contains("..") {
            return Err(refused("it has .. after its first wildcard"));
        }
        if has_slash_in_braces(rest) {
            return Err(refused("it has / inside braces, give one pattern for each"));
        }
        self.directories.expect("glob", &cwd.join(plain)).map(drop)
    }

    /// Has each file that a pattern finds judged where it leads.
    pub(in crate::mcp) fn watch_found(&self, sources: OpenSources) -> OpenSources {
        let mut found = Found { directories: Arc::new(self.directories.clone()), inside: None };
        let items = sources.items.map(move |item| item.and_then(|item| found.judge(item)));
        OpenSources { items: Box::new(items), ..sources }
    }

    /// Returns what says whether a path is inside, for as long as it is needed.
    pub(in crate::mcp) fn judge_of_paths(&self) -> impl Fn(&Path) -> bool + use<> {
        let directories = self.directories.clone();
        move |path| directories.hold(path)
    }

    /// Returns where a path leads, unless that is outside.
    pub(in crate::mcp) fn expect_path(&self, parameter: &'static str, path: &Path) -> Result<PathBuf, Refused> {
        self.directories.expect(parameter, path)
    }
}

/// What is known of the files that a pattern found.
struct Found {
    directories: Arc<Directories>,
    /// The latest directory that is inside: one that is followed by its files is resolved once.
    inside: Option<PathBuf>,
}

impl Found {
    fn judge(&mut self, item: Item) -> Result<Item, SourceError> {
        let Ok(path) = serde_json::from_str::<RawText>(&item.payload).map(|path| PathBuf::from(path.as_os_str()))
        else {
            return Err(SourceError::Outside { path: item.place.to_string().into() });
        };
        let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
        let dir = path.parent().unwrap_or(Path::new("/"));
        let is_inside = match &self.inside {
            Some(inside) if inside == dir && !is_link => true,
            _ if is_link => self.directories.hold(&path),
            _ => {
                let is_inside = self.directories.hold(dir);
                self.inside = is_inside.then(|| dir.to_owned());
                is_inside
            }
        };
        if is_inside { Ok(item) } else { Err(SourceError::Outside { path }) }
    }
}

fn has_slash_in_braces(text: &str) -> bool {
    let mut depth = 0_usize;
    text.chars().any(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == '/' && depth > 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::AllowFlags;

    #[test]
    fn a_pattern_is_kept_inside_by_its_text() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(base.join("in/sub")).unwrap();
        let allowed = Allowed::of(&AllowFlags { dirs: vec![base.join("in")], ..AllowFlags::default() }).unwrap();
        let check = |pattern: &str| allowed.expect_pattern(pattern, &base.join("in"));

        for pattern in
            ["*.txt", "**/a[0-9].txt", "x/y", "{a,b}*.txt", "sub/../*.txt", &format!("{}/in/*", base.display())]
        {
            assert!(check(pattern).is_ok(), "{pattern}");
        }
        for pattern in [
            "/etc/*",
            "../*",
            "*/../../*",
            "{/etc,x}/*",
            "{a,../b}*",
            "/{e,f}*",
            "/**",
            "sub/../../*",
            "\\../x",
            "[.]./../x",
        ] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }
}
