//! Options and verbs of neighbours (GNU parallel, xargs, pueue, HyperQueue, Slurm) that are called otherwise here.
//!
//! Asked only when clap knows no such word, so that an option of ours is never taken for another's.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command::command;

/// Verbs that take what the neighbours' commands take.
const SUBMITTING: [&str; 5] = ["submit", "run", "create", "add", "sync"];

/// Spellings elsewhere, and what to write here.
const OPTIONS: &[(&[&str], &str)] = &[
    (&["--colsep", "-C"], "write --csv FILE --no-header --delimiter CHAR, which gives the columns as {1} {2}"),
    (&["--header"], "write --csv FILE, whose header names the fields"),
    (&["-I", "-i", "--replace", "-U"], "the item is always {}, and a literal brace is written {{ or }}"),
    (
        &["-L", "-l", "--max-lines", "-N", "--max-replace-args", "--max-args"],
        "write -n N for N items per unit, {1} to {N} name them",
    ),
    (&["-m", "--xargs"], "write -X for as many items per unit as fit, or -n N for N of them"),
    (
        &["-s", "--max-chars", "-x", "--show-limits"],
        "write -X for as many items per unit as the system takes, or -n N for at most N of them",
    ),
    (&["-P", "--max-procs", "--jobs", "--parallel", "--ntasks"], "write -j N for N units at a time"),
    (&["-a", "--arg-file"], "write --lines FILE, or `:::: FILE` after the command"),
    (&["--arg-sep", "--arg-file-sep"], "items follow `:::` and files of items `::::` after the command"),
    (&["--link", "--xapply"], "write `:::+` or `::::+` before the list that is paired with the one before it"),
    (&["-0"], "write --null"),
    (&["-d"], "items are lines, or end with NUL under --null; --delimiter CHAR separates the fields of --csv"),
    (&["-E", "-e", "--eof"], "a list has no end mark, cut the file before: sed '/MARK/,$d' FILE"),
    (
        &["-r", "--no-run-if-empty"],
        "nothing runs for an empty list in any case; --allow-empty takes one for a job without units",
    ),
    (&["-t", "--print-command"], "--dry-run prints the commands, `unit JOB:SEQ` shows that of a unit"),
    (
        &["-p", "--interactive", "-o", "--open-tty", "--tty"],
        "units have no terminal; --dry-run prints the commands, --canary N waits for an approval after N units",
    ),
    (&["--process-slot-var"], "a unit has its slot as {%} and in JOB_MANAGER_SLOT"),
    (
        &[
            "-S",
            "--sshlogin",
            "--sshloginfile",
            "--slf",
            "--onall",
            "--nonall",
            "--transferfile",
            "--trc",
            "--basefile",
        ],
        "units run on this machine; write ssh into the command: -- ssh HOST COMMAND",
    ),
    (&["--joblog"], "`results JOB` and `units JOB --json` list every unit with its outcome, also while the job runs"),
    (
        &["--resume", "--resume-failed", "--retry-failed"],
        "`resume JOB` continues a job, `retry JOB --failed` runs its failed units again",
    ),
    (
        &["--bar", "--progress", "--eta"],
        "`run` shows the progress by itself, `watch JOB` and `status JOB` show that of a job that runs",
    ),
    (
        &["--pipe", "--pipepart", "--spreadstdin", "--block", "--recstart", "--recend"],
        "split the input first (split -n l/8 FILE part.) and give the parts as items; --stdin item feeds an item",
    ),
    (&["--halt", "--halt-on-error", "--max-fails"], "write --max-failures N or N%, at which the job pauses"),
    (&["--delay"], "write --rate N/TIME, such as 1/s, between units, or --not-before +1h for a later start"),
    (&["--plus"], "{stem}, {name}, {dir} and their kin are always there, see `job-manager help placeholders`"),
    (&["--trim"], "items are taken as they are, trim the list first: sed 's/^ *//; s/ *$//' FILE"),
    (&["--rpl"], "there are no placeholders of one's own, use --shell with the expansions of the shell"),
    (&["--quote"], "values are always quoted, omit it"),
    (&["--shellquote"], "--dry-run prints the commands, quoted"),
    (&["--noswap"], "write --memfree SIZE, which holds the next start; swapping is not looked at"),
    (&["--memsuspend"], "write --memfree SIZE, which holds the next start; running units are not suspended"),
    (&["--tmpdir", "--tempdir", "--compress"], "there is none: output is kept with the job, or under --output-dir DIR"),
    (&["--cat", "--fifo"], "there is none, units read what --stdin says"),
    (&["--termseq"], "there is none, --kill-after DURATION is the time between TERM and KILL"),
    (&["--bg"], "write `submit`, which returns at once"),
    (&["--wait"], "write `run`, or `wait JOB` after `submit`"),
    (&["--return", "--cleanup", "--transfer"], "units run on this machine, no files are transferred"),
    (
        &["--priority", "-g", "--immediate"],
        "there is none: jobs run beside each other, each with its own -j N; --after JOB orders them",
    ),
    (&["--retries"], "write --max-attempts N"),
    (&["--results", "--files"], "write --output full, or --output-dir DIR for files of each unit"),
    (&["--dryrun"], "write --dry-run"),
    (&["--shuf"], "shuffle the list first: shuf FILE | job-manager run - -- COMMAND"),
    (&["--nice"], "write nice before the command: -- nice -n N COMMAND"),
    (&["--fg"], "write `run`, which follows the job"),
    (&["--tmux"], "`top` shows the jobs on a full screen, `logs JOB -f` follows the output"),
    (&["--tagstring"], "write --tag with `run`, or --unit-key TEMPLATE and --tag for other words of a record"),
    (
        &["--line-buffer", "--linebuffer", "--lb", "-u", "--ungroup"],
        "there are no groups of jobs (--label marks them); `run -k` and `run --tag` print the output of units as they end, `logs JOB:SEQ -f` follows that of one",
    ),
    (&["--citation", "--will-cite", "--bibtex"], "nothing has to be silenced here, omit it"),
    (&["--workdir", "--wd", "--working-directory", "--chdir", "-D"], "write --cwd DIR"),
    (
        &["--sem", "--semaphore", "--id"],
        "`submit` queues by itself, -j N bounds a job and `scale --machine N` all of them",
    ),
    (
        &["--array", "-W", "--each-line"],
        "write --range 1-100 for numbers, or --lines FILE; the command names the item as {}",
    ),
    (&["--wrap"], "write --shell -- 'SCRIPT'"),
    (&["--job-name", "-J"], "write --name NAME"),
    (&["--dependency"], "write --after JOB"),
    (&["--time", "--time-limit", "--timelimit"], "write --timeout DURATION"),
    (&["--stashed"], "write `create` instead of the verb, or `submit --hold`"),
    (&["--requeue"], "a unit whose machine dies runs again by itself, --on-interrupt fail prevents it"),
    (&["--from-json"], "write --json FILE"),
    (&["--mail-user", "--mail-type", "--on-exit"], "write --then SCRIPT, which runs when all units have ended"),
];

