//! Following a job: a bar on a terminal, a line now and then elsewhere. Both follow the database.

use std::io::{self, IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use job_manager::client::{Client, EndedOutputs, JobOutcome, ManagerStatus, OutputPlace, StopOptions};
use job_manager::model::{Job, JobId, Progress, TimeLimit, UnitStatus};
use job_manager::text::counted;

use super::pace::Pace;
use super::print_outputs::OutputPrinter;
use super::show_failures::FailuresShown;
use super::text::{one_line, span};
use super::why_paused::hint_why_paused;
use super::{CliError, Exit, Output};

const DRAWS_PER_SECOND: u8 = 10;

/// Has Ctrl-C set a flag from now on, instead of ending this process.
pub(super) fn on_interrupt() -> Result<Arc<AtomicBool>, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted)).map_err(CliError::Signals)?;
    Ok(interrupted)
}

/// Has TERM set a flag from now on, where this process is the first one of its container: the container ends with it, and
/// the manager would end with the container before it has heard of that.
pub(super) fn on_stop_of_container() -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    if std::process::id() == 1 {
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop)).map_err(CliError::Signals)?;
    }
    Ok(stop)
}

/// How often a line about the progress is printed.
#[derive(Debug, Args)]
pub(super) struct ProgressArgs {
    /// Time between two lines about the progress where standard error is no terminal; 0 is none
    #[arg(long, value_name = "DURATION", default_value = "30s")]
    pub progress_every: TimeLimit,
}

/// How a job is followed.
pub(super) struct Follow<'a> {
    pub interrupted: &'a AtomicBool,
    /// Asks for a stop of the job, and set once more for one that ends running units.
    pub stop: &'a AtomicBool,
    pub progress: &'a ProgressArgs,
    pub shows: Shows<'a>,
}

/// What is shown of a job besides its progress.
pub(super) enum Shows<'a> {
    Progress,
    /// The last lines of units that fail, and in the end where the output is.
    Failures(FailuresShown),
    /// What its units write, instead of a line about the job.
    Outputs(EndedOutputs<'a>, OutputPrinter<'a>),
}

/// Shows a job until it ends, and how it ended; Ctrl-C leaves it alone and says how to come back.
pub(super) fn follow_to_the_end(
    client: &Client,
    job: JobId,
    mut how: Follow<'_>,
    output: &mut Output,
) -> Result<Exit, CliError> {
    match follow(client, job, &mut how, output)? {
        Followed::Interrupted => {
            output.hint(format_args!(
                "job {job} goes on without this terminal\n\
                 \x20 job-manager status {job}    how far it is\n\
                 \x20 job-manager watch {job}     look again\n\
                 \x20 job-manager stop {job}      pause it"
            ));
            Ok(Exit::Detached)
        }
        Followed::Ended(outcome) => {
            match how.shows {
                // Standard output has what the units wrote, and nothing else.
                Shows::Outputs(..) => {
                    output.hint(summary(&client.get_manager_status(job)?));
                    hint_made_before(client, job, output)?;
                }
                Shows::Progress => print_summary(client, job, output)?,
                Shows::Failures(_) => {
                    print_summary(client, job, output)?;
                    hint_made_before(client, job, output)?;
                    if let Some(place) = client.output_place(&client.job(job)?)? {
                        output.hint(format_args!("  {}", named(job, &place)));
                    }
                }
            }
            hint_why_paused(client, job, outcome, output)?;
            Ok(outcome.into())
        }
    }
}

/// Says how many units had nothing to do: that is no word about what they would have done.
fn hint_made_before(client: &Client, job: JobId, output: &mut Output) -> Result<(), CliError> {
    match client.count_made_before(job)? {
        0 => {}
        made => output.hint(format_args!("  {} skipped: what they make is there already", counted(made, "unit"))),
    }
    Ok(())
}

/// Says in half a sentence where people find what a job's units wrote.
fn named(job: JobId, place: &OutputPlace) -> String {
    match place {
        OutputPlace::Dir(dir) => format!("what its units wrote is in {}", dir.display()),
        OutputPlace::Last => format!("job-manager logs {job}    shows the last that each of its units wrote"),
        _ => format!("job-manager logs {job}    shows what its units wrote"),
    }
}

/// Prints in one line, or as JSON in full, where a job stands.
pub(super) fn print_summary(client: &Client, job: JobId, output: &mut Output) -> Result<(), CliError> {
    let status = client.get_manager_status(job)?;
    output.answer(&status, job, summary(&status))
}

/// How following ended.
enum Followed {
    Ended(JobOutcome),
    /// Ctrl-C: the job goes on.
    Interrupted,
}

