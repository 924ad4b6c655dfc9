//! Resources that a host wants to hear of: up to the revision 2025-11-25 one after the other, since 2026-07-28 as one request that lasts.
//!
//! The database is looked at each second, and only while somebody is subscribed; the resources are read when it has changed, and the host
//! is told of those that read otherwise than before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use job_manager::client::Client;
use rmcp::RoleServer;
use rmcp::model::{ErrorData, ResourceUpdatedNotificationParam, SubscriptionFilter};
use rmcp::service::{Peer, SubscriptionSink};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Jobs;
use super::resources;
use super::tool::Entry;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Most resources that a host can be subscribed to.
const MOST: usize = 64;

/// The subscriptions of a host, each of which ends when it is dropped.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<HashMap<String, DropGuard>>);

impl Subscriptions {
    fn held(&self) -> MutexGuard<'_, HashMap<String, DropGuard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a subscription, in the place of one to the same resource, and returns what says that it has ended.
    pub fn begin(&self, uri: &str, gone: &CancellationToken) -> Result<CancellationToken, ErrorData> {
        let mut held = self.held();
        if held.len() >= MOST && !held.contains_key(uri) {
            return Err(ErrorData::invalid_params(format!("a host can have {MOST} subscriptions"), None));
        }
        let ended = gone.child_token();
        held.insert(uri.to_owned(), ended.clone().drop_guard());
        Ok(ended)
    }

    /// Ends a subscription, if there is one.
    pub fn end(&self, uri: &str) {
        self.held().remove(uri);
    }
}

/// Returns what is accepted of what a host wants to hear of.
pub(super) fn accepted(wanted: &SubscriptionFilter) -> SubscriptionFilter {
    let uris = wanted.resource_subscriptions.iter().flatten().filter(|uri| resources::is_address(uri));
    SubscriptionFilter::builder().resource_subscriptions(uris.take(MOST).cloned()).build()
}

/// Who is told.
pub(super) enum Listener {
    Host(Peer<RoleServer>),
    Request(SubscriptionSink),
}

impl Listener {
    async fn tell(&self, uri: String) {
        // Whoever does not read it any more is noticed by the streams.
        match self {
            Self::Host(peer) => drop(peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await),
            Self::Request(sink) => drop(sink.notify_resource_updated(uri).await),
        }
    }
}

/// Resources, and what they were when they were looked at.
pub(super) struct Watch {
    tools: Arc<[Entry]>,
    jobs: Jobs,
    client: Option<Client>,
    version: Option<i64>,
    seen: Vec<(String, Option<String>)>,
}

impl Watch {
    /// Looks at resources for the first time.
    pub async fn begin(tools: &Arc<[Entry]>, jobs: Jobs, uris: Vec<String>) -> Option<Watch> {
        let seen = uris.into_iter().map(|uri| (uri, None)).collect();
        let mut watch = Watch { tools: Arc::clone(tools), jobs, client: None, version: None, seen };
        let look = move || {
            watch.look();
            watch
        };
        tokio::task::spawn_blocking(look).await.ok()
    }

    /// Tells of changes until the subscription has ended.
    pub async fn tell(mut self, listener: Listener, ended: impl Future<Output = ()>) {
        let mut ended = std::pin::pin!(ended);
        loop {
            tokio::select! {
                biased;
                () = &mut ended => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            let look = move || {
                let changed = self.look();
                (self, changed)
            };
            let Ok((watch, changed)) = tokio::task::spawn_blocking(look).await else { return };
            self = watch;
            for uri in changed {
                listener.tell(uri).await;
            }
        }
    }

    /// Returns what reads otherwise than before.
    fn look(&mut self) -> Vec<String> {
        if self.client.is_none() {
            self.client = self.jobs.to_read().ok().flatten();
        }
        let version = self.client.as_ref().and_then(|client| client.data_version().ok());
        if version.is_some() && version == self.version {
            return Vec::new();
        }
        self.version = version;
        if version.is_none() {
            // It has been moved, or is not there yet.
            self.client = None;
        }
        let mut changed = Vec::new();
        for (uri, seen) in &mut self.seen {
            let now = resources::text_of(&self.tools, &self.jobs, uri);
            if now != *seen {
                *seen = now;
                changed.push(uri.clone());
            }
        }
        changed
    }
}
