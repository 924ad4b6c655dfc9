//! What is seen of a server on which somebody keeps dead rows.

use diesel::connection::SimpleConnection;

use super::*;
use crate::postgres_server::Server;
use crate::without::without_tool;

fn held(conn: &mut PgConnection) -> Vec<HorizonHolder> {
    server_state(conn).unwrap().holders
}

#[test]
fn transactions_that_keep_dead_rows_are_seen_with_whose_they_are_and_since_when() {
    let Some(server) = Server::start_with(&["max_prepared_transactions=2"]) else { return without_tool("postgres") };
    let (url, other) = (server.database(), server.database());
    let connect = |url: &str| PgConnection::establish(url).unwrap();
    let mut conn = connect(&url);
    assert!(held(&mut conn).is_empty());

    let mut forgotten = connect(&format!("{url}&application_name=forgotten"));
    forgotten.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jobs").unwrap();
    let mut elsewhere = connect(&other);
    elsewhere.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jobs").unwrap();
    connect(&url)
        .batch_execute("BEGIN; INSERT INTO settings VALUES ('x', 'y'); PREPARE TRANSACTION 'it''s left'")
        .unwrap();
    let found = held(&mut conn);

    let seen: Vec<_> = found.iter().map(|holder| (holder.kind, holder.name.as_str(), holder.role.as_deref())).collect();
    let pid = found[0].name.clone();
    assert_eq!(
        seen,
        [(HolderKind::Session, pid.as_str(), Some("postgres")), (HolderKind::Prepared, "it's left", Some("postgres")),]
    );
    assert_eq!(found[0].application.as_deref(), Some("forgotten"));
    assert!(found.iter().all(|holder| holder.since.is_some()), "{found:?}");
    conn.batch_execute(&format!("SELECT pg_terminate_backend({pid})")).unwrap();
    conn.batch_execute("ROLLBACK PREPARED 'it''s left'").unwrap();
    let begin = std::time::Instant::now();
    while !held(&mut conn).is_empty() {
        assert!(begin.elapsed() < std::time::Duration::from_secs(20));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
