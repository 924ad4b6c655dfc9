//! Reading the results of a large job on two connections at once; their lines come out in order.
//!
//! Half of the time goes into the rows and half into their lines, and both can be done for two ranges of units at a time. Each
//! reader is at most a few buffers ahead of the other.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::written::Written;
use crate::cli::error::CliError;
use crate::results::{BUFFER_BYTES, Lines, Omitted};
use job_manager::client::Client;
use job_manager::model::{JobId, Seq, UnitFilter};

/// Units for which one connection is enough.
const FEW: i64 = 10_000;
/// Units that one reader reads before it is the other one's turn.
const PART_UNITS: i64 = 2_000;
/// Buffers that a reader may be ahead.
const AHEAD: usize = 4;

/// The units of a large job, in parts.
pub(super) struct Parts {
    first: Seq,
    pub last: Seq,
}

/// Lines of some of the units of a part.
struct Piece {
    text: Vec<u8>,
    omitted: Omitted,
    ends_part: bool,
}

impl Parts {
    /// Returns the parts of what a filter selects of so many units, if that is more than a few.
    pub fn of(filter: &UnitFilter, total: i64) -> Option<Parts> {
        let last = filter.last.map_or(total, |last| last.0.min(total));
        let first = filter.first.map_or(1, |first| first.0.max(1));
        (last.saturating_sub(first) >= FEW).then_some(Parts { first: Seq(first), last: Seq(last) })
    }

    fn count(&self) -> usize {
        let count = (self.last.0 - self.first.0) / PART_UNITS + 1;
        usize::try_from(count).expect("a job has fewer units than memory has bytes")
    }

    /// Returns what a filter selects in every second part, from the first or the second one on.
    fn of_turn(&self, turn: usize, filter: &UnitFilter) -> impl Iterator<Item = UnitFilter> {
        let starts = std::iter::successors(Some(self.first.0), |first| Some(first + PART_UNITS));
        starts.take(self.count()).skip(turn).step_by(2).map(|first| UnitFilter {
            first: Some(Seq(first)),
            last: Some(Seq((first + PART_UNITS - 1).min(self.last.0))),
            ..filter.clone()
        })
    }
}

/// Has two readers make the lines of all parts, and writes them in order.
pub(super) fn read_in_turn(
    clients: [&Client; 2],
    job: JobId,
    filter: &UnitFilter,
    parts: &Parts,
    lines: impl Fn() -> Lines,
    written: &mut Written,
) -> Result<(), CliError> {
    thread::scope(|threads| {
        let mut turn = 0;
        // A reader for whom nobody waits any more ends with its next buffer.
        let inboxes = clients.map(|client| {
            let (give, inbox) = sync_channel(AHEAD);
            let (own, lines) = (parts.of_turn(turn, filter), lines());
            threads.spawn(move || {
                if let Err(error) = read_parts(client, job, own, lines, &give) {
                    // Whoever does not listen any more has an error of its own.
                    let _ = give.send(Err(error));
                }
            });
            turn += 1;
            inbox
        });
        for part in 0..parts.count() {
            // An inbox that is closed too early is that of a panic, which the scope passes on.
            while let Ok(piece) = inboxes[part % inboxes.len()].recv() {
                let Piece { text, omitted, ends_part } = piece?;
                written.take(text, omitted)?;
                if ends_part {
                    break;
                }
            }
        }
        Ok(())
    })
}

fn read_parts(
    client: &Client,
    job: JobId,
    parts: impl Iterator<Item = UnitFilter>,
    mut lines: Lines,
    give: &SyncSender<Result<Piece, CliError>>,
) -> Result<(), CliError> {
    for part in parts {
        let mut after = None;
        loop {
            after = lines.read(client, job, &part, after)?;
            if !hand_on(lines.take()?, lines.take_omitted(), after.is_none(), give) {
                return Ok(());
            }
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Hands lines on, one long line in several pieces, because what is ahead is to be short; returns `true` if somebody listens.
fn hand_on(text: Vec<u8>, omitted: Omitted, ends_part: bool, give: &SyncSender<Result<Piece, CliError>>) -> bool {
    if text.len() < 2 * BUFFER_BYTES {
        return give.send(Ok(Piece { text, omitted, ends_part })).is_ok();
    }
    let begin = Piece { text: Vec::new(), omitted, ends_part: false };
    let pieces = text.chunks(BUFFER_BYTES);
    let pieces = pieces.map(|text| Piece { text: text.to_vec(), omitted: Omitted::default(), ends_part: false });
    let end = Piece { text: Vec::new(), omitted: Omitted::default(), ends_part };
    std::iter::once(begin).chain(pieces).chain(std::iter::once(end)).all(|piece| give.send(Ok(piece)).is_ok())
}
