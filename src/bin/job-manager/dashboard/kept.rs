//! Answers that cost more than the rest, kept for whoever asks next: pictures, and units in an order.
//!
//! That of a job which nobody runs is given as long as the job's row is what it was. Of one that runs it is as old as its cost allows:
//! it is given for 20 times the time that it took, and for 100 times while it is made again beside, so that however many
//! look, no more than a twentieth of a processor draws one picture; never for longer than [`OLDEST`]. What any client
//! changes of the job (retry, skip, sync, settings) and a new manager are seen at once, and so is whatever was changed through this dashboard.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use job_manager::model::{Epoch, Job, JobStatus, Progress, Timestamp};

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
        uid: String,
        epoch: Epoch,
        revision: i64,
        /// Where it stands, unless that changes by itself.
        rest: Option<(JobStatus, Progress, Option<Timestamp>)>,
    },
    /// More than could be compared.
    Database,
}

/// Documents by their names.
pub(super) struct Kept<D>(Mutex<Answers<D>>);

struct Answers<D> {
    by_name: HashMap<String, Answer<D>>,
    /// What was read before this is worth nothing.
    forgotten_at: Option<Instant>,
}

struct Answer<D> {
    of: Of,
    document: D,
    made_at: Instant,
    took: Duration,
    is_made_again: bool,
}

/// What is there for somebody who asks.
pub(super) enum Found<D> {
    Nothing,
    Good(D),
    /// It is to be made again, by whoever found it.
    Aging(D),
}

impl Of {
    /// What was counted of a job depends on its row.
    pub fn counts(job: Job) -> Of {
        let is_at_rest = job.status != JobStatus::Running;
        let rest = is_at_rest.then_some((job.status, job.progress, job.finished_at));
        Of::Job { uid: job.uid, epoch: job.epoch, revision: job.revision, rest }
    }

    /// What its units say depends on more: notes, flags.
    pub fn units(job: Job) -> Of {
        Of::Job { uid: job.uid, epoch: job.epoch, revision: job.revision, rest: None }
    }

    fn changes_by_itself(&self) -> bool {
        matches!(self, Of::Database | Of::Job { rest: None, .. })
    }
}

impl<D: Clone> Kept<D> {
    pub fn new() -> Kept<D> {
        Kept(Mutex::new(Answers { by_name: HashMap::new(), forgotten_at: None }))
    }

    fn answers(&self) -> MutexGuard<'_, Answers<D>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is there under a name for somebody who asks now and wants it to depend on the same.
    pub fn find(&self, name: &str, of: &Of, now: Instant) -> Found<D> {
        let mut answers = self.answers();
        let found = answers.by_name.get_mut(name).filter(|answer| answer.of == *of);
        let Some(answer) = found else { return Found::Nothing };
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
        *self.answers() = Answers { by_name: HashMap::new(), forgotten_at: Some(Instant::now()) };
    }

    /// Keeps what was made since `began`, and is as old as what it was read from.
    pub fn keep(&self, name: String, of: Of, document: D, began: Instant) {
        self.put(name, Answer { of, document, made_at: began, took: began.elapsed(), is_made_again: false });
    }

    fn put(&self, name: String, answer: Answer<D>) {
        let mut answers = self.answers();
        let Answers { by_name, forgotten_at } = &mut *answers;
        if forgotten_at.is_some_and(|forgotten_at| answer.made_at <= forgotten_at) {
            return;
        }
        by_name.insert(name, answer);
        while by_name.len() > MOST {
            let oldest = by_name.iter().min_by_key(|(_, answer)| answer.made_at);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { return };
            by_name.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOK: Duration = Duration::from_millis(10);

    fn job(revision: i64, rest: Option<i64>) -> Of {
        let rest = rest.map(|failed| (JobStatus::Failed, Progress { failed, ..Progress::default() }, None));
        Of::Job { uid: "u".to_owned(), epoch: Epoch(1), revision, rest }
    }

    /// Returns what is found of an answer of that age.
    fn found(kept: &Of, asked: &Of, age: Duration) -> &'static str {
        let (all, made_at) = (Kept::new(), Instant::now());
        let answer = Answer { of: kept.clone(), document: 1, made_at, took: TOOK, is_made_again: false };
        all.put("1 charts".to_owned(), answer);
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
        let all = Kept::new();
        let begin = Instant::now();

        for document in 0..40_u32 {
            let made_at = begin + TOOK * document;
            let answer = Answer { of: Of::Database, document, made_at, took: TOOK, is_made_again: false };
            all.put(format!("{document} charts"), answer);
        }

        let kept = |name| matches!(all.find(name, &Of::Database, begin), Found::Good(_));
        assert_eq!(all.answers().by_name.len(), MOST);
        assert_eq!([kept("39 charts"), kept("0 charts")], [true, false]);

        all.forget();
        all.put(
            "40 charts".to_owned(),
            Answer { of: Of::Database, document: 40, made_at: begin, took: TOOK, is_made_again: false },
        );
        assert_eq!([kept("39 charts"), kept("40 charts")], [false, false]);
    }
}
