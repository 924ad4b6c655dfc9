//! Names and numbers of jobs for somebody who is typing one: few rows by an index, however many jobs there are.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::Checked;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::JobId;

statement! {
    struct Newest {
        "SELECT id, name FROM jobs WHERE status <> 'partial' AND id BETWEEN " first: i64 as BigInt,
        " AND " last: i64 as BigInt,
        " ORDER BY id DESC LIMIT " most: i64 as BigInt,
    }
    "" -> (BigInt, Text)
}

statement! {
    // Of the name's index alone: one job of many nights has one name.
    struct Named {
        "SELECT max(id), name FROM jobs WHERE name >= " from: String as Text,
        " AND name < " to: String as Text,
        " GROUP BY name ORDER BY name LIMIT " most: i64 as BigInt,
    }
    "" -> (BigInt, Text)
}

impl Store {
    /// Returns up to `most` jobs with numbers between two, the newest first, with their names; names that cannot be read are omitted.
    pub fn names_of_jobs(&mut self, first: i64, last: i64, most: i64) -> Result<Vec<(JobId, String)>, StoreError> {
        self.read("look for names of jobs", |conn| Ok(known(Newest { first, last, most }.load(conn)?)))
    }

    /// Returns up to `most` names of jobs that begin so, each with the newest job of that name.
    pub fn names_from(&mut self, prefix: &str, most: i64) -> Result<Vec<(JobId, String)>, StoreError> {
        let to = format!("{prefix}\u{10ffff}");
        self.read("look for names of jobs", |conn| {
            Ok(known(Named { from: prefix.to_owned(), to: to.clone(), most }.load(conn)?))
        })
    }
}

fn known(rows: Vec<(i64, Checked<String>)>) -> Vec<(JobId, String)> {
    rows.into_iter().filter_map(|(id, name)| Some((JobId(id), name.known()?.clone()))).collect()
}