/// Shows a job until it ends or is left alone.
fn follow(client: &Client, job: JobId, how: &mut Follow<'_>, output: &mut Output) -> Result<Followed, CliError> {
    let mut view = View::new(output, how.progress);
    if let (View::Bar(bar, _), Shows::Outputs(_, printer)) = (&view, &mut how.shows) {
        printer.keep_clear_of(bar);
    }
    let (interrupted, mut failed, mut stops) = (how.interrupted, None, 0);
    let ended = client.wait_while(job, None, |row| {
        if how.stop.swap(false, Ordering::Relaxed) {
            stops += 1;
            let asked = client.stop_manager(job, StopOptions { now: stops > 1, grace: None });
            view.aside(|| asked.err().into_iter().for_each(|error| output.hint(error)));
        }
        let shown = view.show(client, row, output);
        failed = shown.and_then(|()| how.shows.news(client, row, &view, output)).err();
        failed.is_none() && !interrupted.load(Ordering::Relaxed)
    });
    view.clear();
    let ended = match failed {
        Some(error) if is_detached(&error) => None,
        Some(error) => return Err(error),
        None => ended?,
    };
    let Some(outcome) = ended else { return Ok(Followed::Interrupted) };
    match how.shows.rest() {
        Err(error) if is_detached(&error) => Ok(Followed::Interrupted),
        rest => rest.map(|()| Followed::Ended(outcome)),
    }
}

/// Returns `true` if nobody follows any more: Ctrl-C, or the reader of the output has seen enough.
fn is_detached(error: &CliError) -> bool {
    match error {
        CliError::Detached => true,
        CliError::Output(error) => error.kind() == io::ErrorKind::BrokenPipe,
        _ => false,
    }
}

impl Shows<'_> {
    fn news(&mut self, client: &Client, job: &Job, view: &View, output: &mut Output) -> Result<(), CliError> {
        match self {
            Self::Progress => Ok(()),
            Self::Failures(_) if output.quiet => Ok(()),
            Self::Failures(shown) => {
                let news = shown.news(client, job)?;
                if !news.is_empty() {
                    view.aside(|| news.iter().for_each(|text| output.hint(text)));
                }
                Ok(())
            }
            Self::Outputs(outputs, printer) => outputs.read_more(printer),
        }
    }

    fn rest(&mut self) -> Result<(), CliError> {
        match self {
            Self::Progress | Self::Failures(_) => Ok(()),
            Self::Outputs(outputs, printer) => outputs.read_rest(printer),
        }
    }
}

enum View {
    Bar(ProgressBar, Pace),
    Lines { every: Duration, last: Instant },
    Nothing,
}

impl View {
    fn new(output: &Output, progress: &ProgressArgs) -> Self {
        if output.quiet {
            return Self::Nothing;
        }
        if !stderr().is_terminal() {
            let TimeLimit(every) = progress.progress_every;
            return every.map_or(Self::Nothing, |every| Self::Lines { every, last: Instant::now() });
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
        // What does not fit is cut off: a line that wraps would be drawn again and again.
        let template = "{bar:20} {pos}/{len} {percent}%  {wide_msg}";
        let style = ProgressStyle::with_template(template).expect("the template is fixed");
        bar.set_style(style.progress_chars("=> "));
        Self::Bar(bar, Pace::default())
    }

    fn show(&mut self, client: &Client, job: &Job, output: &mut Output) -> Result<(), CliError> {
        match self {
            Self::Nothing => {}
            Self::Bar(bar, pace) => {
                bar.set_length(u64::try_from(job.progress.total).unwrap_or(0));
                bar.set_position(u64::try_from(job.progress.ended()).unwrap_or(0));
                bar.set_message(format!("{}{}", counts(&job.progress), pace.of(client, job.id)?));
            }
            Self::Lines { every, last } => {
                if last.elapsed() >= *every {
                    *last = Instant::now();
                    let Progress { total, running, failed, .. } = job.progress;
                    let ended = job.progress.ended();
                    let waiting = client.get_manager_status(job.id)?.waiting_for;
                    let waiting = waiting.map_or_else(String::new, |what| format!(", waits: {}", one_line(&what)));
                    output.hint(format_args!(
                        "{}: {ended} of {total} ({} %), {running} running, {failed} failed{waiting}",
                        one_line(&job.name),
                        job.progress.percentage()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Writes to the terminal while the bar is out of the way.
    fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match self {
            Self::Bar(bar, _) => bar.suspend(write),
            Self::Lines { .. } | Self::Nothing => write(),
        }
    }

    fn clear(&self) {
        if let Self::Bar(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}

fn counts(progress: &Progress) -> String {
    let mut text = format!("{} running", progress.running);
    if progress.failed > 0 {
        text.push_str(&format!(", {} failed", progress.failed));
    }
    text
}

/// Sums a job up in one line.
pub(super) fn summary(status: &ManagerStatus) -> String {
    let counts = status.progress.counts;
    let Progress { total, completed, failed, .. } = counts;
    let mut text = format!(
        "job {} ({}) {}: {completed} of {total} completed",
        status.job.id,
        one_line(&status.job.name),
        status.word()
    );
    let others = counts.by_state().into_iter().filter(|(state, count)| state.is_terminal() && *count > 0);
    for (state, count) in others.filter(|(state, _)| *state != UnitStatus::Completed) {
        text.push_str(&format!(", {count} {state}"));
    }
    if let (Some(started), Some(ended)) = (status.started_at, status.completed_at) {
        text.push_str(&format!(", in {}", span(ended.since(started))));
    }
    if let Some(error) = &status.error {
        text.push_str(&format!("\n  its manager failed: {}", one_line(error)));
    }
    if failed > 0 {
        text.push_str(&format!("\n  job-manager units {} --failed    shows why", status.job.id));
    }
    text
}
