//! In which order units start, and how much memory a manager takes for those that wait.

use std::fmt::Write as _;

use crate::support::{World, is_alive, wait_for};

/// Returns a figure of a process's memory in MiB.
fn memory(pid: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap_or(": 0 kB").to_owned();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn fault_218_a_unit_that_is_due_again_does_not_wait_for_all_that_are_queued() {
    let world = World::new();
    let script = "echo {} >> ran; [ {} != 1 ] || [ -e again ] || { { touch again; exit 1; } }; sleep 0.05";
    let script = script.replace("{ {", "{{").replace("} }", "}}");

    let job = world.ok(&[
        "submit",
        "-q",
        "-j",
        "1",
        "--backoff",
        "200ms..200ms",
        "--range",
        "1-400",
        "--shell",
        "--",
        &script,
    ]);
    wait_for(&world, "the second attempt at the first unit", || {
        let ran = world.lines("ran");
        ran.iter().skip(1).any(|unit| unit == "1") || ran.len() > 100
    });
    let place = world.lines("ran").iter().skip(1).position(|unit| unit == "1");
    world.ok(&["cancel", &job]);

    assert!(place.is_some_and(|place| place < 40), "it waited for {place:?} others");
}

#[test]
fn fault_219_the_memory_of_a_manager_does_not_grow_with_the_size_of_items() {
    for (bytes, units, most) in [(16, 1000, 16), (4 << 20, 24, 64), (15 << 20, 10, 256)] {
        let world = World::new();
        let mut lines = String::new();
        for unit in 1..=units {
            writeln!(lines, "{unit}{}", "x".repeat(bytes)).unwrap();
        }
        let items = world.write("items", &lines);
        let script =
            format!("cat >/dev/null; [ $JOB_MANAGER_UNIT != {units} ] || until [ -e go ]; do sleep 0.05; done");

        let job = world.ok(&[
            "submit",
            "-q",
            "-j",
            "8",
            "--lines",
            items.to_str().unwrap(),
            "--stdin",
            "item",
            "--output",
            "none",
            "--shell",
            "--",
            &script,
        ]);
        let manager = world.manager(&job);
        world.wait_for_completed(&job, units as u64 - 1);
        // What is mapped of the program is not the manager's own, and is much in a build for tests.
        let peak = memory(manager, "VmHWM") - memory(manager, "RssFile");
        world.write("go", "");
        world.wait_for_status(&job, "completed");

        eprintln!("{units} items of {bytes} bytes: {peak} MiB");
        assert!(peak <= most, "{units} items of {bytes} bytes took {peak} MiB");
        wait_for(&world, "the manager to be gone", || !is_alive(manager));
    }
}
