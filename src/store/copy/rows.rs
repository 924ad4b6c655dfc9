//! The rows of a job as they stand, with every column, to be written into another database.

#[cfg(feature = "postgres")]
use std::io::Write;

use diesel::deserialize::{self, FromSqlRow};
use diesel::expression::AsExpression;
#[cfg(feature = "postgres")]
use diesel::pg::Pg;
use diesel::prelude::*;
#[cfg(feature = "postgres")]
use diesel::serialize::IsNull;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
#[cfg(feature = "postgres")]
use diesel::sqlite::Sqlite;

use crate::store::columns::{OfBytes, from_text};
use crate::store::connection::Db;
use crate::store::schema::{
    attempts, failure_kinds, flags, jobs, made_paths, managers, metadata, meters, specs, spends, unit_groups,
    unit_notes, units,
};
#[cfg(feature = "postgres")]
use crate::store::written::without_nul;

/// A text; bytes that are none, which another program may have written, are an error.
#[derive(Debug, Clone, PartialEq, Eq, FromSqlRow, AsExpression)]
#[diesel(sql_type = sql_types::Text)]
pub(super) struct Text(pub String);

impl OfBytes for Text {
    fn of_bytes(bytes: &[u8]) -> deserialize::Result<Self> {
        Ok(Self(str::from_utf8(bytes)?.to_owned()))
    }
}

from_text!(Text);

/// Writes a text as it is.
macro_rules! as_it_is {
    ($backend:ty) => {
        impl ToSql<sql_types::Text, $backend> for Text {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, $backend>) -> serialize::Result {
                ToSql::<sql_types::Text, $backend>::to_sql(self.0.as_str(), out)
            }
        }
    };
}

as_it_is!(Db);
#[cfg(feature = "postgres")]
as_it_is!(Sqlite);

#[cfg(feature = "postgres")]
impl ToSql<sql_types::Text, Pg> for Text {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(without_nul(&self.0).as_bytes())?;
        Ok(IsNull::No)
    }
}

/// Declares the rows of tables: what is read of one is what is written, but for its number.
macro_rules! rows {
    ($($(#[$about:meta])* $row:ident of $table:ident { $($column:ident: $rust:ty,)* })*) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
            #[diesel(table_name = $table, check_for_backend(Db), treat_none_as_default_value = false)]
            pub(super) struct $row {
                $(pub $column: $rust,)*
            }
        )*
    };
}

rows! {
    /// A job, without its number, which the other database gives out, and without what was asked of its manager.
    JobColumns of jobs {
        uid: Text,
        name: Text,
        key: Option<Text>,
        handler: Text,
        limits: Text,
        status: Text,
        hold_until: Option<i64>,
        hold_reason: Option<Text>,
        epoch: i64,
        revision: i64,
        claimed_through: i64,
        total: i64,
        pending: i64,
        running: i64,
        completed: i64,
        failed: i64,
        skipped: i64,
        cancelled: i64,
        created_at: i64,
        started_at: Option<i64>,
        finished_at: Option<i64>,
    }
    MeterColumns of meters {
        job_id: i64,
        name: Text,
        spent: i64,
        unmetered: i64,
        day_start: i64,
        before_day: i64,
        costs: Text,
    }
    /// What a unit has cost; of a copy no attempt is under way.
    SpendColumns of spends {
        unit_id: i64,
        name: Text,
        amount: i64,
        under_way: Option<i64>,
    }
    FlagColumns of flags {
        unit_id: i64,
        attempt: i64,
        revision: i64,
        started_at: Option<i64>,
        text: Text,
        decision: Option<Text>,
        decided_by: Option<Text>,
        decided_at: Option<i64>,
        note: Option<Text>,
    }
    GroupColumns of unit_groups {
        job_id: i64,
        name: Text,
        most: Option<i64>,
        read_through: i64,
        failures: i64,
        stopped: Option<Text>,
        hold_until: Option<i64>,
        hold_reason: Option<Text>,
    }
    SpecColumns of specs {
        job_id: i64,
        spec: Text,
    }
    MetadataColumns of metadata {
        job_id: i64,
        key: Text,
        value: Text,
    }
    /// A manager, without the database that it had opened: it is none of the copy's.
    ManagerColumns of managers {
        job_id: i64,
        number: i64,
        uid: Text,
        state: Text,
        reason: Option<Text>,
        host: Text,
        boot_id: Text,
        pid: i64,
        start_ticks: i64,
        namespaces: Option<Text>,
        version: Text,
        program: Option<Text>,
        workers: Option<i64>,
        running: Option<i64>,
        rate: Option<f64>,
        heartbeat_at: i64,
        started_at: Option<i64>,
        ended_at: Option<i64>,
    }
    UnitColumns of units {
        id: i64,
        key: Option<Text>,
        payload: Text,
        status: Text,
        attempts: i64,
        crashes: i64,
        not_before: Option<i64>,
        started_at: Option<i64>,
        finished_at: Option<i64>,
        exit_code: Option<i64>,
        signal: Option<i64>,
        error: Option<Text>,
        result: Option<Text>,
        stdout: Option<Text>,
        stderr: Option<Text>,
        outdated: Option<Text>,
        revision: i64,
        kind: Option<Text>,
        slot: Option<i64>,
    }
    /// An attempt, without its number in the table.
    AttemptColumns of attempts {
        unit_id: i64,
        attempt: i64,
        epoch: i64,
        started_at: Option<i64>,
        ended_at: i64,
        cause: Text,
        exit_code: Option<i64>,
        signal: Option<i64>,
        error: Text,
        stdout: Option<Text>,
        stderr: Option<Text>,
        cpu_us: Option<i64>,
        peak_bytes: Option<i64>,
        peak_is_bound: Option<i64>,
        slot: Option<i64>,
    }
    NoteColumns of unit_notes {
        unit_id: i64,
        done: Option<i64>,
        total: Option<i64>,
        message: Option<Text>,
        checkpoint: Option<Text>,
    }
    KindColumns of failure_kinds {
        unit_id: i64,
        kind: i64,
    }
    MadePathColumns of made_paths {
        unit_id: i64,
        path_hash: i64,
    }
}
