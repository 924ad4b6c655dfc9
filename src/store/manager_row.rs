//! The row of a manager, which older schemas have as texts.

use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;

use super::columns::Word;
use super::connection::Db;
use super::schema::managers;
use crate::model::ManagerState;

/// What is read of a row.
#[derive(Queryable, Selectable)]
#[diesel(table_name = managers, check_for_backend(Db))]
pub(super) struct ManagerRow {
    pub job_id: i64,
    pub number: i64,
    pub state: Word<ManagerState>,
    pub reason: Option<String>,
    pub host: String,
    pub boot_id: String,
    pub pid: i64,
    pub start_ticks: i64,
    pub namespaces: Option<String>,
    pub database: Option<String>,
    pub version: String,
    pub program: Option<String>,
    pub rate: Option<f64>,
    pub heartbeat_at: i64,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
}

/// The types of its columns, in the same order.
pub(super) type ManagerColumns = SqlTypeOf<<ManagerRow as Selectable<Db>>::SelectExpression>;
