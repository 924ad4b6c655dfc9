//! Which units of a job may run before a person has approved the others.

use super::{JobId, Limits, Seq, UnitId};

/// Which units of a job may run at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All.
    All,
    /// Those up to a number.
    Through(Seq),
    /// These, all of which come before any other waits for its first attempt.
    Chosen(Vec<Seq>),
}

impl Reach {
    /// Returns the last unit that may have its first attempt in the order of the numbers.
    pub(crate) fn last_fresh(&self) -> Seq {
        match self {
            Self::Chosen(_) => Seq(0),
            other => other.last(),
        }
    }

    /// Returns a number behind which no unit may run.
    pub(crate) fn last(&self) -> Seq {
        match self {
            Self::All | Self::Chosen(_) => Seq::MAX,
            Self::Through(last) => *last,
        }
    }

    /// Returns `true` if a unit may run at present.
    pub(crate) fn has(&self, seq: Seq) -> bool {
        match self {
            Self::Chosen(numbers) => numbers.contains(&seq),
            other => seq <= other.last(),
        }
    }

    /// Returns the units that were chosen, as one JSON document.
    pub(crate) fn chosen(&self, job: JobId) -> Option<String> {
        let Self::Chosen(numbers) = self else { return None };
        let ids: Vec<i64> = numbers.iter().map(|seq| UnitId::new(job, *seq).raw()).collect();
        Some(serde_json::to_string(&ids).expect("numbers are JSON"))
    }
}

impl Limits {
    /// Returns which units may run before a person has approved the others.
    pub(crate) fn reach(&self) -> Reach {
        match (self.canary, &self.sample) {
            (None, _) => Reach::All,
            (Some(_), Some(sample)) => Reach::Chosen(sample.chosen.clone()),
            (Some(units), None) => Reach::Through(Seq(units.into())),
        }
    }
}

impl From<Seq> for Reach {
    fn from(last: Seq) -> Reach {
        if last == Seq::MAX { Reach::All } else { Reach::Through(last) }
    }
}
