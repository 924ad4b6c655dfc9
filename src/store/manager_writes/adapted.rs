//! How many units a manager has come to run at a time, for the next one and for those who look.
//!
//! Of a job in a file there is one such number. On a server each host has its own: what its manager came to is nothing to the
//! others, which may ask through another way out.

use std::borrow::Cow;

use diesel::prelude::*;

use crate::model::Adapted;
use crate::store::columns::Checked;
use crate::store::connection::{DbConnection, on_server};
use crate::store::failure::Failure;
use crate::store::metadata::{self, Texts, key};
use crate::store::schema::{managers, metadata as texts};
use crate::store::{Lease, Store, StoreError};

impl Store {
    /// Returns what the manager before this one came to, on this host where there are several; a text that cannot be read is none.
    pub fn adapted(&mut self, lease: Lease) -> Result<Option<Adapted>, StoreError> {
        self.read("read how many units run at a time", |conn| {
            let key = key_on_host(conn, lease, key::ADAPTED)?;
            let found: Option<Checked<String>> =
                texts::table.find((lease.job.0, &*key)).select(texts::value).first(conn).optional()?;
            Ok(found.and_then(|text| serde_json::from_str(text.shown()).ok()))
        })
    }
}

/// Writes it, beside a heartbeat.
pub(in crate::store) fn put_adapted(conn: &mut DbConnection, lease: Lease, adapted: &Adapted) -> Result<(), Failure> {
    let key = key_on_host(conn, lease, key::ADAPTED)?;
    metadata::put(conn, lease.job, &key, &serde_json::to_string(adapted).expect("numbers are JSON"))
}

/// Returns all of them that stand in the texts about a job, with their hosts.
pub(in crate::store) fn adapted_in(texts: &Texts) -> Vec<(Option<String>, Adapted)> {
    texts.all().filter_map(|(name, value)| read_adapted(name, value)).collect()
}

fn read_adapted(name: &str, value: &str) -> Option<(Option<String>, Adapted)> {
    let host = match name.strip_prefix(key::ADAPTED)? {
        "" => None,
        of_host => Some(of_host.strip_prefix(':')?.to_owned()),
    };
    Some((host, serde_json::from_str(value).ok()?))
}

/// Returns the key of what a manager leaves to the next one, on its own host where there are several.
pub(super) fn key_on_host(
    conn: &mut DbConnection,
    lease: Lease,
    key: &'static str,
) -> Result<Cow<'static, str>, Failure> {
    if !on_server(conn) {
        return Ok(Cow::Borrowed(key));
    }
    let host: String = managers::table.find((lease.job.0, lease.epoch.0)).select(managers::host).first(conn)?;
    Ok(Cow::Owned(format!("{key}:{host}")))
}
