//! Following all units of a job that run: whole lines, each behind the number of its unit.

use std::collections::BTreeMap;
use std::time::Duration;

use job_manager::client::{Client, Follows, OutputPlace, Stream};
use job_manager::model::{JobId, Seq, UnitDetail};
use job_manager::text::whole_characters;

use super::printer::{BLOCK_BYTES, LinesOf, Named, documents};
use crate::cli::{CliError, Output};

/// Time between two looks.
pub(super) const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// Prints what all units of a job write until it ends.
pub(super) fn follow_all(client: &Client, job: JobId, stderr: bool, output: &mut Output) -> Result<(), CliError> {
    let mut outputs = client.running_outputs(job)?;
    let is_named = matches!(outputs.place(), None | Some(OutputPlace::Dir(_)));
    let (wanted, stream) = if stderr { (Stream::Err, "stderr") } else { (Stream::Out, "stdout") };
    let mut lines = Lines { of: LinesOf { job: Named { id: job }, seq: None, stream }, begun: BTreeMap::new() };
    let mut is_first = true;
    loop {
        // Asked before reading, so that what units wrote last is still read.
        let is_over = client.outcome(job)?.is_some();
        outputs.read_more(is_over, &mut |seq, news| match news {
            Follows::Wrote(stream, bytes) if stream == wanted => lines.take(seq, bytes, output),
            Follows::Wrote(..) => Ok(()),
            Follows::Ended(unit) => {
                lines.end(seq, output)?;
                if is_named {
                    output.hint(ended(unit));
                }
                Ok(())
            }
        })?;
        if std::mem::take(&mut is_first) {
            hint_what_is_kept(job, outputs.place(), output);
        }
        if is_over {
            return lines.finish(output);
        }
        std::thread::sleep(FOLLOW_EVERY);
    }
}

/// Says what comes when, of a job that does not keep all that its units write.
fn hint_what_is_kept(job: JobId, place: Option<&OutputPlace>, output: &mut Output) {
    match place {
        Some(OutputPlace::All) => {}
        Some(OutputPlace::Dir(dir)) => {
            output.hint(format_args!("what units write is in {}; each is named here as it ends", dir.display()));
        }
        None => {
            output.hint(format_args!("job {job} keeps nothing of what its units write; each is named here as it ends"))
        }
        Some(_) => output.hint(format_args!("job {job} keeps the last that a unit writes, which is shown as it ends")),
    }
}

fn ended(unit: &UnitDetail) -> String {
    let why = unit.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
    format!("unit {} {}{why}", unit.seq, unit.status)
}

/// Lines of several units that are not whole yet, of each no more than a block.
struct Lines {
    of: LinesOf,
    begun: BTreeMap<Seq, Vec<u8>>,
}

impl Lines {
    fn take(&mut self, seq: Seq, bytes: &[u8], output: &mut Output) -> Result<(), CliError> {
        let begun = self.begun.entry(seq).or_default();
        begun.extend_from_slice(bytes);
        let end = match begun.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if begun.len() > BLOCK_BYTES => whole_characters(begun),
            None => return Ok(()),
        };
        let rest = begun.split_off(end);
        let lines = std::mem::replace(begun, rest);
        self.print(seq, &lines, false, output)
    }

    /// Prints what is left of a unit's last line.
    fn end(&mut self, seq: Seq, output: &mut Output) -> Result<(), CliError> {
        match self.begun.remove(&seq) {
            Some(rest) => self.print(seq, &rest, true, output),
            None => Ok(()),
        }
    }

    fn finish(mut self, output: &mut Output) -> Result<(), CliError> {
        while let Some((seq, rest)) = self.begun.pop_first() {
            self.print(seq, &rest, true, output)?;
        }
        Ok(())
    }

    fn print(&self, seq: Seq, bytes: &[u8], is_over: bool, output: &mut Output) -> Result<(), CliError> {
        if output.json {
            return documents(output, LinesOf { seq: Some(seq), ..self.of }, bytes, is_over);
        }
        let number = format!("{seq}\t");
        let mut text = Vec::with_capacity(bytes.len() + number.len());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            text.extend_from_slice(number.as_bytes());
            text.extend_from_slice(line);
        }
        // A line is cut where the next one may be another unit's.
        if text.last().is_some_and(|last| *last != b'\n') {
            text.push(b'\n');
        }
        output.bytes(&text)
    }
}
