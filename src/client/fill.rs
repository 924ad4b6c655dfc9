//! Writing the units of a new job while further ones are read.

use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::create::next_chunk;
use super::made::MadePath;
use super::{Client, ClientError};
use crate::model::{Contents, JobId, NewJob, NewUnit};
use crate::store::SameKey;

impl Client {
    /// Writes the other units of a job that is being created, and has it seen by others.
    pub(super) fn fill<E>(
        &self,
        job: JobId,
        new: &NewJob,
        mut contents: Contents,
        units: &mut impl Iterator<Item = Result<NewUnit, E>>,
        made: Option<&MadePath>,
    ) -> Result<(), ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        // To read a chunk takes about as long as to write one.
        thread::scope(|threads| {
            let (hand_over, chunks) = sync_channel::<Vec<NewUnit>>(0);
            let writer = threads.spawn(move || {
                chunks.into_iter().try_for_each(|chunk| self.append(job, &chunk, SameKey::Refuse, made).map(drop))
            });
            let read = read(units, &mut contents, hand_over);
            let written = writer.join().unwrap_or_else(|panic| resume_unwind(panic));
            read.and(written)
        })?;
        Ok(self.store().finish_creation(job, new, contents)?)
    }
}

/// Reads units to their end, or until nobody takes them any more: whoever writes them has failed, and says why.
fn read<E>(
    units: &mut impl Iterator<Item = Result<NewUnit, E>>,
    contents: &mut Contents,
    hand_over: SyncSender<Vec<NewUnit>>,
) -> Result<(), ClientError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    loop {
        let (chunk, last) = next_chunk(units)?;
        contents.add_all(&chunk);
        if hand_over.send(chunk).is_err() || last {
            return Ok(());
        }
    }
}
