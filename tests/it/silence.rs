//! No option is ignored in silence: each one of a submission is applied, compared, named as not applied, or refused.

use std::collections::BTreeSet;

use crate::support::{World, text};

/// What becomes of an option without a source of items.
enum Alone {
    Taken,
    Refused(&'static str),
}

/// What becomes of an option when its job is there already.
enum Again {
    /// It changes what runs: another job has to have another key.
    Differs,
    /// It is named as not applied.
    Named(&'static str),
    /// It says something of this call only.
    Taken,
    Refused(&'static str),
}

use Again::{Differs, Named};
use Alone::{Refused, Taken};

/// Says of every option what becomes of it; sources are in another list.
fn options() -> Vec<(&'static [&'static str], Alone, Again)> {
    let source = || Refused("requires a source of items");
    let requires = |words: &'static str| (Refused(words), Again::Refused(words));
    let mut all: Vec<(&[&str], Alone, Again)> = vec![
        (&["--limit", "9"], source(), Again::Taken),
        (&["--allow-empty"], source(), Again::Taken),
        (&["--order", "{}"], source(), Named("order")),
        (&["--items-per-unit", "2"], Refused("no items to be joined"), Differs),
        (&["--fill"], Refused("no items to be joined"), Differs),
        (&["--stdin", "item"], Refused("no items for standard input"), Differs),
        (&["--unit-key", "{}"], Refused("no items for {}"), Differs),
        (&["--creates", "{}.x"], Refused("no items for {}"), Differs),
        (&["--workers", "7"], Taken, Named("workers")),
        (&["--name", "other"], Taken, Named("name")),
        (&["--label", "a=b"], Taken, Named("label")),
        (&["--after", "1"], Taken, Named("after")),
        (&["--rate", "5/s"], Taken, Named("rate")),
        (&["--memfree", "1K"], Taken, Named("memfree")),
        (&["--load", "100000%"], Taken, Named("load")),
        (&["--diskfree", "/=1K"], Taken, Named("diskfree")),
        (&["--window", "00:00-23:59"], Taken, Named("window")),
        (&["--not-before", "2001-01-01"], Taken, Named("not-before")),
        (&["--escape-ci"], Taken, Named("escape-ci")),
        (&["--dry-run"], Taken, Again::Taken),
        (&["--shell"], Taken, Again::Refused("--shell takes the whole script")),
        (&["--then", "true"], Taken, Differs),
        (&["--hook", "true"], Taken, Differs),
        (&["--notify", "http://127.0.0.1:1/"], Taken, Differs),
        (&["--cwd", "/"], Taken, Differs),
        (&["--env", "A=b"], Taken, Differs),
        (&["--env-only", "PATH"], Taken, Differs),
        (&["--output", "full"], Taken, Differs),
        (&["--output-dir", "out"], Taken, Differs),
        (&["--result", "json"], Taken, Differs),
        (&["--max-attempts", "2"], Taken, Differs),
        (&["--backoff", "2s"], Taken, Differs),
        (&["--exit", "75=fail"], Taken, Differs),
        (&["--retry-on", "3"], Taken, Differs),
        (&["--timeout", "7s"], Taken, Differs),
        (&["--idle-timeout", "7s"], Taken, Differs),
        (&["--check", "true"], Taken, Differs),
        (&["--kill-after", "3s"], Taken, Differs),
        (&["--lease", "2m"], Refused("this database is a file"), Again::Refused("this database is a file")),
        (&["--on-interrupt", "fail"], Taken, Differs),
        (&["--on-host-loss", "wait"], Refused("this database is a file"), Again::Refused("this database is a file")),
        (&["--at-most-once"], Taken, Differs),
        (&["--deadline", "1h"], Taken, Differs),
        (&["--max-failures", "3"], Taken, Differs),
        (&["--max-later", "2h"], Taken, Differs),
        (&["--adapt", "1"], Taken, Named("adapt")),
        (&["--group", "{}"], Refused("as its group"), Differs),
        (&["--group", "{}", "--per-group", "1"], Refused("as its group"), Differs),
        (&["--group", "{}", "--group-rate", "6/s"], Refused("as its group"), Differs),
        (&["--flag-if", ".a < 1", "--result", "json"], Taken, Differs),
        (&["--hold-flagged"], Taken, Differs),
        (&["--canary", "1"], Taken, Differs),
        (&["--canary", "1", "--sample=4"], Taken, Differs),
        (&["--meter", "usd"], Taken, Differs),
        (&["--budget", "usd=5"], Taken, Differs),
        (&["--reserve", "usd=1", "--budget", "usd=9"], Taken, Differs),
        (&["--rate", "usd=5/s"], Taken, Differs),
        (&["--workers", "7", "--slots", "2"], Taken, Differs),
    ];
    let pairs: [(&[&str], &str); 11] = [
        (&["--null"], "--null requires --lines, --commands"),
        (&["--delimiter", ";"], "--delimiter requires --csv"),
        (&["--no-header"], "--no-header requires --csv"),
        (&["--no-quotes"], "--no-quotes requires --csv"),
        (&["--path", "a"], "--path requires --json FILE"),
        (&["--exclude", "x"], "--exclude requires --glob"),
        (&["--hidden"], "--hidden requires --glob"),
        (&["--shell-path", "sh"], "--shell-path requires --shell, --commands, --then or --check"),
        (&["--keep-partial"], "--keep-partial requires --creates"),
        (&["--schema", "x"], "--schema requires --result json"),
        (&["--sample"], "--sample requires --canary"),
    ];
    all.extend(pairs.map(|(option, words)| (option, requires(words).0, requires(words).1)));
    all.push((&["--then-when", "success"], Refused("--then-when requires --then"), requires("--then-when requires").1));
    all
}

/// Options that are no question here, with what they are.
const OTHERS: [&str; 19] = [
    // Sources.
    "--lines",
    "--commands",
    "--csv",
    "--jsonl",
    "--json",
    "--glob",
    "--sql",
    "--range",
    // Whose the database may be, the key itself, and what needs systemd or control groups.
    "--any-owner",
    "--key",
    "--scope",
    "--memory",
    // Of every verb.
    "--db",
    "--quiet",
    "--verbose",
    "--color",
    "--log-format",
    "--yes",
    "--help",
];

fn create(world: &World, option: &[&str], rest: &[&str]) -> (Option<i32>, String) {
    let created = world.run(&[&["create"], option, rest].concat());
    (created.status.code(), text(&created.stderr))
}

#[test]
fn every_option_is_applied_or_refused_without_a_source_of_items() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "true"]);

    for (option, alone, _) in options() {
        let (code, said) = create(&world, option, &["--", "true"]);
        match alone {
            Taken => assert_eq!(code, Some(0), "{option:?}: {said}"),
            Refused(words) => assert!(code == Some(2) && said.contains(words), "{option:?}: {said}"),
        }
    }
    let before = world.count("(SELECT count(*) FROM jobs)");
    for (option, alone, again) in options() {
        let (code, said) = create(&world, option, &["--", "echo", "{}", ":::", "1", "2"]);
        match (alone, again) {
            (_, Again::Refused(words)) => assert!(code == Some(2) && said.contains(words), "{option:?}: {said}"),
            _ => assert_eq!(code, Some(0), "{option:?}: {said}"),
        }
    }
    assert!(world.count("(SELECT count(*) FROM jobs)") > before);
}

