//! Which sources were given, in the order of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgMatches;
use job_manager::source::Range;

use super::source_flags::{STDIN, SourceFlags};

/// One source, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Given {
    /// The word where the source stands without a flag.
    Word(String),
    Lines(PathBuf),
    Commands(PathBuf),
    Csv(PathBuf),
    Jsonl(PathBuf),
    Json(PathBuf),
    /// Patterns that stand side by side, so that a file that matches several of them is one unit.
    Globs(Vec<OsString>),
    Sql {
        db: PathBuf,
        query: OsString,
    },
    Range(Range),
}

impl Given {
    pub fn is_stdin(&self) -> bool {
        match self {
            Self::Word(word) => word == STDIN,
            Self::Lines(path) | Self::Commands(path) | Self::Csv(path) | Self::Jsonl(path) | Self::Json(path) => {
                path.as_os_str() == STDIN
            }
            Self::Globs(_) | Self::Sql { .. } | Self::Range(_) => false,
        }
    }
}

/// Returns the sources in the order in which they were given, which `matches` knows.
pub(super) fn given_in_order(flags: &SourceFlags, matches: &ArgMatches) -> Vec<Given> {
    // Each value has a position of its own; of the two of a query the first one is enough.
    let positions = |id: &str| positions_of(matches, id);
    let files = |id: &str, files: &[PathBuf], given: fn(PathBuf) -> Given| {
        positions(id).zip(files.iter().cloned().map(given)).collect::<Vec<_>>()
    };
    let mut placed = files("lines", &flags.lines, Given::Lines);
    placed.extend(files("commands", &flags.commands, Given::Commands));
    placed.extend(files("csv", &flags.csv, Given::Csv));
    placed.extend(files("jsonl", &flags.jsonl, Given::Jsonl));
    placed.extend(positions("source").zip(flags.source.iter().cloned().map(Given::Word)));
    placed.extend(positions("json").zip(&flags.json).filter_map(|(at, file)| Some((at, json(flags, file)?))));
    placed.extend(positions("glob").zip(flags.glob.iter().map(|pattern| Given::Globs(vec![pattern.clone()]))));
    placed.extend(positions("range").zip(flags.range.iter().copied().map(Given::Range)));
    placed.extend(positions("sql").step_by(2).zip(flags.sql.chunks_exact(2).map(sql)));
    // Without a number, `--dry-run` took the word after it, which was meant to stand for itself.
    let dry_run = matches.try_get_raw("dry_run").ok().flatten().into_iter().flatten();
    placed.extend(
        positions_of(matches, "dry_run")
            .zip(dry_run)
            .filter(|(_, word)| *word == STDIN)
            .map(|(at, _)| (at, Given::Word(STDIN.to_owned()))),
    );
    placed.sort_by_key(|(position, _)| *position);
    let mut joined: Vec<Given> = Vec::new();
    for (_, given) in placed {
        match (joined.last_mut(), given) {
            (Some(Given::Globs(before)), Given::Globs(patterns)) => before.extend(patterns),
            (_, given) => joined.push(given),
        }
    }
    joined
}

/// Returns the places of an option's values; none where the verb does not have it.
fn positions_of<'m>(matches: &'m ArgMatches, id: &str) -> impl Iterator<Item = usize> + use<'m> {
    let known = matches.try_contains_id(id).is_ok();
    known.then(|| matches.indices_of(id)).flatten().into_iter().flatten()
}

fn json(flags: &SourceFlags, file: &str) -> Option<Given> {
    if flags.is_json_file(file) {
        Some(Given::Json(file.into()))
    } else {
        // The flag took the word after it, which was meant to stand for itself.
        (file == STDIN).then(|| Given::Word(file.to_owned()))
    }
}

fn sql(values: &[OsString]) -> Given {
    Given::Sql { db: values[0].clone().into(), query: values[1].clone() }
}

#[cfg(test)]
mod tests {
    use clap::{ArgMatches, Command, FromArgMatches};

    use super::super::verbs::Cli;
    use super::*;

    fn matches(line: &[&str]) -> ArgMatches {
        let command: Command = <Cli as clap::CommandFactory>::command();
        let line = ["job-manager", "submit"].iter().chain(line).chain(&["--", "true"]);
        command.try_get_matches_from(line).unwrap()
    }

    fn given(line: &[&str]) -> Vec<Given> {
        let matches = matches(line);
        let matches = matches.subcommand().unwrap().1;
        given_in_order(&SourceFlags::from_arg_matches(matches).unwrap(), matches)
    }

    fn wants_json(line: &[&str]) -> bool {
        Cli::from_arg_matches(&matches(line)).unwrap().wants_json()
    }

    #[test]
    fn sources_come_in_the_order_in_which_they_were_given() {
        let line = [
            "--range", "1-2", "--lines", "a", "--sql", "d", "q", "-", "--csv", "c", "--lines", "b", "--sql", "e", "r",
            "--jsonl", "f", "--json", "g",
        ];

        assert_eq!(
            given(&line),
            [
                Given::Range("1-2".parse().unwrap()),
                Given::Lines("a".into()),
                Given::Sql { db: "d".into(), query: "q".into() },
                Given::Word("-".to_owned()),
                Given::Csv("c".into()),
                Given::Lines("b".into()),
                Given::Sql { db: "e".into(), query: "r".into() },
                Given::Jsonl("f".into()),
                Given::Json("g".into()),
            ]
        );
    }

    #[test]
    fn patterns_side_by_side_are_one_source() {
        let globs = |patterns: &[&str]| Given::Globs(patterns.iter().map(|pattern| OsString::from(*pattern)).collect());

        assert_eq!(
            given(&["--glob", "a", "--glob", "b", "--lines", "l", "--glob", "c"]),
            [globs(&["a", "b"]), Given::Lines("l".into()), globs(&["c"])]
        );
    }

    #[test]
    fn json_is_a_source_with_a_file_and_an_answer_without_one() {
        let word = Given::Word("-".to_owned());

        for (line, sources, is_wanted) in [
            (&["--json"][..], vec![], true),
            (&["--json", "--lines", "a"], vec![Given::Lines("a".into())], true),
            (&["--json", "a"], vec![Given::Json("a".into())], false),
            (&["--json", "--json", "a", "--path", "x"], vec![Given::Json("a".into())], true),
            (&["--json", "-"], vec![word.clone()], true),
            (&["-", "--json"], vec![word], true),
            (&["--json", "-", "--path", "x"], vec![Given::Json("-".into())], false),
            (&[], vec![], false),
        ] {
            assert_eq!((given(line), wants_json(line)), (sources, is_wanted), "{line:?}");
        }
    }
}
