//! Who keeps dead rows from being removed.

use std::time::Duration;

use super::said::{grant, ok, warning};
use crate::client::finding::Finding;
use crate::model::counted::counted;
use crate::model::time::span;
use crate::store::{HolderKind, HorizonHolder, ServerSettings};

/// Those that are named, the oldest first.
const MOST_NAMED: usize = 3;
/// Transactions behind which a holder is that has no time.
const FAR_BEHIND: i64 = 1_000_000;

pub(super) fn of(settings: &ServerSettings, holders: &[HorizonHolder], long: Duration) -> Vec<Finding> {
    let is_long = |holder: &&HorizonHolder| match (holder.kind, holder.since) {
        (HolderKind::UnusedSlot, _) => true,
        (_, Some((_, held))) => held >= long,
        (_, None) => holder.transactions >= FAR_BEHIND,
    };
    let held: Vec<&HorizonHolder> = holders.iter().filter(is_long).collect();
    let mut findings: Vec<Finding> =
        held.iter().take(MOST_NAMED).map(|holder| warning("dead rows", sentence(holder))).collect();
    if let Some(more @ 1..) = held.len().checked_sub(MOST_NAMED) {
        findings.push(warning("dead rows", format!("{more} more hold them: look at those first")));
    }
    if !settings.sees_all {
        let hidden = format!("who holds them in sessions of other roles is hidden from this role: {}", grant(settings));
        findings.push(ok("dead rows", hidden));
    } else if findings.is_empty() {
        findings.push(ok("dead rows", "nobody keeps them from being removed"));
    }
    findings
}

fn sentence(holder: &HorizonHolder) -> String {
    let HorizonHolder { kind, name, application, role, since, transactions } = holder;
    let role = role.as_deref().unwrap_or("unknown");
    let since = match since {
        Some((since, held)) => format!("since {since} ({})", span(*held)),
        None => format!("for {}", counted(transactions, "transaction")),
    };
    let quoted = name.replace('\'', "''");
    match kind {
        HolderKind::Session => {
            let program = application.as_deref().unwrap_or("a program without a name");
            format!("held by {program} of user {role} {since}: end that, or SELECT pg_terminate_backend({name})")
        }
        HolderKind::Prepared => {
            format!("held by a prepared transaction of user {role} {since}: COMMIT or ROLLBACK PREPARED '{quoted}'")
        }
        HolderKind::Slot => {
            format!("held by the replication slot {name} {since}: look at the server that reads it")
        }
        HolderKind::UnusedSlot => {
            format!(
                "nobody reads the replication slot {name}, which holds rows and log: SELECT pg_drop_replication_slot('{quoted}')"
            )
        }
    }
}
