//! What the attempts of a job have taken of the machine, for those who look; of each host its own on a server.

use diesel::prelude::*;

use super::adapted::key_on_host;
use crate::model::ResourcesOfAll;
use crate::store::Lease;
use crate::store::columns::Checked;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::metadata::{self, Texts, key};
use crate::store::schema::metadata as texts;

/// Adds to it what a manager has counted since it last did; a text that cannot be read is begun again.
pub(in crate::store) fn add_resources(
    conn: &mut DbConnection,
    lease: Lease,
    resources: &ResourcesOfAll,
) -> Result<(), Failure> {
    let key = key_on_host(conn, lease, key::RESOURCES)?;
    let found: Option<Checked<String>> =
        texts::table.find((lease.job.0, &*key)).select(texts::value).first(conn).optional()?;
    let before = found.and_then(|text| serde_json::from_str::<ResourcesOfAll>(text.shown()).ok());
    let mut sum = before.unwrap_or_default();
    sum.extend(resources);
    metadata::put(conn, lease.job, &key, &serde_json::to_string(&sum).expect("numbers are JSON"))
}

/// Returns the sum of all that stand in the texts about a job.
pub(in crate::store) fn resources_in(texts: &Texts) -> ResourcesOfAll {
    let mut sum = ResourcesOfAll::default();
    let of_resources =
        |name: &str| name.strip_prefix(key::RESOURCES).is_some_and(|host| host.is_empty() || host.starts_with(':'));
    for (_, value) in texts.all().filter(|(name, _)| of_resources(name)) {
        if let Ok(other) = serde_json::from_str(value) {
            sum.extend(&other);
        }
    }
    sum
}
