//! Random trees and patterns: what is found is what bash finds.
//!
//! Both sides are one process, of another user where this one may read everything: bash with all questions as a script,
//! and this test's executable again. `JM_TEST_SEED` repeats a run.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, Permissions};
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;
use crate::without::without_tool;

const TREES: usize = 200;
const TREES_THOROUGH: usize = 2000;
const PATTERNS_PER_TREE: usize = 12;
const SEED: u64 = 12;
/// Where the questions are, for the other process; without it nobody has asked.
const QUESTIONS: &str = "JM_TEST_GLOB_QUESTIONS";

/// Names in trees, each on a line; frequent ones more than once.
const NAMES: &[u8] = b"a\nb\na\nb\na\nb\nab\na.c\na\nb\nc\nab\nba\na.c\nb.c\nabc\n.h\n.a\n..x\n[a]\na[b\n-x\n-\n\
    \xc3\xa9\ncaf\xe9\n\xff\n\xc3\xa9\xff\na b\nx{y\n*\na\\b\n\xe6\x97\xa5a";
/// Components of patterns.
const PARTS: &[u8] = b"*\n*\n*\n**\n**\n?\n??\na*\n*a\n*.c\n*b*\n.*\n.?\n[ab]\n[ab]*\n[!a]*\n[^b]\n[a-c]\n[!a-b]*\n[c-a]\n\
    []a]*\n[[:alpha:]]*\n[![:alpha:]]*\n{a,b}\n{a,b}*\n{a..c}\n*{.c,b}\n{*,.*}\n{a/*,b}\n{a,{b,c}*}\n{a}\n\\[a\\]\na[b\n\\*\n\
    caf?\n\xc3\xa9*\n[\xc3\xa9\xe6]*\n*\xff\n-*\na**\n***\n[\\]\\[]*";

/// Numbers that look random, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        // Splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn line_of(&mut self, lines: &'static [u8]) -> &'static [u8] {
        let lines: Vec<&[u8]> = lines.split(|byte| *byte == b'\n').collect();
        self.one_of(&lines)
    }

    fn in_hundred(&mut self, percentage: usize) -> bool {
        self.below(100) < percentage
    }

    fn fill(&mut self, dir: &Path, depth: usize) {
        let most = if depth == 0 { 12 } else { 6 };
        for _ in 0..1 + self.below(most) {
            let path = dir.join(OsStr::from_bytes(self.line_of(NAMES)));
            // A name that is there already is left as it is.
            let _ = match self.below(10) {
                0..=3 => fs::File::create_new(&path).map(drop),
                4..=6 if depth < 3 => fs::create_dir(&path).map(|()| {
                    self.fill(&path, depth + 1);
                    if self.in_hundred(12) {
                        let mode = self.one_of(&[0o111, 0o444, 0o000]);
                        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                    }
                }),
                4..=6 => fs::File::create_new(&path).map(drop),
                7 | 8 => {
                    let up = if depth > 0 { ".." } else { "." };
                    let targets: [&[u8]; 10] =
                        [b".", up.as_bytes(), b"a", b"b", b"ab", b"nowhere", b"-x", b"a/b", b"caf\xe9", b".a"];
                    symlink(OsStr::from_bytes(self.one_of(&targets)), &path)
                }
                _ => rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).map_err(Into::into),
            };
        }
    }

    fn pattern(&mut self, tree: &Path) -> Vec<u8> {
        let mut pattern = match self.below(20) {
            0 | 1 => b"./".to_vec(),
            2 => b".//".to_vec(),
            3 => [tree.as_os_str().as_bytes(), b"/"].concat(),
            _ => Vec::new(),
        };
        let parts = self.one_of(&[1, 1, 1, 2, 2, 2, 3, 3, 4]);
        for part in 0..parts {
            let is_star = pattern.ends_with(b"**/");
            if self.in_hundred(25) {
                let name = self.line_of(NAMES);
                pattern.extend(name.iter().flat_map(|&byte| {
                    let is_plain = byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'.' | b'-');
                    if is_plain { vec![byte] } else { vec![b'\\', byte] }
                }));
            } else if part > 0 && !is_star && self.in_hundred(6) {
                pattern.extend(self.one_of(&[b".".as_slice(), b".."]));
            } else {
                pattern.extend(self.line_of(PARTS));
            }
            if part + 1 < parts || self.in_hundred(3) {
                pattern.push(b'/');
                if self.in_hundred(8) {
                    pattern.push(b'/');
                }
            }
        }
        // Bash gives one slash for `//**/**`, and loses files, or finds some behind links, at `**//**`.
        let holds = |part: &[u8]| pattern.windows(part.len()).any(|window| window == part);
        if holds(b"//**/**") || holds(b"**//**") { self.pattern(tree) } else { pattern }
    }
}

/// Directory of a tree, below others of its own for those who climb out of it.
fn tree_in(base: &Path, number: usize) -> PathBuf {
    base.join(number.to_string()).join("u/v")
}

fn thorough() -> bool {
    std::env::var_os("JM_TEST_THOROUGH").is_some()
}

