//! What a host hears of a call that takes long, if it asked to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use job_manager::text::counted;
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext};
use tokio::task::JoinSet;

/// Time between two words to a host that follows the progress of a call; some give up after five seconds of silence.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// The progress of one call.
pub(super) struct Progress {
    token: Option<ProgressToken>,
    peer: Peer<RoleServer>,
    steps: Steps,
}

impl Progress {
    pub fn of(context: &RequestContext<RoleServer>) -> Self {
        let (token, peer) = (context.meta.get_progress_token(), context.peer.clone());
        Self { token, peer, steps: Steps::default() }
    }

    /// Returns `true` if the host asked to hear of it.
    pub fn is_followed(&self) -> bool {
        self.token.is_some()
    }

    /// Tells how many items a call has read, each second until what is returned is dropped; how many there are nobody knows.
    pub fn tell_reading(mut self, read: Arc<AtomicI64>) -> JoinSet<()> {
        let mut telling = JoinSet::new();
        if let Some(token) = self.token.clone() {
            telling.spawn(async move {
                loop {
                    tokio::time::sleep(BEAT).await;
                    let items = read.load(Ordering::Relaxed);
                    if items > 0 {
                        let told = ProgressNotificationParam::new(token.clone(), self.steps.next(items));
                        let said = format!("{} read", counted(items, "item"));
                        drop(self.peer.notify_progress(told.with_message(said)).await);
                    }
                }
            });
        }
        telling
    }

    /// Tells how many units have ended; nothing before anybody has looked, when there are none.
    pub async fn tell(&mut self, ended: i64, total: i64) {
        let Some(token) = self.token.clone().filter(|_| total > 0) else { return };
        let said = format!("{ended} of {} ended", counted(total, "unit"));
        let (progress, total) = (self.steps.next(ended), float(total));
        let told = ProgressNotificationParam::new(token, progress).with_total(total).with_message(said);
        // Whoever does not read it any more is noticed by the streams.
        drop(self.peer.notify_progress(told).await);
    }
}

/// Numbers that rise with each word, as the protocol wants it, also while no unit ends: a part of the next unit, never all of it.
#[derive(Debug, Default)]
struct Steps {
    ended: i64,
    parts: i64,
}

impl Steps {
    fn next(&mut self, ended: i64) -> f64 {
        if ended > self.ended {
            (self.ended, self.parts) = (ended, 0);
        }
        let part = float(self.parts) / float(self.parts + 1);
        self.parts += 1;
        float(self.ended) + part
    }
}

/// Units are fewer than what a float counts exactly.
#[expect(clippy::cast_precision_loss, reason = "the numbers are small")]
fn float(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_rise_also_while_nothing_ends_or_units_are_sent_back() {
        let mut steps = Steps::default();

        let told: Vec<f64> = [0, 0, 0, 3, 3, 2, 5, 5].into_iter().map(|ended| steps.next(ended)).collect();

        assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
        assert_eq!((told[0], told[3], told[6]), (0.0, 3.0, 5.0));
    }
}
