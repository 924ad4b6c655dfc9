//! The forms that are GNU parallel's give the arguments that it gives.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use crate::support::{Random, World, repeat, without_tool};

/// Prints the number of its arguments, and each of them, ended by NUL.
const ARGV: &str = "#!/bin/sh\nprintf '%s\\0' \"$#\" \"$@\"\n";
const TEXTS: [&str; 20] = [
    "a",
    "b c",
    "it's",
    "say \"x\"",
    "$HOME",
    "*",
    "-n",
    "\\",
    "a\\nb",
    "{}",
    "{1}",
    "é",
    "日本",
    "#",
    "~",
    "`id`",
    "a;b",
    " lead",
    "trail ",
    "x=y",
];
const PATHS: [&str; 10] =
    ["a.b", "plain", "d/e.f", "/abs/x.tar.gz", "d d/it's.f", "d.d/none", "./q.r", "../u.v", "-x.y", "é/ü.ß"];
const PATH_PARTS: [&str; 4] = [".", "/", "//", "/."];

/// One command line that both programs understand.
#[derive(Debug, Default)]
struct Line {
    ours: Vec<String>,
    theirs: Vec<String>,
    template: Vec<String>,
    lists: Vec<String>,
    /// Lengths of paired lists that differ.
    is_unequal: bool,
}

#[test]
fn lists_pairs_and_several_items_give_the_arguments_of_gnu_parallel() {
    let world = World::new();
    if world.command("parallel").arg("--version").output().is_err() {
        return without_tool("parallel");
    }
    fs::write(world.path("argv"), ARGV).unwrap();
    fs::set_permissions(world.path("argv"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut random = Random::seeded();
    for round in 0..repeat(30, 500) {
        let line = line(&world, &mut random);

        let (ours, theirs) = (ours(&world, &line), theirs(&world, &line));

        let said = String::from_utf8_lossy(&ours.stderr);
        if line.is_unequal {
            assert!(said.contains("as many items"), "round {round}: {line:?}\n{said}");
            assert_eq!(ours.status.code(), Some(2), "round {round}: {line:?}\n{said}");
            continue;
        }
        assert!(ours.status.success(), "round {round}: {line:?}\n{said}");
        assert_eq!(
            String::from_utf8_lossy(&ours.stdout).replace('\0', "\u{2400}"),
            String::from_utf8_lossy(&theirs.stdout).replace('\0', "\u{2400}"),
            "round {round}: {line:?}\n{}",
            String::from_utf8_lossy(&theirs.stderr)
        );
    }
}

/// Prints our commands as a script, and runs that.
fn ours(world: &World, line: &Line) -> Output {
    let mut args = vec!["create", "--dry-run", "100000"];
    args.extend(line.ours.iter().map(String::as_str));
    args.extend(["--", "./argv"]);
    args.extend(line.template.iter().chain(&line.lists).map(String::as_str));
    let printed = world.run(&args);
    if !printed.status.success() {
        return printed;
    }
    world.sh(&String::from_utf8(printed.stdout).unwrap())
}

fn theirs(world: &World, line: &Line) -> Output {
    let mut command = world.command("parallel");
    command.env("SHELL", "/bin/sh").env("PARALLEL_HOME", world.path("parallel")).args(["--will-cite", "-j1", "-k"]);
    command.args(&line.theirs).arg("./argv").args(&line.template).args(&line.lists);
    command.output().unwrap()
}

fn line(world: &World, random: &mut Random) -> Line {
    let mut line = Line::default();
    let are_paths = random.below(2) == 0;
    let lists = add_lists(world, random, &mut line, if are_paths { &PATHS } else { &TEXTS });
    match random.below(3) {
        0 if !line.is_unequal => several_items(random, &mut line, lists, are_paths),
        _ => one_item(random, &mut line, lists, are_paths),
    }
    line
}

/// Adds one to three lists, some of them in files and some of them paired, and returns how many there are.
fn add_lists(world: &World, random: &mut Random, line: &mut Line, items: &[&str]) -> usize {
    let count = 1 + random.below(3) as usize;
    let mut length = 0;
    for number in 0..count {
        let is_paired = number > 0 && random.below(3) == 0;
        let is_unequal = is_paired && random.below(4) == 0;
        if !is_paired || is_unequal {
            let former = length;
            length = 1 + random.below(4) as usize;
            line.is_unequal |= is_unequal && former != length;
        }
        let chosen: Vec<&str> = (0..length).map(|_| items[random.below(items.len() as u64) as usize]).collect();
        let plus = if is_paired { "+" } else { "" };
        if random.below(3) == 0 {
            let name = format!("list{number}");
            fs::write(world.path(&name), chosen.iter().map(|item| format!("{item}\n")).collect::<String>()).unwrap();
            line.lists.extend([format!("::::{plus}"), name]);
        } else {
            line.lists.push(format!(":::{plus}"));
            line.lists.extend(chosen.into_iter().map(str::to_owned));
        }
    }
    count
}

fn one_item(random: &mut Random, line: &mut Line, lists: usize, are_paths: bool) {
    for _ in 0..=random.below(4) {
        let part = if are_paths { PATH_PARTS[random.below(4) as usize] } else { "" };
        let number = 1 + random.below(lists as u64);
        line.template.push(match random.below(5) {
            0 => "{}".to_owned(),
            1 if lists == 1 => format!("{{{part}}}"),
            2 if lists == 1 => format!("pre{{}}.{{{part}}}post"),
            2 | 3 => format!("{{{number}{part}}}-{{{}}}", 1 + random.below(lists as u64)),
            4 => "{#}".to_owned(),
            _ => format!("{{{number}{part}}}"),
        });
    }
    // GNU parallel adds it where the command has nothing of an item.
    line.template.push("{}".to_owned());
}

fn several_items(random: &mut Random, line: &mut Line, lists: usize, are_paths: bool) {
    let mut options = String::new();
    if random.below(2) == 0 {
        write!(options, "-n{}", 2 + random.below(4)).unwrap();
        line.theirs.extend(["-X".to_owned(), options.clone()]);
        line.ours.push(options);
        if random.below(3) == 0 {
            line.ours.push("-X".to_owned());
        }
    } else {
        line.ours.push("-X".to_owned());
        line.theirs.push("-X".to_owned());
    }
    for _ in 0..=random.below(3) {
        let part = if are_paths { PATH_PARTS[random.below(4) as usize] } else { "" };
        line.template.push(match random.below(5) {
            0 if lists == 1 => format!("{{{part}}}"),
            1 if lists == 1 => format!("pre{{}}.{{{part}}}post"),
            2 if lists == 1 => format!("--in={{{part}}}"),
            3 => "{#}".to_owned(),
            _ => "{}".to_owned(),
        });
    }
    line.template.push("{}".to_owned());
}