#[test]
fn a_glob_finds_what_bash_finds() {
    if !somebody::runs("bash") {
        return without_tool("bash");
    }
    if !somebody::is_there() {
        return;
    }
    let seed = std::env::var("JM_TEST_SEED").map_or(SEED, |seed| seed.parse().unwrap());
    println!("JM_TEST_SEED={seed}");
    let mut chance = Chance(seed);
    let base = tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().unwrap();
    let mut questions = Vec::new();
    for number in 0..if thorough() { TREES_THOROUGH } else { TREES } {
        let tree = tree_in(base.path(), number);
        DirBuilder::new().recursive(true).mode(0o755).create(&tree).unwrap();
        chance.fill(&tree, 0);
        questions.extend((0..PATTERNS_PER_TREE).map(|_| (number, chance.pattern(&tree))));
    }

    let bash = answers_of_bash(base.path(), &questions);
    let ours = answers_of_ours(base.path(), &questions);

    open_again(base.path());
    assert_eq!((bash.len(), ours.len()), (questions.len(), questions.len()));
    let mut differing = Vec::new();
    let mut files = 0;
    for ((question, bash), ours) in questions.iter().zip(bash).zip(ours) {
        let mut bash: Vec<Vec<u8>> = bash.into_iter().map(not_an_option).collect();
        bash.sort();
        bash.dedup();
        files += bash.len();
        if bash != ours {
            differing.push(format!(
                "{} {}:\n  bash {}\n  ours {}",
                question.0,
                shown(&question.1),
                all(&bash),
                all(&ours)
            ));
        }
    }
    println!("{} patterns, {files} files", questions.len());
    assert!(
        differing.is_empty(),
        "{} of {} differ:\n{}",
        differing.len(),
        questions.len(),
        differing[..differing.len().min(10)].join("\n")
    );
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn all(paths: &[Vec<u8>]) -> String {
    paths.iter().map(|path| shown(path)).collect::<Vec<_>>().join(" | ")
}

fn not_an_option(path: Vec<u8>) -> Vec<u8> {
    if path.starts_with(b"-") { [b"./".as_slice(), &path].concat() } else { path }
}

fn answers_of_bash(base: &Path, questions: &[(usize, Vec<u8>)]) -> Vec<Vec<Vec<u8>>> {
    let mut script = b"ask() {\n  cd \"$1\" || exit 9\n  eval \"set -- $2\"\n  for file; do [ -f \"$file\" ] && printf '%s\\0' \"$file\"; done\n  printf '\\0'\n}\n".to_vec();
    for (tree, pattern) in questions {
        script.extend(format!("ask {} '", tree_in(base, *tree).display()).bytes());
        script.extend(pattern);
        script.extend(b"'\n");
    }
    let path = base.join("questions.sh");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let mut bash = somebody::command("bash");
    bash.args(["-O", "globstar", "-O", "nullglob"]).arg(&path).env("LC_ALL", "C.UTF-8").current_dir(base);
    let told = bash.output().unwrap();
    assert!(told.status.success() && told.stderr.is_empty(), "{}", String::from_utf8_lossy(&told.stderr));
    let mut answers = vec![Vec::new()];
    for path in told.stdout.strip_suffix(b"\0").unwrap().split(|byte| *byte == 0) {
        if path.is_empty() {
            answers.push(Vec::new());
        } else {
            answers.last_mut().unwrap().push(path.to_owned());
        }
    }
    answers.pop();
    answers
}

fn answers_of_ours(base: &Path, questions: &[(usize, Vec<u8>)]) -> Vec<Vec<Vec<u8>>> {
    let path = base.join("questions.json");
    fs::write(&path, serde_json::to_vec(questions).unwrap()).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let told = somebody::test("oracle::answers_for_another_process", base, (QUESTIONS, &path));
    let text = String::from_utf8(told.stdout).unwrap();
    let answers = text.lines().find_map(|line| line.strip_prefix("answers: "));
    serde_json::from_str(answers.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&told.stderr)))).unwrap()
}

#[test]
fn answers_for_another_process() {
    let Some(path) = std::env::var_os(QUESTIONS) else { return };
    let questions: Vec<(usize, Vec<u8>)> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let base = Path::new(&path).parent().unwrap();
    let answers: Vec<Vec<Vec<u8>>> = questions
        .into_iter()
        .map(|(tree, pattern)| {
            std::env::set_current_dir(tree_in(base, tree)).unwrap();
            let items = glob(&[OsString::from_vec(pattern)], &GlobOptions::default(), &Notes::default()).unwrap();
            items.map(|item| bytes_of(&item.unwrap().payload)).collect()
        })
        .collect();
    // A line of its own, in one piece with its beginning.
    std::io::stdout()
        .write_all(format!("\nanswers: {}\n", serde_json::to_string(&answers).unwrap()).as_bytes())
        .unwrap();
}

fn bytes_of(payload: &str) -> Vec<u8> {
    RawText::of_json(payload)
        .unwrap_or_else(|| serde_json::from_str::<String>(payload).unwrap().into())
        .as_bytes()
        .to_vec()
}

/// Lets the owner into every directory again, so that they can be removed.
fn open_again(dir: &Path) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap).filter(|entry| entry.file_type().unwrap().is_dir()) {
        fs::set_permissions(entry.path(), Permissions::from_mode(0o755)).unwrap();
        open_again(&entry.path());
    }
}