/// Verbs elsewhere, and what to write here.
const VERBS: &[(&[&str], &str)] = &[
    (&["log", "cat", "follow", "tail", "output"], "write `logs JOB`, with -f to follow"),
    (&["parallel"], "write `scale JOB N`"),
    (&["restart", "requeue", "resume-failed"], "write `retry JOB --failed`"),
    (&["clean", "clear"], "write `prune`, or `rm JOB`"),
    (&["remove", "delete"], "write `rm JOB`"),
    (&["stash"], "write `create` for a job that does not start yet"),
    (&["enqueue", "unstash"], "write `start JOB`"),
    (&["squeue", "jobs", "queue", "sacct"], "write `list`"),
    (&["sbatch", "srun", "qsub"], "write `submit -- COMMAND`"),
    (&["scancel", "qdel"], "write `cancel JOB`"),
    (&["info", "show"], "write `status JOB`, or `unit JOB:SEQ` for one unit"),
];

/// Returns what to write instead when a neighbour's word was typed that clap does not know.
pub(super) fn advice(error: &clap::Error, arguments: &[impl AsRef<str>]) -> Option<String> {
    let (context, table) = match error.kind() {
        ErrorKind::UnknownArgument if is_submitting(arguments) => (ContextKind::InvalidArg, OPTIONS),
        ErrorKind::InvalidSubcommand => (ContextKind::InvalidSubcommand, VERBS),
        _ => return None,
    };
    let Some(ContextValue::String(typed)) = error.get(context) else { return None };
    let word = typed.split('=').next().unwrap_or(typed);
    let (_, ours) = table.iter().find(|(spellings, _)| spellings.contains(&word))?;
    let kind = if context == ContextKind::InvalidArg { "option" } else { "verb" };
    Some(format!("no {kind} {word}: {ours}"))
}

