//! `change_units`: what becomes of the units that a filter selects.

use job_manager::client::{Client, ClientError, SEARCH_TIME, UnitsSwept};
use job_manager::model::{JobId, KillThen, Seq, UnitFilter, UnitStatus};
use rmcp::schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::mcp::batch::wrong;
use crate::mcp::changed_units::ChangedUnits;
use crate::mcp::schema::words;
use crate::mcp::shape::{Field, Kind, field};
use crate::mcp::status_answer::{done_answer, swept_answer};
use crate::mcp::status_shape::swept_fields;
use crate::mcp::{Answer, Effect, JobGiven, Jobs, Tool, ToolError};

pub(super) struct ChangeUnits;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "rmcp::schemars")]
pub(super) struct Given {
    /// Number, uid, name, key or last.
    #[schemars(with = "String")]
    job: JobGiven,
    /// retry sends units back to pending with attempts counted from 0, by default failed and cancelled ones; skip is for pending
    /// or failed ones; kill ends running ones; accept and redo decide about completed ones that are flagged.
    action: Action,
    /// One unit, by its number.
    seq: Option<i64>,
    /// Units in these states; pending ones that are retried are due at once.
    #[serde(default)]
    #[schemars(schema_with = "words::<UnitStatus>")]
    status: Option<Vec<UnitStatus>>,
    /// Id from list_failures: units of that kind.
    cluster: Option<String>,
    /// Units of this group.
    group: Option<String>,
    /// Units whose item contains this regular expression.
    matching: Option<String>,
    /// From this number on.
    first_seq: Option<i64>,
    /// Up to this number.
    last_seq: Option<i64>,
    /// All undecided flagged units, for accept and redo.
    #[serde(default)]
    flagged: bool,
    /// Why; skip and kill require it, and the attempt that redo leads to is told.
    reason: Option<String>,
    /// What becomes of units that kill ends; without it another attempt.
    then: Option<Then>,
    /// retry makes units of one item out of a unit of several.
    #[serde(default)]
    one_by_one: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
enum Action {
    Retry,
    Skip,
    Kill,
    Accept,
    Redo,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "rmcp::schemars", inline)]
enum Then {
    Retry,
    Fail,
    Skip,
}

impl Action {
    fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Kill => "kill",
            Self::Accept => "accept",
            Self::Redo => "redo",
        }
    }

    /// Returns the states of the units that it is about, and those that it is about where they are named.
    fn states(self) -> (&'static [UnitStatus], &'static [UnitStatus]) {
        use UnitStatus::{Cancelled, Completed, Failed, Pending, Running, Skipped};
        match self {
            Self::Retry => (&[Failed, Cancelled], &[Skipped, Pending]),
            Self::Skip => (&[Pending, Failed], &[Cancelled]),
            Self::Kill => (&[Running], &[]),
            Self::Accept | Self::Redo => (&[Completed], &[]),
        }
    }
}

impl Given {
    fn filter(&self) -> Result<UnitFilter, ToolError> {
        let [first, last] = [self.first_seq, self.last_seq].map(|bound| self.seq.or(bound).map(Seq));
        let filter = UnitFilter {
            statuses: self.status.clone().unwrap_or_default(),
            first,
            last,
            pattern: self.matching.as_deref().map(str::parse).transpose()?,
            cluster: self.cluster.as_deref().map(str::parse).transpose()?,
            group: self.group.clone(),
            ..UnitFilter::default()
        };
        let is_review = matches!(self.action, Action::Accept | Action::Redo);
        if self.flagged && !is_review {
            return Err(ToolError::Incomplete { given: "flagged", missing: "the action accept or redo" });
        }
        let bounds = [first.is_some(), last.is_some(), filter.pattern.is_some(), filter.cluster.is_some()];
        let is_bounded = bounds.contains(&true) || filter.group.is_some() || !filter.statuses.is_empty();
        if !is_bounded && !self.flagged {
            return Err(ToolError::NoFilter(
                "seq, status, cluster, group, matching, first_seq or last_seq, or flagged for accept and redo",
            ));
        }
        Ok(filter)
    }

    fn reason(&self, action: &'static str) -> Result<&str, ToolError> {
        self.reason.as_deref().ok_or(ToolError::Incomplete { given: action, missing: "a reason" })
    }

    /// Looks for the units that the action is about, before it.
    fn found(&self, client: &Client, job: JobId, filter: &UnitFilter) -> Result<ChangedUnits, ToolError> {
        let (states, by_name) = self.action.states();
        ChangedUnits::found(client, job, filter, states, by_name)
    }

    /// Returns the only unit that is meant, where nothing but its number was given.
    fn only(&self) -> Option<Seq> {
        let more = [self.status.is_some(), self.cluster.is_some(), self.group.is_some(), self.matching.is_some()];
        self.seq.filter(|_| !more.contains(&true) && !self.flagged).map(Seq)
    }

