//! The whole command line, with its help arranged: verbs and options in groups, the few options that most people need first.

use clap::{Arg, Command, CommandFactory};

use super::verbs::{Cli, Verb};

/// Verbs whose options are many.
pub(super) const SUBMITTING: [&str; 3] = ["submit", "run", "create"];

/// What groups of their options are about, with an example; an option names the beginning.
const HEADINGS: [&str; 8] = [
    "Sources, e.g. --csv people.csv --limit 10",
    "The job, e.g. -j 8 --name photos",
    "The command and its world, e.g. --shell --cwd work --env MODE=fast",
    "Output and results, e.g. --output full --result json",
    "Failures, e.g. --max-attempts 2 --timeout 10m",
    "Pace and bounds, e.g. --rate 60/min --max-failures 5%",
    "When units start, e.g. --memfree 2G --window 22:00-06:00",
    "Survival, e.g. --escape-ci",
];

/// Options that `-h` shows; `--help` shows all.
const FIRST: [&str; 14] = [
    "lines",
    "csv",
    "glob",
    "workers",
    "name",
    "cwd",
    "env",
    "shell",
    "output",
    "keep-order",
    "tag",
    "timeout",
    "max-attempts",
    "dry-run",
];

/// Options of every verb that `-h` of the verbs with many options omits.
const LATER: [&str; 3] = ["color", "verbose", "quiet"];

/// Returns the command line with its help arranged.
pub(super) fn command() -> Command {
    let mut command = Cli::command();
    for verb in SUBMITTING {
        command = command.mut_subcommand(verb, |verb| verb.mut_args(arranged));
    }
    let groups: String = Verb::GROUPS.iter().map(|(heading, verbs)| group(&command, heading, verbs)).collect();
    command = command.mut_args(|arg| {
        let is_later = arg.get_long().is_some_and(|long| LATER.contains(&long));
        arg.help_heading("Options of every verb").hide_short_help(is_later)
    });
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}Options:\n{{options}}\n\n\
         `job-manager help VERB` explains a verb, `VERB -h` shows the options that most people need;\n\
         `help placeholders` lists what a command may say of its item, `help exit-codes` what they mean."
    ))
}

fn arranged(arg: Arg) -> Arg {
    let Some(long) = arg.get_long() else { return arg.help_heading(None) };
    let is_later = !FIRST.contains(&long);
    let heading = arg.get_help_heading().and_then(|own| HEADINGS.into_iter().find(|heading| heading.starts_with(own)));
    arg.hide_short_help(is_later).help_heading(heading)
}

fn group(command: &Command, heading: &str, verbs: &[&str]) -> String {
    let lines = verbs.iter().filter_map(|name| command.find_subcommand(name.replace('_', "-"))).map(|verb| {
        let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
        let about = about.lines().next().unwrap_or_default().replace(['{', '}'], "");
        format!("  {:<16} {about}\n", verb.get_name())
    });
    format!("{heading}:\n{}\n", lines.collect::<String>())
}

#[cfg(all(test, feature = "mcp", feature = "serve", feature = "top"))]
mod tests {
    use std::collections::BTreeSet;

    use clap::FromArgMatches;

    use super::*;

    #[test]
    fn every_verb_is_in_one_group_of_the_help() {
        let names = Verb::GROUPS.iter().flat_map(|(_, verbs)| verbs.iter());
        let grouped: Vec<String> = names.map(|name| name.replace('_', "-")).collect();
        let command = command();
        let real: BTreeSet<&str> =
            command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name).collect();

        assert_eq!(grouped.iter().map(String::as_str).collect::<BTreeSet<_>>(), real);
        assert_eq!(grouped.len(), real.len(), "a verb is in two groups");
        let help = command.clone().render_help().to_string();
        assert!(help.contains("Steer:\n  stop             Pause a job"), "{help}");
    }

    #[test]
    fn every_option_of_a_submission_is_in_one_group_whose_example_can_be_typed() {
        let command = command();
        for verb in SUBMITTING {
            let options = command.find_subcommand(verb).unwrap().get_arguments();
            let options = options.filter(|arg| !arg.is_hide_set() && arg.get_long().is_some());
            let ungrouped: Vec<_> =
                options.filter(|arg| !HEADINGS.map(Some).contains(&arg.get_help_heading())).collect();

            assert!(ungrouped.is_empty(), "options of {verb} without a group: {ungrouped:?}");
        }
        let options: Vec<_> =
            command.find_subcommand("run").unwrap().get_arguments().filter_map(Arg::get_long).collect();
        assert!(FIRST.iter().all(|first| options.contains(first)));
        for heading in HEADINGS {
            let (_, example) = heading.split_once(", e.g. ").unwrap();
            let line = ["job-manager", "submit"].into_iter().chain(example.split(' ')).chain(["--", "true"]);
            let matches =
                command.clone().try_get_matches_from(line).unwrap_or_else(|error| panic!("{heading}: {error}"));
            assert!(Cli::from_arg_matches(&matches).is_ok(), "{heading}");
        }
    }

    #[test]
    fn the_short_help_of_submit_shows_what_most_people_need_and_the_long_one_all() {
        let mut command = command();
        command.build();
        let verb = command.find_subcommand_mut("submit").unwrap();
        let count = |help: &str| help.lines().filter(|line| line.trim_start().starts_with('-')).count();

        let (short, long) = (verb.render_help().to_string(), verb.render_long_help().to_string());

        assert!(count(&short) <= 18, "{short}");
        assert!(count(&long) >= 40 && long.contains("Failures, e.g. --max-attempts 2 --timeout 10m:"), "{long}");
        assert!(!short.contains("--backoff"), "{short}");
        let (arguments, _) = short.split_once("\nOptions:").unwrap();
        assert!(arguments.contains("[SOURCE]  ") && arguments.contains("[CMD]...  "), "{short}");
    }
}
