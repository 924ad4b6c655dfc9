//! What is kept of a unit's output.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::spec::{CommandSpec, OutputMode};
use super::whole::Whole;
use crate::files::{How, KeptDir, create_given_dir, open_given};
use crate::handler::Attempt;
use crate::handler::tail::{OUTPUT_LIMIT_BYTES, Tail};
use crate::model::Output;
use crate::sys::{SegmentWriter, Stream, Streams, opening};

/// Begins what stands at the end of standard error when not all of the output was kept.
pub const NOT_ALL_KEPT: &str = "[... not all of the output could be kept: ";

/// The ends of both output streams, and where all of them goes.
pub(super) struct Capture {
    stdout: Tail,
    stderr: Tail,
    sink: Sink,
    /// All of standard output, where it becomes the result.
    whole: Option<Whole>,
    /// Whether anything is kept for display.
    is_shown: bool,
    /// The stream that was written to last.
    latest: Stream,
    /// Why not all of it was kept.
    failed: Option<io::Error>,
}

/// Where output goes as it is read.
enum Sink {
    Nowhere,
    Segment(SegmentWriter),
    Files([File; 2]),
}

impl Sink {
    fn open(attempt: &Attempt<'_>, mode: OutputMode, dir: Option<&Path>, outputs: &KeptDir) -> io::Result<Self> {
        let _opening = opening();
        let seq = attempt.unit.id.seq().0;
        Ok(match (mode, dir) {
            (_, Some(dir)) => {
                create_given_dir(dir)?;
                let create =
                    |stream: &str| open_given(&dir.join(format!("{seq}.{}.{stream}", attempt.number)), How::Replace);
                Self::Files([create("out")?, create("err")?])
            }
            (OutputMode::Full, None) => {
                let (job, slot, started_us) = (attempt.job, attempt.slot, attempt.started_at.as_micros());
                Self::Segment(SegmentWriter::open(outputs, job.epoch.0, slot, seq, started_us)?)
            }
            (OutputMode::Tail | OutputMode::None, None) => Self::Nowhere,
        })
    }
}

impl Capture {
    /// Keeps the ends only.
    pub fn new() -> Self {
        Self::with(Sink::Nowhere)
    }

    /// Keeps what the job wants to be kept.
    pub fn open(attempt: &Attempt<'_>, spec: &CommandSpec, outputs: &KeptDir) -> io::Result<Self> {
        let path = || attempt.job.files.slots().join(format!("{}.result", attempt.slot));
        Ok(Self {
            whole: spec.is_whole_wanted().then(|| Whole::new(path())),
            is_shown: spec.output != OutputMode::None || spec.output_dir.is_some(),
            ..Self::with(Sink::open(attempt, spec.output, spec.output_dir.as_deref(), outputs)?)
        })
    }

    fn with(sink: Sink) -> Self {
        let tail = || Tail::new(OUTPUT_LIMIT_BYTES);
        Self { stdout: tail(), stderr: tail(), sink, whole: None, is_shown: true, latest: Stream::Out, failed: None }
    }

    /// Returns the last line that the process wrote, whichever stream it went to.
    pub fn last_line(&self) -> Option<String> {
        let [out, err] = [&self.stdout, &self.stderr].map(Tail::last_line);
        match self.latest {
            Stream::Out => out.or(err),
            Stream::Err => err.or(out),
        }
    }

    /// Returns the last line of standard error; of standard output if that says nothing.
    pub fn last_words(&self) -> Option<String> {
        self.stderr.last_line().or_else(|| self.stdout.last_line())
    }

    /// Returns what is kept for display, and all of standard output where it becomes the result.
    pub fn finish(mut self) -> (Output, Option<Whole>) {
        let whole = self.whole.take();
        (if self.is_shown { self.into_output() } else { Output::default() }, whole)
    }

    pub fn into_output(mut self) -> Output {
        if let Some(error) = self.failed {
            self.stderr.push(format!("\n{NOT_ALL_KEPT}{error} ...]\n").as_bytes());
        }
        Output { stdout: self.stdout.into_bytes(), stderr: self.stderr.into_bytes() }
    }

    /// Output that cannot be kept is no reason to end a unit: what went wrong is told with its ends.
    fn keep(&mut self, stream: Stream, bytes: &[u8]) {
        let kept = match &mut self.sink {
            Sink::Nowhere => Ok(()),
            Sink::Segment(segment) => segment.append(stream, bytes),
            Sink::Files([out, _]) if stream == Stream::Out => out.write_all(bytes),
            Sink::Files([_, err]) => err.write_all(bytes),
        };
        if let Err(error) = kept {
            self.failed.get_or_insert(error);
        }
    }
}

impl Streams for Capture {
    fn take_stdout(&mut self, bytes: &[u8]) {
        self.latest = Stream::Out;
        self.stdout.push(bytes);
        if let Some(whole) = &mut self.whole {
            whole.push(bytes);
        }
        self.keep(Stream::Out, bytes);
    }

    fn take_stderr(&mut self, bytes: &[u8]) {
        self.latest = Stream::Err;
        self.stderr.push(bytes);
        self.keep(Stream::Err, bytes);
    }
}
