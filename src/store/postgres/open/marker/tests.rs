//! Markers on this machine; no server.

use std::os::unix::fs::PermissionsExt;
use std::sync::Barrier;
use std::thread;

use super::*;
use crate::store::postgres::open::look::Life;

const SYSTEM: &str = "7712578405957208338";

fn found(database: &str) -> Found {
    Found {
        system: SYSTEM.to_owned(),
        database: database.to_owned(),
        schema: Some(8),
        life: Life::default(),
        may_create: true,
    }
}

fn address(text: &str) -> Address {
    Address::parse(Path::new(text)).unwrap()
}

fn line(marker: &Marker) -> String {
    marker.read().unwrap().into_os_string().into_string().unwrap()
}

#[test]
fn a_marker_keeps_the_last_address_that_worked_and_stays_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let marker = Marker::of(&found("jobs"), &dir.path().join("new")).unwrap();

    let first = marker.keep(&address("postgres://joe:secret@a.example/jobs?options=-cx%3Dy")).unwrap();
    let again = Marker::at(&first.path).unwrap();
    let of_first = line(&again);
    let second = again.keep(&address("postgres://joe@b/jobs")).unwrap();

    assert_eq!(first, second);
    assert!(of_first.contains("host=a.example") && of_first.contains("options=-cx%3Dy"), "{of_first}");
    assert!(line(&marker).contains("host=b") && !line(&marker).contains("a.example"));
    assert!(!fs::read_to_string(&first.path).unwrap().contains("secret"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&first.path), mode(first.path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(first.path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn a_marker_is_never_as_long_as_a_database_of_sqlite_may_be() {
    for length in [0, 1, 510, 511, 512, 1023] {
        for former in [0, 512, 513, 1024] {
            let content = content(&"x".repeat(length), former);

            assert!(!(content.len() as u64).is_multiple_of(SMALLEST_PAGE) && content.len() as u64 >= former);
            assert!(content[length..].iter().all(|&byte| byte == b'\n') && content.len() > length);
        }
    }
}

#[test]
fn a_database_of_any_name_has_a_marker_of_its_own() {
    let dir = tempfile::tempdir().unwrap();

    for name in ["a/b", "..", "jobs.d", "jobs", "a-b", "%2F", "ä b\n", &"ü".repeat(31)] {
        let marker = Marker::of(&found(name), dir.path()).unwrap();
        let file = marker.keep(&address("postgres://h/x")).unwrap();
        let read = Marker::at(&file.path).unwrap();

        assert_eq!((read.database.as_str(), read.system.as_str()), (name, SYSTEM));
        assert_eq!(file.path.parent().unwrap(), fs::canonicalize(dir.path()).unwrap().join(DIRECTORY));
    }
    assert_eq!(fs::read_dir(dir.path().join(DIRECTORY)).unwrap().count(), 8);
}

#[test]
fn files_of_sqlite_are_no_markers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("{SYSTEM}-jobs"));

    fs::write(&path, [0; 4096]).unwrap();
    assert!(Marker::at(&path).is_none());
    fs::write(&path, "").unwrap();
    assert!(Marker::at(&path).is_none());
    assert!(Marker::at(Path::new("jobs.db")).is_none());
}

#[test]
fn a_marker_that_is_missing_holds_nothing_or_is_somebody_elses_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join(format!("{SYSTEM}-jobs"));

    assert!(matches!(Marker::at(&path).unwrap().read(), Err(StoreError::NoDatabase { .. })));
    fs::write(&path, "host=h password=x\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let said = Marker::at(&path).unwrap().read().unwrap_err().to_string();
    assert!(said.contains("holds no address") && !said.contains("password"), "{said}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(Marker::at(&path).unwrap().read(), Err(StoreError::Files { .. })));
}

#[test]
fn a_server_that_is_another_one_by_now_is_refused_by_name() {
    let marker = Marker::at(Path::new("/s/7712578405957208338-jobs")).unwrap();
    let (address, other) = (address("postgres://db/jobs"), Found { system: "8".repeat(19), ..found("jobs") });

    assert!(marker.refuse_other_database(&address, &found("jobs")).is_ok());
    assert!(marker.refuse_other_database(&address, &found("jobs2")).is_err());
    let said = marker.refuse_other_database(&address, &other).unwrap_err().to_string();
    assert!(said.contains("stands for another database") && said.contains("8888888888888888888-jobs"), "{said}");
}

#[test]
fn many_at_once_make_one_marker() {
    let dir = tempfile::tempdir().unwrap();
    let start = Barrier::new(8);

    let files: Vec<DatabaseFile> = thread::scope(|scope| {
        let one = |number: usize| {
            let (dir, start) = (dir.path(), &start);
            scope.spawn(move || {
                start.wait();
                let address =
                    address(&format!("postgres://h{number}/jobs?application_name={}", "x".repeat(600 * (number % 2))));
                Marker::of(&found("jobs"), dir).unwrap().keep(&address).unwrap()
            })
        };
        let threads: Vec<_> = (0..8).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    assert!(files.iter().all(|file| *file == files[0]));
    Address::parse(&Marker::at(&files[0].path).unwrap().read().unwrap()).unwrap();
    assert_eq!(fs::read_dir(dir.path().join(DIRECTORY)).unwrap().count(), 1);
}

#[test]
fn the_directory_of_the_state_is_absolute_or_none() {
    let of = |given: Option<&str>, home: Option<&str>| state_dir_of(given.map(Into::into), home.map(Into::into));

    assert_eq!(of(Some("/x"), None), Some("/x".into()));
    for given in [None, Some(""), Some("relative/state")] {
        assert_eq!(of(given, Some("/home/joe")), Some("/home/joe/.local/state".into()));
        assert_eq!(of(given, Some("")), None);
        assert_eq!(of(given, None), None);
    }
}
