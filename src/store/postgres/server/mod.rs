//! What a server is set to and what goes on there, as far as it can hurt jobs: looked at on one snapshot, judged elsewhere.
//!
//! A role that may not see the sessions of others is told so; what it cannot see is skipped and never guessed.

mod counters;
mod horizon;
mod standbys;

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

pub use counters::CounterCheck;
pub(in crate::store) use counters::counters;
pub use horizon::{HolderKind, HorizonHolder};
pub use standbys::Standby;

/// The settings of a session on a server, and of the server.
#[derive(Debug, Clone, QueryableByName)]
pub struct ServerSettings {
    /// Its version as a number, 150004 for 15.4.
    #[diesel(sql_type = Integer)]
    pub number: i32,
    /// Its version in words.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// Whether it waits for its disk.
    #[diesel(sql_type = Bool)]
    pub fsync: bool,
    /// Whether a page that was half written by a crash is whole again afterwards.
    #[diesel(sql_type = Bool)]
    pub full_page_writes: bool,
    /// What a commit of this session waits for.
    #[diesel(sql_type = Text)]
    pub synchronous_commit: String,
    /// Whether tables are vacuumed at all.
    #[diesel(sql_type = Bool)]
    pub autovacuum: bool,
    /// The role of this session.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// Whether that role may see what the sessions of others do.
    #[diesel(sql_type = Bool)]
    pub sees_all: bool,
    /// The server's address, where what is sent to it can be read on the way.
    #[diesel(sql_type = Nullable<Text>)]
    pub in_clear: Option<String>,
    /// Sessions that this role can still begin.
    #[diesel(sql_type = BigInt)]
    pub connections_left: i64,
    /// Sessions that the server has at most.
    #[diesel(sql_type = BigInt)]
    pub max_connections: i64,
    /// Managers that have not ended.
    #[diesel(sql_type = BigInt)]
    pub managers: i64,
}

// What a role may not see of the sessions of others is neither their database nor their role. Those of superusers are limited
// by the server only, and may use what it reserves; managers should not have to.
const SETTINGS: &str = "
SELECT current_setting('server_version_num')::int AS number,
       current_setting('server_version') AS version,
       current_setting('fsync')::bool AS fsync,
       current_setting('full_page_writes')::bool AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('autovacuum')::bool AND current_setting('track_counts')::bool AS autovacuum,
       current_user::text AS role,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
       (SELECT host(inet_server_addr())
         WHERE NOT inet_client_addr() <<= '127.0.0.0/8' AND NOT inet_client_addr() <<= '::1/128'
           AND NOT EXISTS (SELECT FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl)
           AND NOT EXISTS (SELECT FROM pg_stat_gssapi WHERE pid = pg_backend_pid() AND encrypted)) AS in_clear,
       least(most - current_setting('superuser_reserved_connections')::int
                  - coalesce(current_setting('reserved_connections', true)::int, 0) - used,
             CASE WHEN NOT is_superuser AND rolconnlimit >= 0 THEN rolconnlimit - by_role END,
             CASE WHEN NOT is_superuser AND datconnlimit >= 0 THEN datconnlimit - in_database END)::bigint AS connections_left,
       most::bigint AS max_connections,
       (SELECT count(*) FROM managers WHERE state = 'live') AS managers
  FROM (SELECT current_setting('max_connections')::int AS most, current_setting('is_superuser')::bool AS is_superuser) AS settings
 CROSS JOIN (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role
 CROSS JOIN (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database
 CROSS JOIN (SELECT count(*) AS used, count(*) FILTER (WHERE usename = current_user) AS by_role,
                    count(*) FILTER (WHERE datname = current_database()) AS in_database
               FROM pg_stat_activity WHERE datid IS NOT NULL) AS sessions";

const TABLES_WITHOUT_VACUUM: &str = "
SELECT c.relname::text AS name
  FROM pg_class c CROSS JOIN LATERAL pg_options_to_table(c.reloptions) AS option
 WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind = 'r'
   AND option_name = 'autovacuum_enabled' AND NOT option_value::bool
 ORDER BY 1";

/// What a server is like at one moment.
#[derive(Debug, Clone)]
pub struct ServerState {
    /// Its settings.
    pub settings: ServerSettings,
    /// Servers that follow it.
    pub standbys: Vec<Standby>,
    /// Who keeps rows that are dead from being removed, the oldest first.
    pub holders: Vec<HorizonHolder>,
    /// Tables of ours that are not vacuumed.
    pub tables_without_vacuum: Vec<String>,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Looks at the server.
pub(in crate::store) fn server_state(conn: &mut PgConnection) -> QueryResult<ServerState> {
    let tables: Vec<Name> = sql_query(TABLES_WITHOUT_VACUUM).load(conn)?;
    Ok(ServerState {
        settings: sql_query(SETTINGS).get_result(conn)?,
        standbys: standbys::standbys(conn)?,
        holders: horizon::holders(conn)?,
        tables_without_vacuum: tables.into_iter().map(|table| table.name).collect(),
    })
}

#[cfg(test)]
mod tests;
