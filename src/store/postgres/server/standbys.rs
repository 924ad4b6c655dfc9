//! Servers that follow a server.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Nullable, Text};

/// A server that follows another one.
#[derive(Debug, Clone, QueryableByName)]
pub struct Standby {
    /// The name that it has given itself, if this role may see it.
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    /// Whether commits wait for it, if this role may see that.
    #[diesel(sql_type = Nullable<Bool>)]
    pub is_synchronous: Option<bool>,
}

// What is decoded from the log, and a copy of the files that is under way, are no servers that could take over.
const STANDBYS: &str = "
SELECT application_name AS name, sync_state IN ('sync', 'quorum') AS is_synchronous
  FROM pg_stat_replication AS sender LEFT JOIN pg_replication_slots ON active_pid = sender.pid
 WHERE slot_type IS DISTINCT FROM 'logical' AND state IS DISTINCT FROM 'backup'
 ORDER BY application_name";

/// Returns the servers that follow this one at the moment.
pub(super) fn standbys(conn: &mut PgConnection) -> QueryResult<Vec<Standby>> {
    sql_query(STANDBYS).load(conn)
}
