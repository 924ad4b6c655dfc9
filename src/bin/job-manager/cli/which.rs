//! Which job or which unit a verb is about: the words and flags that all verbs share for it.
//!
//! `--job-key` names a job by its key in every verb. `--key` is the same where a verb is about jobs only, and the key of a
//! unit where it is about units. A key beside a JOB would say the same thing twice, and is refused.

use clap::Args;
use job_manager::client::{Client, ClientError};
use job_manager::model::{JobId, Seq};

use super::args::{LAST, split_unit};
use super::error::CliError;
use super::values;

/// The job of a verb whose `--key` is that of a unit.
#[derive(Debug, Args)]
pub(super) struct JobArg {
    /// Job: its number, uid or prefix of that, name, or `last` [default: last]
    #[arg(value_name = "JOB")]
    job: Option<String>,
    /// The job of that key, instead of JOB
    #[arg(long, value_name = "KEY", conflicts_with = "job")]
    job_key: Option<String>,
}

/// The job of a verb that is about no unit.
#[derive(Debug, Args)]
pub(super) struct JobOrKeyArg {
    /// Job: its number, uid or prefix of that, name, or `last` [default: last]
    #[arg(value_name = "JOB")]
    job: Option<String>,
    #[command(flatten)]
    keys: JobKeys,
}

/// The jobs of a verb that is about several.
#[derive(Debug, Args)]
pub(super) struct JobsArg {
    /// Jobs: number, uid or prefix of that, name, or `last` [default: last]
    #[arg(value_name = "JOB")]
    jobs: Vec<String>,
    #[command(flatten)]
    keys: JobKeys,
}

/// The key of a job, by either of its flags; what stands in the place of JOB is the verb's to judge.
#[derive(Debug, Args)]
pub(super) struct JobKeys {
    /// The job of that key, instead of JOB
    #[arg(long, value_name = "KEY")]
    job_key: Option<String>,
    /// The same as --job-key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// A job or one of its units, of a verb whose `--key` is that of a job.
#[derive(Debug, Args)]
pub(super) struct TargetArg {
    /// Job, or unit as JOB:SEQ; `:SEQ` beside the key of a job [default: last]
    #[arg(value_name = "JOB[:SEQ]")]
    target: Option<String>,
    #[command(flatten)]
    keys: JobKeys,
}

/// A unit, or where a verb allows that its job, of a verb whose `--key` is that of a unit.
#[derive(Debug, Args)]
pub(super) struct UnitArg {
    /// Unit as JOB:SEQ, or JOB beside --key [default: last]
    #[arg(value_name = "JOB:SEQ")]
    target: Option<String>,
    /// The unit of that key
    #[arg(long, value_name = "KEY", value_parser = values::unit_key())]
    key: Option<String>,
    /// The job of that key, instead of JOB
    #[arg(long, value_name = "KEY")]
    job_key: Option<String>,
}

impl JobArg {
    pub fn find(&self, client: &Client) -> Result<JobId, CliError> {
        find_job(client, self.job.as_deref(), self.job_key.as_deref())
    }
}

impl JobOrKeyArg {
    /// Returns `true` if the job was named, and is not the newest one because none was.
    pub fn is_named(&self) -> bool {
        self.job.is_some() || self.keys.is_given()
    }

    pub fn find(&self, client: &Client) -> Result<JobId, CliError> {
        find_job(client, self.job.as_deref(), self.keys.key()?)
    }
}

impl JobsArg {
    /// Finds the jobs, each once.
    pub fn find(&self, client: &Client) -> Result<Vec<JobId>, CliError> {
        let key = self.keys.key()?;
        if key.is_some() || self.jobs.is_empty() {
            return Ok(vec![find_job(client, self.jobs.first().map(String::as_str), key)?]);
        }
        let mut jobs = Vec::new();
        for named in &self.jobs {
            let job = client.find_job(named)?;
            if !jobs.contains(&job) {
                jobs.push(job);
            }
        }
        Ok(jobs)
    }
}

impl JobKeys {
    pub fn is_given(&self) -> bool {
        self.job_key.is_some() || self.key.is_some()
    }

