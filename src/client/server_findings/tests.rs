//! What is said of a server, as a function of what was seen.

use super::*;
use crate::model::Timestamp;
use crate::store::{HolderKind, HorizonHolder};

const MINUTE: Duration = Duration::from_secs(60);

fn settings() -> ServerSettings {
    ServerSettings {
        number: 150_004,
        version: "15.4".to_owned(),
        fsync: true,
        full_page_writes: true,
        synchronous_commit: "on".to_owned(),
        autovacuum: true,
        role: "joe".to_owned(),
        sees_all: true,
        in_clear: None,
        connections_left: 50,
        max_connections: 100,
        managers: 3,
    }
}

fn held(kind: HolderKind, name: &str, held: Option<Duration>, transactions: i64) -> HorizonHolder {
    HorizonHolder {
        kind,
        name: name.to_owned(),
        application: None,
        role: Some("ann".to_owned()),
        since: held.map(|held| (Timestamp::from_micros(0), held)),
        transactions,
    }
}

fn said(settings: ServerSettings, holders: Vec<HorizonHolder>, about: &str) -> Vec<String> {
    let state = ServerState { settings, standbys: Vec::new(), holders, tables_without_vacuum: Vec::new() };
    let findings = of(&state, LONG_TRANSACTION).into_iter().filter(|finding| finding.about == about);
    findings.map(|finding| format!("{}: {}", finding.severity.word(), finding.message)).collect()
}

#[test]
fn a_server_of_another_version_than_those_tested_is_named() {
    let of = |number, version: &str| {
        said(ServerSettings { number, version: version.to_owned(), ..settings() }, Vec::new(), "server")
    };

    assert_eq!(of(150_004, "15.4"), ["ok: PostgreSQL 15.4"]);
    assert_eq!(
        of(140_000, "14.0"),
        ["warn: PostgreSQL 14.0 is older than what was tested, 15: try it with a small job before"]
    );
    assert_eq!(
        of(190_001, "19.1"),
        ["warn: PostgreSQL 19.1 is newer than what was tested, 15: try it with a small job before"]
    );
}

#[test]
fn only_what_keeps_dead_rows_for_long_is_named_with_how_to_end_it() {
    let short = held(HolderKind::Session, "41", Some(MINUTE), 9);
    let long =
        HorizonHolder { application: Some("psql".to_owned()), ..held(HolderKind::Session, "42", Some(7 * MINUTE), 9) };
    let prepared = held(HolderKind::Prepared, "it's left", Some(60 * MINUTE), 9);
    let slot = |kind, transactions| HorizonHolder { role: None, ..held(kind, "s", None, transactions) };

    assert_eq!(
        said(settings(), vec![short.clone(), slot(HolderKind::Slot, 7)], "dead rows"),
        ["ok: nobody keeps them from being removed"]
    );
    assert_eq!(
        said(settings(), vec![prepared.clone(), long, short], "dead rows"),
        [
            "warn: held by a prepared transaction of user ann since 1970-01-01T00:00:00.000Z (1h00m): \
             COMMIT or ROLLBACK PREPARED 'it''s left'",
            "warn: held by psql of user ann since 1970-01-01T00:00:00.000Z (7m00s): end that, or SELECT pg_terminate_backend(42)",
        ]
    );
    assert_eq!(
        said(settings(), vec![slot(HolderKind::Slot, 2_000_000), slot(HolderKind::UnusedSlot, 0)], "dead rows"),
        [
            "warn: held by the replication slot s for 2000000 transactions: look at the server that reads it",
            "warn: nobody reads the replication slot s, which holds rows and log: SELECT pg_drop_replication_slot('s')",
        ]
    );
    let many = said(settings(), vec![prepared; 5], "dead rows");
    assert_eq!((many.len(), many[3].as_str()), (4, "warn: 2 more hold them: look at those first"));
}

#[test]
fn connections_are_few_when_the_managers_could_not_begin_theirs_again() {
    let of = |left| said(ServerSettings { connections_left: left, ..settings() }, Vec::new(), "sessions");

    assert_eq!(of(9), ["ok: 9 of 100 connections are left"]);
    assert_eq!(
        of(-1),
        [
            "warn: 0 of 100 connections are left, and 3 managers can need 9: raise max_connections, or the limit of the role or \
             the database"
        ]
    );
}
