//! The page for those who come from another tool: every command of ours on it runs.

use std::fs;
use std::path::Path;

use crate::support::{BIN, World, text};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coming-from.md");
const SECTIONS: [&str; 8] =
    ["GNU parallel", "xargs", "pueue", "task-spooler", "HyperQueue", "Slurm arrays", "cron", "systemd timers"];

/// Returns the commands of ours in a section, which are the last column of its table.
fn commands(section: &str) -> Vec<String> {
    let page = fs::read_to_string(PAGE).unwrap();
    let body = page.split("\n## ").find(|body| body.starts_with(&format!("{section}\n"))).expect("a section");
    let rows = body.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let cell = |row: &str| {
        let escaped = row.replace("\\|", "\u{1}");
        let last = escaped.trim_end_matches([' ', '|']).rsplit('|').next().expect("a column").trim().to_owned();
        last.trim_matches('`').replace('\u{1}', "|")
    };
    rows.map(cell).collect()
}

fn run_all(section: &str) {
    let world = World::new();
    for name in ["a.log", "b.log", "c.log"] {
        fs::write(world.path(name), format!("{name}\n")).unwrap();
    }
    fs::write(world.path("list.txt"), "a.log\nb.log\nc.log\n").unwrap();
    fs::write(world.path("people.csv"), "name,mail\nAda,ada@example.org\nBob,bob@example.org\n").unwrap();
    fs::write(world.path("commands.txt"), "echo one\necho two\n").unwrap();
    fs::write(world.path("task.sh"), "echo task \"$@\"\n").unwrap();
    fs::create_dir(world.path("out")).unwrap();
    let path = format!("{}:{}", Path::new(BIN).parent().unwrap().display(), std::env::var("PATH").unwrap());

    for command in commands(section) {
        let output = world.command("sh").env("PATH", &path).args(["-c", &command]).output().unwrap();

        let said = text(&output.stderr);
        assert!(output.status.success(), "{section}: {command}\n{}{said}", text(&output.stdout));
        assert!(!said.contains("error:"), "{section}: {command}\n{said}");
    }
}

#[test]
fn each_neighbour_has_ten_of_its_commands_beside_ours() {
    for section in SECTIONS {
        let ours = commands(section);

        assert!(ours.len() >= 10, "{section} has {}", ours.len());
        assert!(ours.iter().all(|command| command.contains("job-manager ")), "{section}: {ours:?}");
    }
}

macro_rules! sections {
    ($($test:ident: $section:literal,)*) => {
        $(#[test]
        fn $test() {
            run_all($section);
        })*
    };
}

sections! {
    what_users_of_gnu_parallel_type_instead_runs: "GNU parallel",
    what_users_of_xargs_type_instead_runs: "xargs",
    what_users_of_pueue_type_instead_runs: "pueue",
    what_users_of_task_spooler_type_instead_runs: "task-spooler",
    what_users_of_hyperqueue_type_instead_runs: "HyperQueue",
    what_users_of_slurm_arrays_type_instead_runs: "Slurm arrays",
    what_users_of_cron_type_instead_runs: "cron",
    what_users_of_systemd_timers_type_instead_runs: "systemd timers",
}