#[test]
fn every_option_that_a_job_of_the_same_key_does_not_take_over_is_named_or_refused() {
    let world = World::new();
    let command = ["--key", "k", "--", "echo", "{}", ":::", "1", "2"];
    world.ok(&[&["create", "-q"][..], &command].concat());

    for (option, _, again) in options() {
        let (code, said) = create(&world, option, &command);
        match again {
            Again::Taken => assert!(code == Some(0) && !said.contains("not applied"), "{option:?}: {said}"),
            Named(name) => {
                let named = format!("job 1 is there already, not applied: {name};");
                assert!(code == Some(0) && said.contains(&named), "{option:?}: {said}");
            }
            Differs => assert!(code == Some(4) && said.contains("does something else"), "{option:?}: {said}"),
            Again::Refused(words) => assert!(code == Some(2) && said.contains(words), "{option:?}: {said}"),
        }
    }
    assert_eq!(world.count("(SELECT count(*) FROM jobs)"), 1);
}

#[test]
fn the_tables_above_have_every_option_of_a_submission() {
    let help = World::new().ok(&["create", "--help"]);
    let words = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let real: BTreeSet<&str> = words
        .filter_map(|line| line.split([' ', ',', '=', '[']).find(|word| word.starts_with("--")))
        .map(|word| word.trim_end_matches("..."))
        .collect();
    let options = options();
    let named = options.iter().flat_map(|(option, ..)| option.iter().filter_map(|word| word.split('=').next()));
    let known: BTreeSet<&str> = named.chain(OTHERS).collect();

    assert_eq!(real.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
}

#[test]
fn what_is_not_applied_is_said_once_by_every_verb() {
    let world = World::new();
    let command = ["--", "echo", "{}", ":::", "1", "2"];
    world.ok(&[&["run", "-q", "--key", "k"][..], &command].concat());

    for verb in ["submit", "run", "create", "submit --dry-run"] {
        let verb: Vec<&str> = verb.split(' ').collect();
        let given = ["--key", "k", "--order", "-{}", "-j", "7", "--rate", "5/s"];
        let said = text(&world.run(&[&verb, &given[..], &command].concat()).stderr);
        let named =
            "job 1 is there already, not applied: workers, rate, order; `job-manager scale` changes its workers";
        assert_eq!(said.matches(named).count(), 1, "{verb:?}: {said}");
    }
}

#[test]
fn additions_refuse_what_has_no_source() {
    let world = World::new();
    world.ok(&["create", "-q", "--", "echo", "{}", ":::", "1"]);

    for verb in ["add", "sync"] {
        for option in [&["--limit", "3"][..], &["--allow-empty"]] {
            if (verb, option[0]) == ("sync", "--limit") {
                // Refused for another reason: `sync` compares all items.
                continue;
            }
            let said = world.fails(2, &[&[verb, "1"], option].concat());
            assert!(said.contains("requires a source of items"), "{said}");
        }
        for command in [&["--", "gzip", "{}"][..], &["gzip", "-9"], &["gzip", "{}"]] {
            let said = world.fails(2, &[&[verb, "1"], command].concat());
            assert!(said.contains("a job has its command already: give items after `-- :::`"), "{said}");
        }
    }
}

#[test]
fn a_number_that_is_out_of_range_is_told_its_range_in_plain_words() {
    let world = World::new();

    for (words, said) in [
        (&["create", "--canary", "0", "--", "true"][..], "it must be at least 1"),
        (&["create", "--max-attempts", "0", "--", "true"], "it must be at least 1"),
        (&["create", "--max-attempts", "-1", "--", "true"], "it must be at least 1"),
        (&["create", "-n", "0", "--", "echo", "{}", ":::", "1"], "it must be at least 1"),
        (&["create", "--limit", "-1", "--", "echo", "{}", ":::", "1"], "it must be at least 0"),
        (&["create", "--canary", "99999999999", "--", "true"], "it must be at most 4294967295"),
        (&["create", "--canary", "", "--", "true"], "it must be a whole number"),
        (&["units", "1", "--limit", "0"], "it must be at least 1"),
        (&["list", "--limit", "x"], "it must be a whole number"),
        (&["logs", "1", "--attempt", "0"], "it must be at least 1"),
        (&["logs", "1", "-n", "-1"], "it must be at least 0"),
        (&["prune", "--keep", "-1"], "it must be at least 0"),
        (&["set", "1", "max-attempts=0"], "max-attempts=0: it must be at least 1"),
    ] {
        let refused = world.fails(2, words);
        assert!(refused.contains(said), "{words:?}: {refused}");
        assert!(!refused.contains("--db <PATH>"), "{words:?}: {refused}");
    }
}
