//! What became of a commit whose answer never came.
//!
//! The server knows it by the number of the transaction. After a crash it may have given the number of one that was lost
//! to another one; a number that it knew of when it came back is not such. Known weaknesses: a checkpoint between a crash and
//! the question hides that, and nothing is known after a failover to another server.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use super::open::Life;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;

statement! { struct Number {} "SELECT pg_current_xact_id()::text" -> Text }

statement! {
    struct Outcome {
        "SELECT pg_xact_status(asked.number), asked.number < (split_part(next_xid, ':', 1)::numeric * 4294967296 \
         + split_part(next_xid, ':', 2)::numeric)::text::xid8 FROM pg_control_checkpoint(), (SELECT (" number: String as Text,
    }
    ")::text::xid8 AS number) AS asked" -> (Nullable<Text>, Bool)
}

/// A number that is higher than that of any transaction there was.
const NEVER: &str = "is in the future";

/// A transaction, by which the server is asked for its outcome.
pub(in crate::store) struct Commit(String);

/// What a server says about a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kept {
    /// All of the transaction is there.
    Yes,
    /// Nothing of it is.
    No,
    /// It has not ended.
    NotYet,
    /// Nobody can tell.
    Unknown,
}

impl Commit {
    /// Returns the transaction that is under way.
    pub fn of(conn: &mut DbConnection) -> Result<Commit, Failure> {
        Ok(Commit(Number {}.get_result(conn)?))
    }

    /// Asks, in a later session, whether it was kept; the lives are those of the server then and now.
    pub fn is_kept(&self, conn: &mut DbConnection, then: &Life, now: &Life) -> Result<Kept, Failure> {
        let asked: QueryResult<(Option<String>, bool)> = Outcome { number: self.0.clone() }.get_result(conn);
        let (status, is_before_checkpoint) = match asked {
            Err(error) if error.to_string().contains(NEVER) => return Ok(Kept::No),
            asked => asked?,
        };
        Ok(match status.as_deref() {
            _ if then.timeline != now.timeline => Kept::Unknown,
            Some("in progress") => Kept::NotYet,
            Some("committed") if then.since == now.since || is_before_checkpoint => Kept::Yes,
            Some(_) => Kept::No,
            None => Kept::Unknown,
        })
    }
}
