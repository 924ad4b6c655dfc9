//! Which processes are known by their marks.

use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};

use super::*;

#[test]
fn a_marked_process_is_ended_and_a_stranger_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut marked =
        Command::new("sleep").arg("600").env(COOKIE_VARIABLE, "orphan-test-1:7").stdin(Stdio::null()).spawn().unwrap();
    let mut stranger =
        Command::new("sleep").arg("600").env(COOKIE_VARIABLE, "orphan-test-2:7").stdin(Stdio::null()).spawn().unwrap();

    let database = DatabaseFile { path: dir.path().join("jobs.db"), device: 1, inode: 1 };
    let cookie = Cookie { begin: "orphan-test-1:", units: None, database: &database };
    let outcome = end_orphans(Some(cookie), dir.path(), Duration::from_secs(5)).unwrap();

    assert_eq!((outcome.ended, outcome.left), (1, vec![]));
    assert!(marked.wait().unwrap().code().is_none());
    assert!(stranger.try_wait().unwrap().is_none());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_process_without_the_cookie_is_known_by_its_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let slot = super::super::SlotFile::at(dir.path().join("0"));
    let mut child = Command::new("sleep").arg("600").stdin(slot.occupy(b"").unwrap()).spawn().unwrap();
    assert!(!slot.is_free().unwrap());

    let outcome = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();

    assert_eq!((outcome.ended, outcome.left), (1, vec![]));
    child.wait().unwrap();
    assert!(slot.is_free().unwrap());
}

#[test]
fn fault_137_a_process_without_marks_is_known_by_the_lock_it_keeps_also_when_it_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let slot = super::super::SlotFile::at(dir.path().join("0"));
    let script = |script: &str, stdin: Stdio| {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(stdin).stdout(Stdio::piped()).spawn().unwrap()
    };
    let shed = "exec 9<&0 </dev/null; echo; exec sleep 600 >&-";
    let mut holder = script(shed, slot.occupy(b"").unwrap().into());
    let mut reader = script(shed, File::open(slot.path()).unwrap().into());
    for child in [&mut holder, &mut reader] {
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    }
    signal_all(&[pidfd_open(Pid::from_child(&holder), PidfdFlags::empty()).unwrap()], Signal::STOP);

    let by_marks = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();
    let by_lock = end_lock_holders(dir.path(), Duration::from_secs(5)).unwrap();

    assert_eq!((by_marks, by_lock), (Orphans::default(), 1));
    holder.wait().unwrap();
    assert!(slot.is_free().unwrap());
    assert!(reader.try_wait().unwrap().is_none());
    reader.kill().unwrap();
    reader.wait().unwrap();
}

#[test]
fn fault_112_a_process_of_another_copy_is_left_alone_until_that_copy_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours.db"), dir.path().join("theirs.db"));
    let file = |path: &Path| {
        fs::write(path, "").unwrap();
        let found = fs::metadata(path).unwrap();
        DatabaseFile { path: path.to_owned(), device: found.dev(), inode: found.ino() }
    };
    let (ours, copy) = (file(&ours), file(&theirs));
    let mut unit = Command::new("sleep")
        .arg("600")
        .env(COOKIE_VARIABLE, format!("orphan-test-3:1:1:1;{}", copy.to_text()))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let end = || {
        let cookie = Cookie { begin: "orphan-test-3:", units: None, database: &ours };
        end_orphans(Some(cookie), dir.path(), Duration::from_secs(5)).unwrap()
    };

    let beside_it = end();
    fs::remove_file(&theirs).unwrap();
    let after_it = end();

    unit.wait().unwrap();
    assert_eq!((beside_it, after_it), (Orphans::default(), Orphans { ended: 1, left: vec![] }));
}

#[test]
fn a_process_that_is_executing_a_program_has_its_mark_all_the_time() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("again");
    fs::write(&script, "i=0; while [ $i -lt 500 ]; do i=$((i + 1)); done; [ $1 = 300 ] || exec sh $0 $(($1 + 1))")
        .unwrap();
    let mut child = Command::new("sh").arg(&script).arg("1").env(COOKIE_VARIABLE, "orphan-test-4:7").spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();

    let (mut was_missing, mut came_back) = (false, false);
    while child.try_wait().unwrap().is_none() {
        // One that is ending has none any more.
        match cookie_of(pid, COOKIE_VARIABLE).unwrap() {
            Some(_) => came_back |= was_missing,
            None => was_missing = true,
        }
    }

    assert!(!came_back);
}

#[test]
fn a_process_without_an_environment_is_not_waited_for() {
    let mut child = Command::new("/bin/sleep").arg("600").env_clear().spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    // It is there a moment after it has begun to execute its program.
    let begins = || environment_place(pid);
    while begins().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }

    let began = Instant::now();
    let environment = environment_of(pid).unwrap();
    let took = began.elapsed();

    child.kill().unwrap();
    child.wait().unwrap();
    assert!(environment.is_empty() && took < LONGEST_EXECUTION, "{environment:?} after {took:?}");
}

/// Mounts another file system at the directory `$1`, keeps a file and a lock there, and says so.
const CONTAINER: &str = "mount -t tmpfs none \"$1\" && : >\"$1/0\" && exec <\"$1/0\" 9>\"$1/1\" && flock 9 && eval \"$2\" \
    && echo && exec sleep 600 >&-";

#[test]
fn fault_290_a_process_of_another_container_is_none_of_ours_although_its_files_have_the_same_names() {
    if !rustix::process::geteuid().is_root() {
        return crate::without::without("mounting needs root");
    }
    for then in [":", "rm \"$1/0\" \"$1/1\""] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("0"), "").unwrap();
        fs::write(dir.path().join("1"), "").unwrap();
        let mut theirs = Command::new("unshare");
        theirs.args(["-m", "sh", "-c", CONTAINER, "sh"]).arg(dir.path()).arg(then).stdout(Stdio::piped());
        let mut theirs = theirs.spawn().unwrap();
        theirs.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();

        let by_marks = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();
        let by_lock = end_lock_holders(dir.path(), Duration::from_secs(5)).unwrap();

        let lives = theirs.try_wait().unwrap().is_none();
        // One that was ended has ended.
        let _ = theirs.kill();
        theirs.wait().unwrap();
        assert_eq!((by_marks, by_lock, lives), (Orphans::default(), 0, true), "{then}");
    }
}

#[test]
fn fault_290_a_process_whose_slot_was_deleted_is_ours_still() {
    let dir = tempfile::tempdir().unwrap();
    let slot = super::super::SlotFile::at(dir.path().join("0"));
    let mut child = Command::new("sleep").arg("600").stdin(slot.occupy(b"").unwrap()).spawn().unwrap();
    fs::remove_file(slot.path()).unwrap();

    let outcome = end_orphans(None, dir.path(), Duration::from_secs(5)).unwrap();

    // One that was ended has ended.
    let _ = child.kill();
    child.wait().unwrap();
    assert_eq!((outcome.ended, outcome.left), (1, vec![]));
}