/// Returns which argument is not UTF-8 where clap wants a text, which it does not say itself.
pub(super) fn not_utf8(arguments: &[OsString]) -> Option<String> {
    let lossy: Vec<String> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let is_wanted = |at: &usize| {
        // All others are mended, so that none of them can be what clap stumbles over.
        let mut line: Vec<OsString> = lossy.iter().map(OsString::from).collect();
        line[*at].clone_from(&arguments[*at]);
        command().try_get_matches_from(line).is_err_and(|error| error.kind() == ErrorKind::InvalidUtf8)
    };
    let at = (1..arguments.len()).filter(|at| arguments[*at].to_str().is_none()).find(is_wanted)?;
    let option = if lossy[at - 1].starts_with('-') { format!(" of {}", lossy[at - 1]) } else { String::new() };
    Some(format!("argument {:?}{option} is not UTF-8: names, labels and keys of jobs must be", lossy[at]))
}

fn is_submitting(arguments: &[impl AsRef<str>]) -> bool {
    let before = arguments.iter().map(AsRef::as_ref).take_while(|argument| *argument != "--");
    before.into_iter().any(|argument| SUBMITTING.contains(&argument))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::verbs::Cli;
    use super::*;

    fn advice_for(line: &[&str]) -> Option<String> {
        let arguments: Vec<&str> = ["job-manager"].iter().chain(line).copied().collect();
        let error = Cli::try_parse_from(&arguments).err()?;
        advice(&error, &arguments)
    }

    #[test]
    fn every_option_of_a_neighbour_is_answered_with_ours() {
        for (spelling, ours) in OPTIONS.iter().flat_map(|(spellings, ours)| spellings.iter().map(move |s| (*s, *ours)))
        {
            for typed in [spelling.to_owned(), format!("{spelling}=1")] {
                assert_eq!(
                    advice_for(&["run", &typed, "--", "echo"]),
                    Some(format!("no option {spelling}: {ours}")),
                    "{typed}"
                );
            }
        }
    }

    #[test]
    fn a_value_that_is_joined_to_an_option_of_a_neighbour_does_not_hide_it() {
        for (typed, option) in [("-P8", "-P"), ("-I{}", "-I"), ("-L1", "-L"), ("-d\\n", "-d"), ("-0r", "-0")] {
            let advice = advice_for(&["submit", typed, "--", "echo"]);

            assert!(
                advice.as_ref().is_some_and(|text| text.starts_with(&format!("no option {option}: "))),
                "{advice:?}"
            );
        }
    }

    #[test]
    fn every_verb_of_a_neighbour_is_answered_with_ours() {
        for (spelling, ours) in VERBS.iter().flat_map(|(spellings, ours)| spellings.iter().map(move |s| (*s, *ours))) {
            assert_eq!(advice_for(&[spelling]), Some(format!("no verb {spelling}: {ours}")));
        }
    }

    #[test]
    fn an_argument_that_must_be_utf8_is_named_with_its_option() {
        use std::os::unix::ffi::OsStringExt;

        let latin = || OsString::from_vec(b"caf\xe9".to_vec());
        let line = |words: &[&str]| {
            let words = words.iter().map(|word| if *word == "LATIN" { latin() } else { (*word).into() });
            not_utf8(&words.collect::<Vec<_>>())
        };
        let lossy = "caf\u{fffd}";

        assert_eq!(
            line(&["job-manager", "run", "--cwd", "LATIN", "--name", "LATIN", "--", "LATIN"]),
            Some(format!("argument {lossy:?} of --name is not UTF-8: names, labels and keys of jobs must be"))
        );
        assert_eq!(
            line(&["job-manager", "status", "LATIN"]),
            Some(format!("argument {lossy:?} is not UTF-8: names, labels and keys of jobs must be"))
        );
        assert_eq!(line(&["job-manager", "run", "--shell-path", "LATIN", "--sql", "LATIN", "q", "--", "true"]), None);
    }

    #[test]
    fn what_nobody_has_is_left_to_clap() {
        assert_eq!(advice_for(&["run", "--nonsense", "--", "echo"]), None);
        assert_eq!(advice_for(&["logs", "-P"]), None);
        for value in ["-j+1", "-j-1", "-j0"] {
            assert_eq!(advice_for(&["run", value, "--", "echo"]), None);
        }
    }
}
