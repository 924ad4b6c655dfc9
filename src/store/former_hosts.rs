//! The hosts that have run a job on a server and do so no more.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::on_server;
use super::manager_row::{ManagerColumns, ManagerRow};
use super::managers::run;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobId, ManagerRun};

statement! {
    struct Former {
        "SELECT job_id, number, state, reason, host, boot_id, pid, start_ticks, namespaces, database, version, program, rate, \
         heartbeat_at, started_at, ended_at FROM (SELECT DISTINCT ON (host) * FROM managers AS former WHERE job_id = " job: i64 as BigInt,
    }
    " AND NOT EXISTS (SELECT FROM managers AS live WHERE state = 'live' AND live.job_id = former.job_id AND live.host = former.host) \
     ORDER BY host, number DESC) AS latest ORDER BY number DESC" -> ManagerColumns
}

impl Store {
    /// Returns the last manager of each host that has none of a job any more, the latest first; none of a database in a file,
    /// which is used on one host.
    pub fn former_hosts(&mut self, job: JobId) -> Result<Vec<ManagerRun>, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(Vec::new());
        }
        self.read("read which hosts ran the job", |conn| {
            let rows: Vec<ManagerRow> = Former { job: job.0 }.load(conn)?;
            Ok(rows.into_iter().map(run).collect())
        })
    }
}
