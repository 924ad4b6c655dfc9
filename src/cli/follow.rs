//! Following a job: a bar on a terminal, a line now and then elsewhere. Both follow the database.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::text::{one_line, span};
use crate::client::{Client, JobOutcome, ManagerStatus};
use crate::model::{Job, JobId, Progress};

const LINE_EVERY: Duration = Duration::from_secs(10);
const DRAWS_PER_SECOND: u8 = 10;

/// Has Ctrl-C set a flag from now on, instead of ending this process.
pub(super) fn on_interrupt() -> Result<Arc<AtomicBool>, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted)).map_err(CliError::Signals)?;
    Ok(interrupted)
}

/// Shows a job until it ends, and how it ended; Ctrl-C leaves it alone and says how to come back.
pub(super) fn follow_to_the_end(
    client: &Client,
    job: JobId,
    interrupted: &AtomicBool,
    output: &mut Output,
) -> Result<Exit, CliError> {
    match follow(client, job, interrupted, output)? {
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
            print_summary(client, job, output)?;
            Ok(outcome.into())
        }
    }
}

/// Prints in one line, or as JSON in full, where a job stands.
pub(super) fn print_summary(client: &Client, job: JobId, output: &mut Output) -> Result<(), CliError> {
    let status = client.get_manager_status(job)?;
    if output.json {
        output.document(&status)?;
    } else if output.quiet {
        output.line(job)?;
    } else {
        output.line(summary(&status))?;
    }
    Ok(())
}

/// How following ended.
enum Followed {
    Ended(JobOutcome),
    /// Ctrl-C: the job goes on.
    Interrupted,
}

/// Shows a job until it ends or `interrupted` is set.
fn follow(client: &Client, job: JobId, interrupted: &AtomicBool, output: &mut Output) -> Result<Followed, CliError> {
    let mut view = View::new(output);
    let ended = client.wait_while(job, None, |row| {
        view.show(row, output);
        !interrupted.load(Ordering::Relaxed)
    });
    view.clear();
    Ok(match ended? {
        Some(outcome) => Followed::Ended(outcome),
        None => Followed::Interrupted,
    })
}

enum View {
    Bar(ProgressBar),
    Lines { last: Instant },
    Nothing,
}

impl View {
    fn new(output: &Output) -> Self {
        if output.quiet {
            return Self::Nothing;
        }
        if !stderr().is_terminal() {
            return Self::Lines { last: Instant::now() };
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} {percent}%  {msg}").expect("the template is fixed");
        bar.set_style(style.progress_chars("=> "));
        Self::Bar(bar)
    }

    fn show(&mut self, job: &Job, output: &mut Output) {
        match self {
            Self::Nothing => {}
            Self::Bar(bar) => {
                bar.set_length(u64::try_from(job.progress.total).unwrap_or(0));
                bar.set_position(u64::try_from(job.progress.ended()).unwrap_or(0));
                bar.set_message(counts(&job.progress, bar.per_sec(), bar.eta()));
            }
            Self::Lines { last } => {
                if last.elapsed() >= LINE_EVERY {
                    *last = Instant::now();
                    let Progress { total, running, failed, .. } = job.progress;
                    let ended = job.progress.ended();
                    output.hint(format_args!(
                        "{}: {ended} of {total} ({} %), {running} running, {failed} failed",
                        one_line(&job.name),
                        job.progress.percentage()
                    ));
                }
            }
        }
    }

    fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn counts(progress: &Progress, rate: f64, left: Duration) -> String {
    let mut text = format!("{} running", progress.running);
    if progress.failed > 0 {
        text.push_str(&format!(", {} failed", progress.failed));
    }
    if rate > 0.0 && progress.unfinished() > 0 {
        text.push_str(&format!(", {rate:.1}/s, {} left", span(left)));
    }
    text
}

/// Sums a job up in one line.
pub(super) fn summary(status: &ManagerStatus) -> String {
    let Progress { total, completed, failed, skipped, cancelled, .. } = status.progress.counts;
    let mut text = format!(
        "job {} ({}) {}: {completed} of {total} completed",
        status.job.id,
        one_line(&status.job.name),
        status.word()
    );
    for (count, what) in [(failed, "failed"), (skipped, "skipped"), (cancelled, "cancelled")] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    if let (Some(started), Some(ended)) = (status.started_at, status.completed_at) {
        text.push_str(&format!(", in {}", span(ended.since(started))));
    }
    if failed > 0 {
        text.push_str(&format!("\n  job-manager units {} --failed    shows why", status.job.id));
    }
    text
}
