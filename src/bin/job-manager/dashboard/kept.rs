//! Answers that cost more than the rest, kept for whoever asks next: pictures, and units in an order.
//!
//! That of a job which nobody runs is given as long as the job's row is what it was. Of one that runs it is as old as its cost allows:
//! it is given for 20 times the time that it took, and for 100 times while it is made again beside, so that however many
//! look, no more than a twentieth of a processor draws one picture; never for longer than [`OLDEST`]. What any client
//! changes of the job (retry, skip, sync, settings) and a new manager are seen at once, and so is whatever was changed through this dashboard.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use job_manager::client::Client;
use job_manager::model::{Epoch, Job, JobId, JobStatus, Progress, Timestamp};
use serde::Serialize;

use super::answer::{Connections, Document, Refused, Reply};

/// Answers that are kept, each of which is bounded.
const MOST: usize = 32;
const OLDEST: Duration = Duration::from_secs(10);
/// Parts of a processor, as how many times the cost an answer is kept.
const FRESH_TIMES: u32 = 20;
const GIVEN_TIMES: u32 = 100;

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Of {
    /// The rows of a job.
    Job {
        id: JobId,
        uid: String,
        epoch: Epoch,
        revision: i64,
        /// Where it stands, unless that changes by itself.
        rest: Option<(JobStatus, Progress, Option<Timestamp>)>,
    },
    /// More than could be compared.
    Database,
}

#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<String, Answer>>);

struct Answer {
    of: Of,
    document: Document,
    made_at: Instant,
    took: Duration,
    is_made_again: bool,
}

/// What is there for somebody who asks.
enum Found {
    Nothing,
    Good(Document),
    /// It is to be made again, by whoever found it.
    Aging(Document),
}

impl Of {
    /// What was counted of a job depends on its row.
    pub fn counts(job: Job) -> Of {
        let is_at_rest = job.status != JobStatus::Running;
        let rest = is_at_rest.then_some((job.status, job.progress, job.finished_at));
        Of::Job { id: job.id, uid: job.uid, epoch: job.epoch, revision: job.revision, rest }
    }

    /// What its units say depends on more: notes, flags.
    pub fn units(job: Job) -> Of {
        Of::Job { id: job.id, uid: job.uid, epoch: job.epoch, revision: job.revision, rest: None }
    }

    fn changes_by_itself(&self) -> bool {
        matches!(self, Of::Database | Of::Job { rest: None, .. })
    }
}

impl Kept {
    fn answers(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, name: &str, of: &Of, now: Instant) -> Found {
        let mut answers = self.answers();
        let Some(answer) = answers.get_mut(name).filter(|answer| answer.of == *of) else { return Found::Nothing };
        let age = now.saturating_duration_since(answer.made_at);
        let is_within = |times: u32| age <= answer.took.saturating_mul(times).min(OLDEST);
        if !of.changes_by_itself() || is_within(FRESH_TIMES) {
            return Found::Good(answer.document.clone());
        }
        match is_within(GIVEN_TIMES) {
            false => Found::Nothing,
            true if std::mem::replace(&mut answer.is_made_again, true) => Found::Good(answer.document.clone()),
            true => Found::Aging(answer.document.clone()),
        }
    }

    /// Forgets all, because something was changed here and whoever did that is to see it.
    pub fn forget(&self) {
        self.answers().clear();
    }

    fn keep(&self, name: String, answer: Answer) {
        let mut answers = self.answers();
        answers.insert(name, answer);
        while answers.len() > MOST {
            let Some(oldest) = answers.iter().min_by_key(|(_, answer)| answer.made_at).map(|(name, _)| name.clone())
            else {
                return;
            };
            answers.remove(&oldest);
        }
    }
}

impl Connections {
    /// Answers with what `draw` reads of a job, or with what it has read; `name` says what of it that is, and `of` on what it depends.
    pub async fn drawn_of<T: Serialize + 'static>(
        self: &Arc<Self>,
        job: String,
        name: String,
        of: fn(Job) -> Of,
        draw: impl FnOnce(&Client, JobId) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        let row = self.look(move |client| Ok(client.job(client.find_job(&job)?)?)).await?;
        let (id, of) = (row.id, of(row));
        self.drawn(format!("{id} {name}"), of, move |client| draw(client, id)).await
    }

    /// Answers with what `draw` reads, or has read, of that on which it depends.
    pub async fn drawn<T: Serialize + 'static>(
        self: &Arc<Self>,
        name: String,
        of: Of,
        draw: impl FnOnce(&Client) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        let found = self.kept().find(&name, &of, Instant::now());
        let make = |connections: Arc<Connections>| async move {
            let making = tokio::task::spawn_blocking(move || {
                let began = Instant::now();
                connections.slow_reader().data_version()?;
                let document = Document::of(&draw(connections.slow_reader())?)?;
                // As old as what it was read from.
                let (made_at, took) = (began, began.elapsed());
                let answer = Answer { of, document: document.clone(), made_at, took, is_made_again: false };
                connections.kept().keep(name, answer);
                Ok(document)
            });
            making.await?
        };
        match found {
            Found::Good(document) => Ok(document),
            Found::Nothing => make(Arc::clone(self)).await,
            Found::Aging(document) => {
                // What goes wrong is said to whoever asks when this one is too old.
                tokio::spawn(make(Arc::clone(self)));
                Ok(document)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(10);

    fn job(revision: i64, rest: Option<i64>) -> Of {
        let rest = rest.map(|failed| (JobStatus::Failed, Progress { failed, ..Progress::default() }, None));
        Of::Job { id: JobId(1), uid: "u".to_owned(), epoch: Epoch(1), revision, rest }
    }

    /// Returns what is found of an answer of that age.
    fn found(kept: &Of, asked: &Of, age: Duration) -> &'static str {
        let (all, made_at) = (Kept::default(), Instant::now());
        let document = Document::of(&1).unwrap();
        let answer = Answer { of: kept.clone(), document, made_at, took: TOOK, is_made_again: false };
        all.keep("1 charts".to_owned(), answer);
        match all.find("1 charts", asked, made_at + age) {
            Found::Nothing => "nothing",
            Found::Good(_) => "good",
            Found::Aging(_) => match all.find("1 charts", asked, made_at + age) {
                Found::Good(_) => "aging",
                _ => "made again twice",
            },
        }
    }

    #[test]
    fn fault_514_a_picture_of_a_job_is_given_again_until_it_may_be_another_one() {
        let ages = [TOOK * 20, TOOK * 21, TOOK * 101].map(|age| found(&job(1, None), &job(1, None), age));
        assert_eq!(ages, ["good", "aging", "nothing"]);
        assert_eq!(found(&job(1, Some(3)), &job(1, Some(3)), Duration::from_secs(3600)), "good");
        for (kept, asked) in
            [(job(1, None), job(2, None)), (job(1, Some(3)), job(1, Some(2))), (job(1, Some(3)), job(1, None))]
        {
            assert_eq!(found(&kept, &asked, Duration::ZERO), "nothing", "{kept:?} {asked:?}");
        }
    }

    #[test]
    fn no_more_pictures_are_kept_than_there_is_room_for() {
        let all = Kept::default();
        let begin = Instant::now();

        for number in 0..40_u32 {
            let document = Document::of(&number).unwrap();
            let made_at = begin + TOOK * number;
            let answer = Answer { of: Of::Database, document, made_at, took: TOOK, is_made_again: false };
            all.keep(format!("{number} charts"), answer);
        }

        assert_eq!(all.answers().len(), MOST);
        assert!(all.answers().contains_key("39 charts") && !all.answers().contains_key("0 charts"));
    }
}
