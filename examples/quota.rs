//! A batch against a service with a quota: when that is used up the whole job pauses, costs nothing meanwhile, and
//! goes on by itself.
//!
//! ```text
//! cargo run --example quota -- questions.db 30
//! ```

use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use job_manager::handler::Handler;
use job_manager::{Client, NewJob, NewUnit, UnitContext, UnitError, testing};

/// Stands for a remote service that answers ten questions a second.
struct Oracle {
    window: Mutex<(Instant, u32)>,
}

const QUOTA: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

impl Oracle {
    fn ask(&self, question: u32) -> Result<u32, Duration> {
        let mut window = self.window.lock().expect("nobody panics with the lock");
        if window.0.elapsed() >= WINDOW {
            *window = (Instant::now(), 0);
        }
        if window.1 == QUOTA {
            return Err(WINDOW - window.0.elapsed().min(WINDOW));
        }
        window.1 += 1;
        Ok(question * 2)
    }
}

impl Handler for Oracle {
    type Payload = u32;
    type Output = u32;

    fn run(&self, question: u32, _unit: &UnitContext<'_>) -> Result<u32, UnitError> {
        self.ask(question).map_err(|wait| UnitError::pause_job(wait, "quota exhausted"))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    job_manager::run_if_manager(|handlers| {
        handlers.register_handler("oracle", Oracle { window: Mutex::new((Instant::now(), 0)) });
    });

    let mut args = std::env::args().skip(1);
    let (Some(db), Some(count)) = (args.next(), args.next()) else { return Err("usage: quota DB COUNT".into()) };
    let client = Client::create(db.as_ref())?;
    let questions = (1..=count.parse::<u32>()?).map(|question| NewUnit::new(&question));
    let job = client.try_submit(&NewJob::new("questions", "oracle"), questions)?.job;
    let outcome = testing::wait_for_job(&client, job, Duration::from_secs(60));
    let status = client.get_manager_status(job)?;
    println!("{outcome:?}: {} answers", status.progress.counts.completed);
    Ok(())
}