    fn refuse_what_another_action_takes(&self) -> Result<(), ToolError> {
        if self.seq.is_some() && (self.first_seq.is_some() || self.last_seq.is_some()) {
            return Err(ToolError::Parameters("give seq, or first_seq and last_seq, not both".to_owned()));
        }
        let (states, by_name) = self.action.states();
        let taken: Vec<&UnitStatus> = states.iter().chain(by_name).collect();
        if let Some(other) = self.status.iter().flatten().find(|status| !taken.contains(status)) {
            let taken: Vec<&str> = taken.iter().map(|status| status.as_str()).collect();
            let (action, taken) = (self.action.as_str(), taken.join(", "));
            return Err(wrong("status", format_args!("{action} is for units that are {taken}, not {other}")));
        }
        let pairs = [
            ("reason", self.reason.is_some(), "another action than retry", self.action != Action::Retry),
            ("then", self.then.is_some(), "the action kill", self.action == Action::Kill),
            ("one_by_one", self.one_by_one, "the action retry", self.action == Action::Retry),
        ];
        match pairs.into_iter().find(|(_, is_given, _, fits)| *is_given && !fits) {
            Some((given, _, missing, _)) => Err(ToolError::Incomplete { given, missing }),
            None => Ok(()),
        }
    }
}

impl Tool for ChangeUnits {
    type Given = Given;
    const NAME: &'static str = "change_units";
    const TITLE: &'static str = "Retry, skip, kill or review units";
    const DESCRIPTION: &'static str = "Retry, skip or end units of a job, or decide about flagged ones: those that fit \
        everything given. A running job takes up what is retried; for one that ended call resume_job next. Units after \
        those of canary still wait for approve_job. Show the person flagged units (list_units) before you accept them.";
    const EFFECT: Effect = Effect::Runs;

    fn output() -> Vec<Field> {
        let added = field("units_added", Kind::Whole, "Units that do others again.");
        swept_fields("Units changed.").into_iter().chain([added]).collect()
    }

    fn answer(jobs: &Jobs, given: Given) -> Result<Answer, ToolError> {
        let filter = given.filter()?;
        given.refuse_what_another_action_takes()?;
        match given.action {
            Action::Retry => retry(jobs, &given, &filter),
            Action::Skip => {
                let reason = given.reason("skip")?;
                let (client, job) = jobs.to_change(&given.job)?;
                let units = given.found(&client, job, &filter)?;
                let swept = client.skip_units_within(job, &filter, reason, Some(SEARCH_TIME))?;
                swept_answer(&client, job, swept, units, "skipped")
            }
            Action::Kill => kill(jobs, &given, &filter),
            Action::Accept | Action::Redo => review(jobs, &given, &filter),
        }
    }
}

fn retry(jobs: &Jobs, given: &Given, filter: &UnitFilter) -> Result<Answer, ToolError> {
    let (client, job) = jobs.to_run(&given.job)?;
    let (swept, units): (UnitsSwept, _) = match given.one_by_one {
        // Those that are pending then are others.
        true => (client.retry_one_by_one(job, filter, Some(SEARCH_TIME))?, ChangedUnits::default()),
        false => {
            let units = given.found(&client, job, filter)?;
            (client.retry_units_within(job, filter, Some(SEARCH_TIME))?, units)
        }
    };
    swept_answer(&client, job, swept, units, "pending again")
}

fn kill(jobs: &Jobs, given: &Given, filter: &UnitFilter) -> Result<Answer, ToolError> {
    let reason = given.reason("kill")?;
    let then = match given.then {
        Some(Then::Retry) | None => KillThen::Retry,
        Some(Then::Fail) => KillThen::Fail,
        Some(Then::Skip) => KillThen::Skip,
    };
    let (client, job) = jobs.to_change(&given.job)?;
    let asked = match given.only() {
        Some(seq) => client.kill_unit(job, seq, then, reason).map(|()| vec![seq])?,
        None => client.kill_units(job, filter, then, reason)?.into_iter().map(|asked| asked.seq).collect(),
    };
    let (units, asked) = named(&asked);
    let done = format!("Units asked to end: {asked}{}.", units.words(asked));
    done_answer(&client, job, &done, json!({ "units_changed": asked, "units": units.numbers() }))
}

fn review(jobs: &Jobs, given: &Given, filter: &UnitFilter) -> Result<Answer, ToolError> {
    // Decisions let a job go on that had waited for them.
    let (client, job) = jobs.to_run(&given.job)?;
    let seqs = match given.only() {
        // Flagged or not: somebody has named it.
        Some(seq) => vec![seq],
        None => client.units_to_review(job, filter)?,
    };
    if seqs.is_empty() {
        return Err(ClientError::NoUnitFits { job }.into());
    }
    let before = client.job(job)?;
    client.check_reviewed_start(&before)?;
    let (decided, added) = match given.action {
        Action::Redo => {
            let added = client.redo_units(job, &seqs, given.reason.as_deref())?.len();
            ("to be done again", Some(added))
        }
        _ => {
            client.accept_units(job, &seqs, given.reason.as_deref())?;
            ("accepted", None)
        }
    };
    client.start_reviewed(&before)?;
    let undecided = client.undecided(job)?;
    let (units, changed) = named(&seqs);
    let done = format!("Units {decided}: {changed}{}; undecided: {undecided}.", units.words(changed));
    let document = json!({ "units_changed": changed, "units": units.numbers(), "units_added": added });
    done_answer(&client, job, &done, document)
}

fn named(seqs: &[Seq]) -> (ChangedUnits, i64) {
    (ChangedUnits::all(seqs.iter().copied()), i64::try_from(seqs.len()).expect("they are counted in 64 bits"))
}