    /// Returns the key that is meant.
    pub fn key(&self) -> Result<Option<&str>, CliError> {
        match (self.job_key.as_deref(), self.key.as_deref()) {
            (Some(one), Some(other)) if one != other => Err(CliError::TwoJobKeys),
            (one, other) => Ok(one.or(other)),
        }
    }

    /// Returns the job of the key; none when no key is given.
    pub fn find(&self, client: &Client) -> Result<Option<JobId>, CliError> {
        Ok(self.key()?.map(|key| client.find_job_of_key(key)).transpose()?)
    }
}

impl TargetArg {
    /// Returns `true` if anything was named.
    pub fn is_named(&self) -> bool {
        self.target.is_some() || self.keys.is_given()
    }

    pub fn find(&self, client: &Client) -> Result<(JobId, Option<Seq>), CliError> {
        find_target(client, self.target.as_deref(), self.keys.key()?)
    }

    /// Finds the same of a verb that takes a filter: beside a JOB the key is a unit's, and returned.
    pub fn find_with_key(&self, client: &Client) -> Result<(JobId, Option<Seq>, Option<String>), CliError> {
        match (&self.target, &self.keys) {
            (Some(target), JobKeys { job_key: None, key: Some(key) }) if split_unit(target).1.is_none() => {
                Ok((client.find_job(target)?, None, Some(key.clone())))
            }
            _ => self.find(client).map(|(job, seq)| (job, seq, None)),
        }
    }
}

impl UnitArg {
    /// Finds a job, and the unit if one is named.
    pub fn find(&self, client: &Client) -> Result<(JobId, Option<Seq>), CliError> {
        let (job, seq) = find_target(client, self.target.as_deref(), self.job_key.as_deref())?;
        match (seq, self.key.as_deref()) {
            (Some(_), Some(_)) => Err(CliError::TwoUnits),
            (None, Some(key)) => Ok((job, Some(client.find_unit_of_key(job, key)?))),
            (seq, None) => Ok((job, seq)),
        }
    }

    /// Finds a unit.
    pub fn find_unit(&self, client: &Client) -> Result<(JobId, Seq), CliError> {
        let (job, seq) = self.find(client)?;
        Ok((job, seq.ok_or(CliError::NoSeq)?))
    }
}

fn find_job(client: &Client, job: Option<&str>, key: Option<&str>) -> Result<JobId, CliError> {
    match (job, key) {
        (Some(_), Some(_)) => Err(CliError::TwoJobs),
        (_, Some(key)) => Ok(client.find_job_of_key(key)?),
        (job, None) => Ok(client.find_job(job.unwrap_or(LAST))?),
    }
}

fn find_target(client: &Client, target: Option<&str>, key: Option<&str>) -> Result<(JobId, Option<Seq>), CliError> {
    let Some(text) = target else { return Ok((find_job(client, None, key)?, None)) };
    let (job, seq) = split_unit(text);
    if key.is_some() {
        let job = if seq.is_some() && text.starts_with(':') { None } else { Some(job) };
        return Ok((find_job(client, job, key)?, seq));
    }
    if seq.is_none() {
        return Ok((client.find_job(job)?, None));
    }
    // A job's name may end like a unit.
    match (client.find_job(job), client.find_job(text)) {
        (found, Err(ClientError::NoSuchJob { .. })) => Ok((found?, seq)),
        (Err(ClientError::NoSuchJob { .. }), Ok(whole)) => Ok((whole, None)),
        (Ok(_), Ok(whole)) => Err(CliError::JobOrUnit { given: text.to_owned(), job: whole }),
        (Err(error), _) | (_, Err(error)) => Err(error.into()),
    }
}
