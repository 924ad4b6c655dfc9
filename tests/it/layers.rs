//! The wall between the layers, and other rules about the sources that a machine can check.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::source_files::{product_files, product_with_words, sources};

/// Modules by rank; each imports from lower ranks only, so that siblings never see each other. Those of the program come
/// last: the compiler keeps the library from seeing them.
const RANKS: [&[&str]; 12] = [
    &["crash"],
    &["model"],
    &["files", "libpq"],
    &["store", "sys", "launch", "source"],
    &["status", "handler"],
    &["recovery"],
    &["manager", "client"],
    &["testing"],
    &["command_line", "json_object", "settings", "system"],
    &["results"],
    &["dashboard", "mcp"],
    &["cli"],
];
/// Where the program is, which reaches the library through its public surface only.
const PROGRAM: &str = "bin/job-manager";

fn module_of(path: &Path) -> String {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = path.strip_prefix(src.join(PROGRAM)).or_else(|_| path.strip_prefix(src)).unwrap();
    let first = inside.components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|modules| modules.contains(&module))
}

/// Returns `true` if a text has a word that is not merely the end of a longer one.
fn uses(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(index, _)| !text[..index].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn a_module_imports_only_from_lower_ranks() {
    let mut wrong = Vec::new();
    for (path, code) in product_files() {
        let module = module_of(&path);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no rank"));
        for line in code.lines() {
            for (index, _) in line.match_indices("crate::") {
                let name: String = line[index + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if let Some(other) = rank(&name)
                    && name != module
                    && other >= own
                {
                    wrong.push(format!("{}: {}", path.display(), line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_belongs_to_one_layer_is_used_in_no_other() {
    let walls: [(&str, &[&str]); 10] = [
        ("diesel::", &["store"]),
        ("libsqlite3_sys", &["store"]),
        ("pq_sys", &["libpq"]),
        ("unsafe {", &["libpq", "sys"]),
        ("nix::", &["crash", "files", "sys"]),
        ("rustix::", &["client", "dashboard", "files", "handler", "source", "store", "sys", "system"]),
        ("sysinfo::", &["sys"]),
        ("clap::", &["cli"]),
        ("indicatif::", &["cli"]),
        ("ratatui::", &["cli"]),
    ];
    let mut wrong = Vec::new();
    for (path, code) in product_files() {
        let module = module_of(&path);
        for (word, homes) in walls {
            if uses(&code, word) && !homes.contains(&module.as_str()) {
                wrong.push(format!("{} uses {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns `true` if a line of code has a literal that names an option or a verb of the command line.
fn names_a_flag_or_verb(line: &str) -> bool {
    const VERBS: &str = " add approve cancel create doctor explain failures help init kill list logs prune recover reject \
        results resume retry rm run scale serve service set skip start status stop submit sync top unit units wait watch ";
    let is_verb = |text: &str| {
        let verb: String = text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        !verb.is_empty() && VERBS.contains(&format!(" {verb} "))
    };
    let literals = line.split('"').skip(1);
    let code = line.trim_start();
    // A literal may go on from the line before.
    let texts: Vec<&str> = if line.contains('"') { literals.collect() } else { vec![code] };
    texts.iter().any(|text| {
        let flag = text.match_indices("--").any(|(at, _)| {
            text[at + 2..].starts_with(|c: char| c.is_ascii_lowercase())
                && !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '-')
        });
        let verb = text.match_indices('`').any(|(at, _)| is_verb(&text[at + 1..]));
        let line = text.match_indices("job-manager ").any(|(at, word)| is_verb(&text[at + word.len()..]));
        flag || verb || line
    })
}

#[test]
fn no_sentence_of_the_library_names_an_option_or_a_verb() {
    // Options of other programs, and the command line that an error shows corrected.
    let others = [
        "client/submission/mod.rs",
        "client/submission/unit_key.rs",
        "handler/command/corrected.rs",
        "handler/command/told.rs",
        "handler/template/pasted.rs",
        "model/process_variables.rs",
        "source/glob/somebody.rs",
        "sys/scope.rs",
    ];
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let name = path.display().to_string();
        let is_other = |other: &&str| name.ends_with(&format!("src/{other}"));
        if name.contains(&format!("src/{PROGRAM}")) || name.ends_with("tests.rs") || name.contains("/tests/") {
            continue;
        }
        if others.iter().any(is_other) {
            continue;
        }
        let code = |line: &&str| !line.trim_start().starts_with("//");
        let text = product_with_words(&text);
        let lines = text.lines().filter(code).filter(|line| names_a_flag_or_verb(line));
        wrong.extend(lines.map(|line| format!("{name}: {}", line.trim())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fault_58_nothing_but_sqlite_opens_the_database_files() {
    // An open and close of the database by other code of the process drops the locks that SQLite holds on it.
    for (path, code) in product_files() {
        let suspicious = ["File::open(db", "File::open(&db", "File::open(self.path", "fs::read(db", "fs::copy("];
        for word in suspicious {
            assert!(!code.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn files_stay_short_and_say_what_they_are_for() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= 300, "{} has more than 300 lines", path.display());
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") || first.starts_with("// @generated"), "{} says nothing", path.display());
    }
}

#[test]
fn the_reliability_page_names_every_fault_test_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let named: BTreeSet<&str> =
        page.split('`').skip(1).step_by(2).filter(|word| word.starts_with("fault_") && *word != "fault_").collect();
    let mut texts: Vec<String> = sources().into_iter().map(|(_, text)| text).collect();
    for entry in fs::read_dir(root.join("tests/it")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    let tests: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split("\n").filter_map(|line| line.split_once("fn ")?.1.split('(').next()))
        .filter(|name| name.starts_with("fault_"))
        .collect();
    for scenario in fs::read_dir(root.join("fixtures/crash")).unwrap() {
        let name = scenario.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
    }

    assert_eq!(named, tests);
}
