//! Where a database may be.

use std::os::unix::fs::symlink;

use super::*;
use crate::store::{Access, Store};

fn said(path: &Path) -> String {
    place_of(path).unwrap_err().to_string()
}

#[test]
fn a_file_and_a_missing_name_in_a_directory_that_exists_are_places_for_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jobs.db");

    assert_eq!(place_of(&path).unwrap(), Place { path: path.clone(), exists: false });
    fs::write(&path, "").unwrap();
    assert_eq!(place_of(&path).unwrap(), Place { path, exists: true });
}

#[test]
fn a_missing_directory_is_named_and_so_is_a_file_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();

    for (db, missing) in [("disk/jobs.db", "disk"), ("disk/a/jobs.db", "disk/a"), ("file/jobs.db", "file")] {
        let refused = place_of(&dir.path().join(db)).unwrap_err();
        assert!(matches!(&refused, StoreError::NoDirectory { dir: d, .. } if *d == dir.path().join(missing)), "{db}");
    }
    assert!(!dir.path().join("disk").exists());
}

#[test]
fn what_is_no_file_is_refused_by_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let link = dir.path().join("link");
    symlink("/dev/null", &link).unwrap();

    assert!(said(dir.path()).contains("it is a directory"));
    assert!(said(&dir.path().join("new/")).contains("it is a directory"));
    assert!(said(&pipe).contains("it is a pipe"));
    assert!(said(&socket).contains("it is a socket"));
    assert!(said(Path::new("/dev/null")).contains("it is a device"));
    assert!(said(&link).contains("it is a device"));
    assert!(said(Path::new("")).contains("path of the database is empty"));
}

#[test]
fn a_link_is_the_file_that_it_leads_to_and_a_dangling_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().canonicalize().unwrap().join("jobs.db");
    let (link, dangling) = (dir.path().join("link"), dir.path().join("dangling"));
    fs::write(&real, "").unwrap();
    symlink("jobs.db", &link).unwrap();
    symlink("/nowhere/jobs.db", &dangling).unwrap();

    assert_eq!(place_of(&link).unwrap(), Place { path: real, exists: true });
    assert!(said(&dangling).contains("a link to /nowhere/jobs.db, which does not exist"));
}

#[test]
fn fault_112_the_path_of_a_database_has_no_links_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().canonicalize().unwrap().join("real");
    fs::create_dir(&real).unwrap();
    symlink("real", dir.path().join("link")).unwrap();
    let given = dir.path().join("link/jobs.db");

    assert_eq!(place_of(&given).unwrap(), Place { path: real.join("jobs.db"), exists: false });
    fs::write(&given, "").unwrap();
    assert_eq!(place_of(&given).unwrap(), Place { path: real.join("jobs.db"), exists: true });
}

#[test]
fn fault_194_a_database_that_is_replaced_while_it_is_opened_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let (path, theirs) = (dir.join("jobs.db"), dir.join("theirs.db"));
    drop(Store::open(&path, Access::Create).unwrap());
    drop(Store::open(&theirs, Access::Create).unwrap());
    let found = Found::at(&path).unwrap();
    assert!(found.refuse_replaced().is_ok());

    fs::rename(&theirs, &path).unwrap();
    assert!(matches!(found.refuse_replaced(), Err(StoreError::Moved { .. })));
    fs::rename(&path, &theirs).unwrap();
    symlink(&theirs, &path).unwrap();
    assert!(matches!(found.refuse_replaced(), Err(StoreError::Moved { .. })));
}

#[test]
fn fault_194_what_is_planted_after_the_look_is_seen_in_a_directory_of_several() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap().join("jobs.db");
    drop(Store::open(&path, Access::Create).unwrap());
    let found = Found::at(&path).unwrap();
    found.refuse_planted().unwrap();
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o775)).unwrap();

    symlink("/etc/passwd", dir.path().join("jobs.db-wal")).unwrap();

    assert!(matches!(found.refuse_replaced(), Err(StoreError::Planted(_))));
}

#[test]
fn fault_112_a_file_with_a_second_hard_link_is_not_opened_to_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let (path, second) = (dir.path().join("jobs.db"), dir.path().join("second.db"));
    drop(Store::open(&path, Access::Create).unwrap());

    fs::hard_link(&path, &second).unwrap();
    let refused = |path: &Path, access| Store::open(path, access).err().map(|error| error.to_string());

    for name in [&path, &second] {
        for access in [Access::Create, Access::Write, Access::Manage] {
            assert!(refused(name, access).unwrap().contains("has 2 names"), "{access:?}");
        }
    }
    // Nobody knows whether the other name has a log that is read with it.
    assert!(refused(&path, Access::Read).unwrap().contains("has 2 names"));
    fs::remove_file(&second).unwrap();
    assert_eq!(refused(&path, Access::Write), None);
}
