//! The page about the command line, and the examples in the help, against the command line itself.

use std::collections::BTreeSet;

use clap::{Arg, Command, Parser};

use super::verbs::Cli;

const PAGE: &str = include_str!("../../../../docs/command-line.md");

fn command() -> Command {
    let mut command = super::command::command();
    command.build();
    command
}

fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set())
}

/// Returns the rows of the table in a section of the page, split into cells.
fn rows(section: &str) -> Vec<Vec<&'static str>> {
    let heading = format!("\n## {section}\n");
    let (_, after) = PAGE.split_once(&heading).unwrap_or_else(|| panic!("the page has no section {section}"));
    let table = after.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with('|')).skip(2);
    table.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// Returns the first words of what stands between backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(|code| code.split(' ').next().unwrap().to_owned()).collect()
}

/// A flag as the page writes it: the short form first.
fn spelling(flag: &Arg) -> String {
    let short = flag.get_short().map(|short| format!("-{short}"));
    let long = flag.get_long().map(|long| format!("--{long}"));
    short.into_iter().chain(long).collect::<Vec<_>>().join(", ")
}

#[test]
fn the_page_names_every_verb_and_no_other() {
    let documented: BTreeSet<Vec<String>> = rows("Verbs").iter().map(|row| names(row[0])).collect();
    let real: BTreeSet<Vec<String>> = verbs(&command())
        .map(|verb| [verb.get_name()].into_iter().chain(verb.get_all_aliases()).map(str::to_owned).collect())
        .collect();

    assert_eq!(documented, real);
}

#[test]
fn the_page_names_every_flag_of_every_verb_once_and_no_other() {
    let command = command();
    let all: Vec<&str> = verbs(&command).map(Command::get_name).collect();
    let mut documented = BTreeSet::new();
    for row in rows("Flags") {
        let flag = names(row[0]).join(", ");
        let verbs = if row[1] == "all" { all.clone() } else { row[1].split(", ").collect() };
        for verb in verbs {
            assert!(documented.insert(format!("{verb} {flag}")), "{verb} {flag} is there twice");
        }
        assert!(row[2].ends_with(['.', '…']), "{flag} is not explained");
    }
    let mut real = BTreeSet::new();
    for verb in verbs(&command) {
        let flags = verb.get_arguments().filter(|argument| !argument.is_positional() && !argument.is_hide_set());
        real.extend(flags.map(|flag| format!("{} {}", verb.get_name(), spelling(flag))));
    }

    let missing: Vec<&String> = real.difference(&documented).collect();
    let invented: Vec<&String> = documented.difference(&real).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not on the page: {missing:?}; only there: {invented:?}");
}

#[test]
fn the_help_of_every_verb_ends_with_an_example_that_can_be_typed() {
    for verb in verbs(&command()) {
        let name = verb.get_name();
        let help = verb.clone().render_long_help().to_string();
        let (_, example) = help.split_once("\nExample:\n  ").unwrap_or_else(|| panic!("{name} has no example"));
        let example = example.trim_end();
        assert!(!example.contains('\n'), "{name} has more than one example");
        let typed = example.rsplit("| ").next().unwrap().split(" > ").next().unwrap();

        let words = words(typed);
        let parsed = Cli::try_parse_from(&words);

        assert_eq!(words[..2], ["job-manager", name]);
        assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
    }
}

/// Splits a line as a shell does, as far as the examples need it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (index, piece) in part.split(' ').enumerate() {
            if index > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(piece);
        }
    }
    words
}
