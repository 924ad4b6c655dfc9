//! The way from the workers to the recorder.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::feed::Feed;
use crate::handler::UnitReport;
use crate::model::{Amount, UnitId, UnitNotes};
use crate::recovery::RecorderGone;
use crate::store::UnitChange;

/// Events that may wait for a commit; workers wait when there are more.
const CHANNEL_EVENTS: usize = 2048;

/// Something that happened to a unit.
pub(super) enum Event {
    /// An attempt starts; whoever waits for the commit learns whether the unit may run.
    Started(UnitChange, Option<SyncSender<bool>>),
    /// An attempt ended.
    Ended {
        /// What follows for its unit.
        change: UnitChange,
        /// Where it ran.
        slot: usize,
        /// Learns when that is durable; nobody waits for it.
        waiter: Option<SyncSender<bool>>,
        /// Is told to the service when that is durable.
        report: Option<Box<UnitReport>>,
    },
    /// A handler said something about its unit, as it was with that revision; whoever waits learns whether that is durable.
    Noted(UnitId, i64, UnitNotes, Option<SyncSender<bool>>),
    /// A handler said what its unit has spent; it waits until that is durable.
    Spent(UnitId, Vec<(String, Amount)>, SyncSender<bool>),
}

/// A worker's end of the way.
#[derive(Clone)]
pub(super) struct Events<'a> {
    channel: SyncSender<Event>,
    feed: &'a Feed,
}

/// Makes the way; the recorder's end is the plain receiver.
pub(super) fn channel(feed: &Feed) -> (Events<'_>, Receiver<Event>) {
    let (channel, inbox) = sync_channel(CHANNEL_EVENTS);
    (Events { channel, feed }, inbox)
}

impl Events<'_> {
    /// Sends an event that becomes durable in its time.
    pub fn send(&self, event: Event) -> Result<(), RecorderGone> {
        match self.channel.try_send(event) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(event)) => {
                self.feed.hurry();
                self.channel.send(event).map_err(|_| RecorderGone)
            }
            Err(TrySendError::Disconnected(_)) => Err(RecorderGone),
        }
    }

    /// Sends an event and returns, once its commit has returned, whether it was recorded.
    pub fn send_and_wait(&self, event: impl FnOnce(SyncSender<bool>) -> Event) -> Result<bool, RecorderGone> {
        let (answer, committed) = sync_channel(1);
        self.send(event(answer))?;
        self.feed.hurry();
        committed.recv().map_err(|_| RecorderGone)
    }
}
