//! What a glob promises beside the names that bash finds, for which there is an oracle.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rustix::fs::inotify;

use super::*;

/// Makes a directory with empty files, and directories where a name ends in a slash.
fn tree(names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in names {
        let path = dir.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }
    dir
}

/// Returns the paths that patterns find, without the directory they start from, and what is said about them.
fn found(dir: &Path, patterns: &[&str], exclude: &[&str]) -> (Vec<String>, Vec<String>) {
    let texts = |texts: &[&str]| texts.iter().map(OsString::from).collect::<Vec<_>>();
    let options = GlobOptions { exclude: texts(exclude), hidden: false, below: Some(dir.to_owned()), unnamed: false };
    let notes = Notes::default();
    let prefix = format!("{}/", dir.display());
    let items = glob(&texts(patterns), &options, &notes).unwrap();
    let paths = items.map(|item| serde_json::from_str::<String>(&item.unwrap().payload).unwrap());
    let paths = paths.map(|path| path.strip_prefix(&prefix).unwrap_or(&path).to_owned()).collect();
    (paths, notes.texts().iter().map(|text| text.replace(&prefix, "")).collect())
}

#[test]
fn files_come_once_in_the_order_of_their_bytes_whatever_the_patterns() {
    let dir = tree(&["a/x", "a.txt", "a-b", "b/deep/y.txt", "b/.git/z", ".hidden", "odd [1].txt"]);

    let (all, notes) = found(dir.path(), &["**/*", "*.{txt,md}", "a/*", "./a/x", "b//deep/*"], &[]);

    assert_eq!(all, ["./a/x", "a-b", "a.txt", "b//deep/y.txt", "odd [1].txt"].map(str::to_owned));
    assert_eq!(notes, [r#"no file matches "*.md" of "*.{txt,md}""#]);
}

#[test]
fn a_link_to_a_directory_is_entered_by_a_star_and_not_below_two() {
    let dir = tree(&["real/x.jpg", "real/sub/y.jpg"]);
    symlink("real", dir.path().join("link")).unwrap();
    symlink("..", dir.path().join("real/sub/loop")).unwrap();
    symlink("nowhere", dir.path().join("dangling.jpg")).unwrap();
    symlink("real/x.jpg", dir.path().join("file.jpg")).unwrap();

    assert_eq!(found(dir.path(), &["*/*.jpg"], &[]).0, ["link/x.jpg", "real/x.jpg"]);
    assert_eq!(found(dir.path(), &["**/*.jpg"], &[]).0, ["file.jpg", "real/sub/y.jpg", "real/x.jpg"]);
}

#[test]
fn doubled_slashes_and_dots_lead_where_a_shell_is_led() {
    let dir = tree(&["p/x/a.jpg", "p/b.jpg"]);

    assert_eq!(found(dir.path(), &["p//x/*.jpg"], &[]).0, ["p//x/a.jpg"]);
    assert_eq!(found(dir.path(), &["./p/*"], &[]).0, ["./p/b.jpg"]);
    assert_eq!(found(dir.path(), &["p/x/../*.jpg"], &[]).0, ["p/x/../b.jpg"]);
}

#[test]
fn an_exclude_without_a_slash_is_a_name_at_any_depth_and_its_directory_is_not_entered() {
    let dir = tree(&["src/a.c", "src/build/b.c", "build/c.c", "lib/d.tmp", "lib/.e.tmp"]);

    assert_eq!(found(dir.path(), &["**/*.c"], &["build"]).0, ["src/a.c"]);
    assert_eq!(found(dir.path(), &["**/*"], &["*.{tmp,c}"]).0, Vec::<String>::new());
    assert_eq!(found(dir.path(), &["lib/{,.}*"], &["*.tmp"]).0, Vec::<String>::new());
    // Who writes a directory out wants to go there.
    assert_eq!(found(dir.path(), &["build/*.c"], &["build"]).0, ["build/c.c"]);
}

#[test]
fn an_exclude_with_a_slash_is_a_path_however_both_are_written() {
    let dir = tree(&["p/a1", "p/b", "q/p/a2", "p/a/deep/c"]);
    let absolute = format!("{}/p/a*", dir.path().display());

    for exclude in ["p/a*", "./p/a*", "p//a*", "/p/a*", &absolute, "{p,x}/a*"] {
        assert_eq!(found(dir.path(), &["./p/**"], &[exclude]).0, ["./p/b"], "{exclude}");
        let all = format!("{}/**/*", dir.path().display());
        assert_eq!(found(dir.path(), &[&all], &[exclude]).0, ["p/b", "q/p/a2"], "{exclude}");
    }
    assert_eq!(found(dir.path(), &["**/a*"], &["**/p/a2"]).0, ["p/a1"]);
    assert_eq!(found(dir.path(), &["**"], &["p/**"]).0, ["q/p/a2"]);
    // Only the directory is meant by a slash at the end.
    assert_eq!(found(dir.path(), &["p/**"], &["a*/"]).0, ["p/a1", "p/b"]);
}

#[test]
fn patterns_and_excludes_that_did_nothing_are_named() {
    let dir = tree(&["p/a", "p/b"]);

    let (files, notes) = found(dir.path(), &["p/a", "p/*.jpg", "nowhere/*", "p/"], &["*.tmp", "b"]);

    assert_eq!(files, ["p/a"]);
    assert_eq!(
        notes,
        [
            r#"no file matches "p/*.jpg""#,
            r#"no file matches "nowhere/*""#,
            r#"no file matches "p/""#,
            r#"the exclude "*.tmp" skipped nothing"#,
            r#"the exclude "b" skipped nothing"#,
        ]
    );
    assert_eq!(found(dir.path(), &["p/b*"], &["b"]).1, [r#"no file matches "p/b*" that is not excluded"#]);
}

#[test]
fn an_alternative_that_matched_nothing_is_named() {
    let dir = tree(&["a.jpg", "c1", "c3"]);
    let notes = |pattern| found(dir.path(), &[pattern], &["c3"]).1;
    let excluded = "the exclude \"c3\" skipped nothing";

    assert_eq!(notes("{a,b}.jpg"), [r#"no file matches "b.jpg" of "{a,b}.jpg""#, excluded]);
    assert_eq!(notes("{a,a*,}.jpg"), [r#"no file matches ".jpg" of "{a,a*,}.jpg""#, excluded]);
    assert_eq!(notes("c{1..3}"), [r#"no file matches "c2" and 1 other alternative of "c{1..3}" that is not excluded"#]);
    assert_eq!(notes("{x,y}"), [r#"no file matches "{x,y}""#, excluded]);
}

#[test]
fn names_that_are_no_text_are_found_as_they_are() {
    let dir = tree(&["caf"]);
    fs::write(dir.path().join(OsStr::from_bytes(b"caf\xe9")), "").unwrap();

    assert_eq!(walk_in(dir.path(), &["caf?"]), [b"caf\xe9".to_vec()]);
}

/// Returns the bytes of the items that relative patterns find in the directory of a process of its own kind.
fn walk_in(dir: &Path, patterns: &[&str]) -> Vec<Vec<u8>> {
    let patterns: Vec<OsString> = patterns.iter().map(|pattern| pattern.into()).collect();
    let options = GlobOptions { below: Some(dir.to_owned()), ..GlobOptions::default() };
    let prefix = [dir.as_os_str().as_bytes(), b"/"].concat();
    let bytes = |item: Item| {
        let json = item.payload;
        let path = RawText::of_json(&json).unwrap_or_else(|| serde_json::from_str::<String>(&json).unwrap().into());
        path.as_bytes().strip_prefix(prefix.as_slice()).unwrap().to_vec()
    };
    glob(&patterns, &options, &Notes::default()).unwrap().map(|item| bytes(item.unwrap())).collect()
}

#[test]
fn nothing_is_opened_in_which_no_pattern_can_match() {
    let dir = tree(&["p/x/a.jpg", "p/never/deep/b.jpg", "p/q/c.jpg"]);
    let opened = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    inotify::add_watch(&opened, dir.path().join("p/never"), inotify::WatchFlags::OPEN).unwrap();
    let mut buffer = [std::mem::MaybeUninit::uninit(); 512];
    let mut is_opened = || {
        let mut events = inotify::Reader::new(&opened, &mut buffer);
        // Those with a name are about what is in it.
        std::iter::from_fn(|| events.next().ok().map(|event| event.file_name().is_none())).any(|is_itself| is_itself)
    };

    for pattern in ["p/*", "p/[xq]/*", "p/x/**", "p/{x,q}/*.jpg", "p/never/deep/*", "*/*/deep/*"] {
        found(dir.path(), &[pattern], &[]);
        assert!(!is_opened(), "{pattern}");
    }
    found(dir.path(), &["p/**/*.jpg"], &["never"]);
    assert!(!is_opened(), "it is excluded");
    found(dir.path(), &["p/*/*"], &[]);
    assert!(is_opened(), "nobody watches");
}

#[test]
fn what_cannot_be_read_is_counted_and_the_rest_is_found() {
    const NAME: &str = "what_cannot_be_read_is_counted_and_the_rest_is_found";
    const TREE: &str = "JM_TEST_GLOB_TREE";
    if let Some(tree) = std::env::var_os(TREE) {
        let (files, notes) = found(Path::new(&tree), &["*/*.jpg"], &[]);
        assert_eq!(files, ["open/a.jpg"]);
        assert_eq!(notes, ["skipped 3 paths that cannot be read: closed: Permission denied (os error 13), …"]);
        let (files, notes) = found(Path::new(&tree), &["{passed,open}/a.jpg", "closed/*"], &[]);
        assert_eq!(files, ["open/a.jpg", "passed/a.jpg"]);
        let closed = "skipped 1 path that cannot be read: closed: Permission denied (os error 13)";
        assert_eq!(notes, [closed, r#"no file matches "closed/*""#]);
        return;
    }
    if !somebody::is_there() {
        return;
    }
    let dir = tree(&["tree/open/a.jpg", "tree/passed/a.jpg", "tree/listed/a.jpg", "tree/closed/a.jpg"]);
    let tree = dir.path().join("tree");
    let set_modes = |modes: [(&str, u32); 4]| {
        for (name, mode) in modes {
            fs::set_permissions(tree.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    set_modes([("", 0o755), ("passed", 0o111), ("listed", 0o444), ("closed", 0o000)]);

    let told = somebody::test(&format!("tests::{NAME}"), dir.path(), (TREE, &tree));

    set_modes([("", 0o755), ("passed", 0o755), ("listed", 0o755), ("closed", 0o755)]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[test]
fn a_pattern_that_is_none_is_refused_by_name() {
    let refused = |pattern: &[u8]| {
        let error =
            glob(&[OsString::from_vec(pattern.to_vec())], &GlobOptions::default(), &Notes::default()).err().unwrap();
        format!("{error}: {}", std::error::Error::source(&error).unwrap())
    };

    assert_eq!(refused(b"a\\"), r#"invalid pattern "a\\": it ends in a backslash, write \\ for one that is meant"#);
    assert!(refused(b"[[:number:]]").contains("[:number:] is not a class of characters"));
    assert!(refused(b"{1..99999}").contains("more than 10000 patterns"));
    assert!(refused(b"a\0b").contains("NUL"));
}
