//! A pipeline over text files with typed payloads and results: how many words, and which is the longest.
//!
//! ```text
//! cargo run --example pipeline -- words.db docs/*.md
//! ```

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use job_manager::client::JobOutcome;
use job_manager::model::{UnitFilter, UnitStatus};
use job_manager::{Client, NewJob, NewUnit, UnitContext, UnitError};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Document {
    path: PathBuf,
    shortest_word: usize,
}

#[derive(Serialize, Deserialize)]
struct Words {
    count: usize,
    longest: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    job_manager::run_if_manager(|handlers| {
        handlers.register("words", words);
    });

    let mut args = std::env::args().skip(1);
    let db = args.next().ok_or("usage: pipeline DB FILE...")?;
    let here = std::env::current_dir()?;
    let documents = args.map(|file| NewUnit::new(&Document { path: here.join(file), shortest_word: 3 }));
    let client = Client::create(db.as_ref())?;
    let job = client.try_submit(&NewJob::new("words", "words"), documents)?.job;
    // The batch does not need this process: it could end here and look for the results tomorrow.
    if client.wait(job, None)? != JobOutcome::Completed {
        for unit in client.units(job, &UnitFilter::with_status(UnitStatus::Failed), None, 100)? {
            eprintln!("{}: {}", unit.payload_as::<Document>()?.path.display(), unit.error.unwrap_or_default());
        }
        return Err("some documents could not be read".into());
    }

    let (mut count, mut longest, mut after) = (0, String::new(), None);
    loop {
        let page = client.units(job, &UnitFilter::all(), after, 500)?;
        let Some(last) = page.last() else { break };
        after = Some(last.seq);
        for unit in &page {
            let words: Words = unit.result_as()?;
            count += words.count;
            if words.longest.len() > longest.len() {
                longest = words.longest;
            }
        }
    }
    println!("{count} words, the longest is {longest}");
    Ok(())
}

fn words(document: Document, unit: &UnitContext<'_>) -> Result<Words, UnitError> {
    let text = match fs::read_to_string(&document.path) {
        Ok(text) => text,
        // No further attempt would find it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(UnitError::fail(error)),
        Err(error) => return Err(error.into()),
    };
    let lines = text.lines().count() as u64;
    let mut words = Words { count: 0, longest: String::new() };
    for (number, line) in (1..).zip(text.lines()) {
        for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() >= document.shortest_word) {
            words.count += 1;
            if word.len() > words.longest.len() {
                words.longest = word.to_owned();
            }
        }
        unit.progress(number, lines, "counting");
    }
    Ok(words)
}
