//! How far a job is: a bar on a terminal, cut to its width, and a line now and then elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use job_manager::client::Client;
use job_manager::model::{Job, Progress};

use crate::cli::pace::Pace;
use crate::cli::text::one_line;
use crate::cli::{CliError, Output};
use crate::system::{DEFAULT_COLUMNS, screen_columns};

const DRAWS_PER_SECOND: u8 = 10;

/// Returns what a line of so many columns looks like: the counts come before the picture.
fn style(columns: u16) -> ProgressStyle {
    let bar = match columns {
        0..50 => String::new(),
        _ => format!("{{bar:{}}} ", (columns / 5).min(30)),
    };
    let template = format!("{{prefix}} {bar}{{pos}}/{{len}} {{percent}}%  {{wide_msg}}");
    ProgressStyle::with_template(&template).expect("the template is of known parts").progress_chars("=> ")
}

/// How far a job is, where it is looked at.
pub(super) enum View {
    Bar { bar: ProgressBar, columns: Option<u16>, pace: Pace },
    Lines { every: Duration, last: Instant },
    Nothing,
}

impl View {
    /// Chooses a bar on a terminal, and lines elsewhere.
    pub fn new(output: &Output, progress_every: Option<Duration>) -> Self {
        if output.quiet {
            return Self::Nothing;
        }
        if !stderr().is_terminal() {
            return progress_every.map_or(Self::Nothing, |every| Self::Lines { every, last: Instant::now() });
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
        bar.set_style(style(DEFAULT_COLUMNS));
        Self::Bar { bar, columns: None, pace: Pace::default() }
    }

    /// Shows where the job stands.
    pub fn show(&mut self, client: &Client, job: &Job, output: &mut Output) -> Result<(), CliError> {
        match self {
            Self::Nothing => {}
            Self::Bar { bar, columns, pace } => {
                // A terminal changes its width while it is looked at.
                let now = screen_columns();
                if columns.replace(now) != Some(now) {
                    bar.set_style(style(now));
                }
                bar.set_prefix(format!("job {}", job.id));
                bar.set_length(u64::try_from(job.progress.total).unwrap_or(0));
                bar.set_position(u64::try_from(job.progress.ended()).unwrap_or(0));
                bar.set_message(format!("{}{}", counts(&job.progress), pace.of(client, job.id)?));
            }
            Self::Lines { every, last } => {
                if last.elapsed() >= *every {
                    *last = Instant::now();
                    let Progress { total, running, failed, .. } = job.progress;
                    let ended = job.progress.ended();
                    let status = client.get_manager_status(job.id)?;
                    let retrying = status.retrying.map(|retrying| format!(", {}", one_line(&retrying.to_string())));
                    let retrying = retrying.unwrap_or_default();
                    let waiting = status.waiting_for.map(|what| format!(", waits: {}", one_line(&what)));
                    let waiting = waiting.unwrap_or_default();
                    output.hint(format_args!(
                        "{}: {ended} of {total} ({} %), {running} running, {failed} failed{retrying}{waiting}",
                        one_line(&job.name),
                        job.progress.percentage()
                    ));
                }
            }
        }
        Ok(())
    }

    /// Writes to the terminal while the bar is out of the way.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match self {
            Self::Bar { bar, .. } => bar.suspend(write),
            Self::Lines { .. } | Self::Nothing => write(),
        }
    }

    /// Takes the bar from the screen.
    pub fn clear(&self) {
        if let Self::Bar { bar, .. } = self {
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
