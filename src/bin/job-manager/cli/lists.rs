//! Lists of items after the command: `:::`, `:::+`, `::::` and `::::+`, as GNU parallel has them.
//!
//! One list is a source like any other; several are combined, which no other source can join.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use job_manager::source::{Input, InputFile, Separator};
use job_manager::submission::{ListSpec, SourceSpec};

use super::error::CliError;
use super::source_flags::STDIN;

/// What begins a list: whether files are named, and whether it is paired with the list before it.
struct Mark {
    names_files: bool,
    is_paired: bool,
}

impl Mark {
    fn of(word: &OsStr) -> Option<Mark> {
        let (names_files, is_paired) = match word.to_str()? {
            ":::" => (false, false),
            ":::+" => (false, true),
            "::::" => (true, false),
            "::::+" => (true, true),
            _ => return None,
        };
        Some(Mark { names_files, is_paired })
    }
}

/// Splits what stands after `--` into the command and its lists.
pub(super) fn split_command(after: &[OsString], null: bool) -> Result<(&[OsString], Vec<ListSpec>), CliError> {
    // An empty line counts, or what is paired with the lines after it would go with another one.
    let separator = if null { Separator::Nul } else { Separator::EachNewline };
    let end = after.iter().position(|word| Mark::of(word).is_some()).unwrap_or(after.len());
    let (command, mut rest) = after.split_at(end);
    let mut lists = Vec::new();
    while let Some((word, after)) = rest.split_first() {
        let mark = Mark::of(word).expect("what follows a list is a mark");
        let end = after.iter().position(|word| Mark::of(word).is_some()).unwrap_or(after.len());
        let (words, remaining) = after.split_at(end);
        rest = remaining;
        if mark.is_paired && lists.is_empty() {
            return Err(CliError::NothingToPair { mark: word.to_string_lossy().into_owned() });
        }
        let list = |source| ListSpec { source, is_paired: mark.is_paired };
        if !mark.names_files {
            lists.push(list(SourceSpec::Arguments(words.to_vec())));
            continue;
        }
        if words.is_empty() {
            return Err(CliError::NoListFile { mark: word.to_string_lossy().into_owned() });
        }
        let lines = |file| SourceSpec::Lines { input: input(Path::new(file)), separator };
        lists.extend(words.iter().map(|file| list(lines(file))));
    }
    Ok((command, lists))
}

/// Returns the lists as one source.
pub(super) fn source_of(mut lists: Vec<ListSpec>) -> Option<SourceSpec> {
    if lists.len() > 1 { Some(SourceSpec::Product(lists)) } else { lists.pop().map(|list| list.source) }
}

/// Returns the text at a path, or standard input.
pub(super) fn input(path: &Path) -> Input {
    if path.as_os_str() == STDIN { Input::Stdin } else { Input::File(InputFile::at(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &[&str]) -> Result<(Vec<OsString>, Vec<ListSpec>), String> {
        let words: Vec<OsString> = line.iter().map(OsString::from).collect();
        let split = split_command(&words, false).map_err(|error| error.to_string());
        split.map(|(command, lists)| (command.to_vec(), lists))
    }

    fn words(words: &[&str], is_paired: bool) -> ListSpec {
        ListSpec { source: SourceSpec::Arguments(words.iter().map(OsString::from).collect()), is_paired }
    }

    fn file(path: &str, is_paired: bool) -> ListSpec {
        let separator = Separator::EachNewline;
        ListSpec { source: SourceSpec::Lines { input: input(Path::new(path)), separator }, is_paired }
    }

    #[test]
    fn a_command_ends_where_its_lists_begin() {
        let (command, lists) =
            split(&["rm", "{}", ":::", "a", "b", ":::+", "1", "::::", "f", "-", "::::+", "g"]).unwrap();

        assert_eq!(command, ["rm", "{}"]);
        assert_eq!(
            lists,
            [words(&["a", "b"], false), words(&["1"], true), file("f", false), file("-", false), file("g", true)]
        );
    }

    #[test]
    fn only_whole_words_are_marks() {
        let (command, lists) = split(&["echo", ":::x", "a:::", "::", ":::::", ":::", ""]).unwrap();

        assert_eq!(command, ["echo", ":::x", "a:::", "::", ":::::"]);
        assert_eq!(lists, [words(&[""], false)]);
    }

    #[test]
    fn a_list_without_words_is_an_empty_list() {
        assert_eq!(split(&["echo", ":::"]).unwrap().1, [words(&[], false)]);
        assert_eq!(split(&["echo", ":::", "a", ":::"]).unwrap().1, [words(&["a"], false), words(&[], false)]);
    }

    #[test]
    fn what_pairs_with_nothing_and_a_file_without_a_name_are_refused() {
        assert_eq!(
            split(&["echo", "{}", ":::+", "a"]).unwrap_err(),
            "`:::+` pairs a list with the one before it, there is none"
        );
        assert!(split(&["echo", "{}", "::::+", "f"]).is_err());
        assert_eq!(split(&["echo", "::::"]).unwrap_err(), "`::::` takes files of items, name one after it");
        assert!(split(&["echo", ":::", "a", "::::+", ":::", "b"]).is_err());
    }

    #[test]
    fn one_list_is_a_plain_source_and_several_are_a_product() {
        let list = [words(&["a"], false)];
        let several = [file("-", false), words(&["a"], true)];

        assert_eq!(source_of(vec![]), None);
        assert_eq!(source_of(list.to_vec()), Some(SourceSpec::Arguments(vec!["a".into()])));
        assert_eq!(source_of(several.to_vec()), Some(SourceSpec::Product(several.to_vec())));
        let (_, ended_by_nul) = split_command(&["::::".into(), "-".into()], true).unwrap();
        assert_eq!(ended_by_nul[0].source, SourceSpec::Lines { input: Input::Stdin, separator: Separator::Nul });
    }
}
