//! The example of the README: it may be run again, also after a crash at any moment.
//!
//! ```text
//! cargo run --example word_count
//! ```

use job_manager::client::JobOutcome;
use job_manager::model::Seq;
use job_manager::{Client, NewJob, NewUnit, UnitContext, UnitError};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Managers are this executable, started again: in them this call never returns.
    job_manager::run_if_manager(|handlers| {
        handlers
            .register("word-count", word_count)
            .on_unit_failed(|unit| eprintln!("{}: {:?}", unit.payload, unit.error));
    });

    let client = Client::create("jobs.db".as_ref())?;
    let mut job = NewJob::new("word counts", "word-count");
    job.key = Some("2026-11".to_owned()); // the same key again is the same job
    let files = std::fs::read_dir("articles")?.map(|file| NewUnit::new(&file?.path()).map_err(std::io::Error::other));
    let job = client.try_submit(&job, files)?.job; // created, or found, and running: this process may end now

    if client.wait(job, None)? == JobOutcome::Completed {
        println!("{}", client.unit(job, Seq(1))?.result_as::<usize>()?);
    }
    Ok(())
}

fn word_count(path: std::path::PathBuf, unit: &UnitContext<'_>) -> Result<usize, UnitError> {
    if unit.should_stop() {
        return Err(UnitError::stopped()); // back to pending, no attempt counted
    }
    let text = std::fs::read_to_string(path)?; // any error: another attempt, with backoff
    if text.is_empty() {
        return Err(UnitError::skip("nothing in it"));
    }
    Ok(text.split_whitespace().count())
}
