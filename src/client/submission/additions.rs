//! Units for a job that is there already: all of them are looked at before the first is written.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::bounded::{IsWithin, refuse_outside};
use super::grouping::{ungrouped, unit_items};
use super::unit_key::key_template;
use super::{SubmissionError, unit, with_unit_limits};
use crate::client::known::KeyedContents;
use crate::client::sources::OpenSources;
use crate::client::{Client, ClientError};
use crate::files::PrivateDir;
use crate::handler::{Grouping, UnitTemplates};
use crate::model::{Job, NewUnit, RawText, UnitsAdded};

/// Additions of this process, each of which has a file of its own.
static ADDITIONS: AtomicU64 = AtomicU64::new(0);

/// What came of an addition.
#[derive(Debug, Clone, Copy)]
pub struct Added {
    /// Units that were added.
    pub added: usize,
    /// Units that were skipped because the job has their keys already.
    pub skipped: usize,
    /// Those of the skipped that have other content in the job.
    pub differ: usize,
}

/// Makes units of items that fit the command of a job, one after the other, with the keys that the job was created with.
///
/// # Errors
/// When another template of keys is given than the one of the job.
pub fn additions(
    client: &Client,
    sources: OpenSources,
    unit_key: Option<&OsStr>,
    job: &Job,
) -> Result<impl Iterator<Item = Result<NewUnit, SubmissionError>> + use<>, SubmissionError> {
    additions_within(client, sources, unit_key, job, |_: &Path| true)
}

/// Like [`additions`], and refuses units whose working directory, or the path that they make, is not one of those for which `is_within` is
/// true.
///
/// # Errors
/// Those of [`additions`].
pub fn additions_within<W: Fn(&Path) -> bool + 'static>(
    client: &Client,
    sources: OpenSources,
    unit_key: Option<&OsStr>,
    job: &Job,
    is_within: W,
) -> Result<impl Iterator<Item = Result<NewUnit, SubmissionError>> + use<W>, SubmissionError> {
    let is_within: IsWithin = Box::new(is_within);
    let checked = with_unit_limits(sources.items, &job.limits, None)?;
    let spec = client.command_settings(job)?;
    let recorded = spec.as_ref().and_then(|spec| spec.unit_key.as_ref()).map(RawText::as_os_str);
    let unit_key = key_of_job(job, recorded, unit_key)?.map(key_template).transpose()?;
    let (items, templates) = match &spec {
        Some(spec) => {
            let is_combination = spec.items.is_combination;
            if sources.are_combined != is_combination {
                return Err(SubmissionError::OtherForm { job: job.id, is_combination });
            }
            if spec.are_commands.is_some_and(|are_commands| are_commands != sources.are_commands) {
                return Err(SubmissionError::OtherKind { job: job.id, are_commands: !sources.are_commands });
            }
            if unit_key.is_some() && spec.items.several.is_some() {
                return Err(SubmissionError::KeyOfSeveral);
            }
            (unit_items(checked, spec)?, Some(UnitTemplates::of(spec)?))
        }
        None => (ungrouped(checked), None),
    };
    let grouping = Grouping::of(&job.limits)?;
    Ok(items.map(move |item| {
        let unit = unit(item, templates.as_ref(), unit_key.as_ref(), grouping.as_ref())?;
        let looked_at = templates.as_ref().map(|templates| refuse_outside(Some(&is_within), templates, &unit));
        looked_at.unwrap_or(Ok(())).map(|()| unit)
    }))
}

/// Returns the template of the keys of a job's units: the one it was created with, or the one given where none was
/// recorded.
fn key_of_job<'t>(
    job: &Job,
    recorded: Option<&'t OsStr>,
    given: Option<&'t OsStr>,
) -> Result<Option<&'t OsStr>, SubmissionError> {
    match (recorded, given) {
        (None, given) => Ok(given),
        (Some(recorded), Some(given)) if recorded != given => {
            let text = |template: &OsStr| template.to_string_lossy().into_owned();
            Err(SubmissionError::OtherUnitKey { job: job.id, recorded: text(recorded), given: text(given) })
        }
        (Some(recorded), _) => Ok(Some(recorded).filter(|template| !template.is_empty())),
    }
}

impl Client {
    /// Adds units to a job once all of them are known to be good and to have different keys; see [`Client::add_units`].
    ///
    /// Until then they wait in a file without a name beside the database, whatever their number.
    pub fn add_checked_units(
        &self,
        job: &Job,
        units: impl Iterator<Item = Result<NewUnit, SubmissionError>>,
    ) -> Result<Added, SubmissionError> {
        let files = self.job_files(job.id);
        let number = ADDITIONS.fetch_add(1, Ordering::Relaxed);
        let name = format!("adding-{}-{number}", std::process::id());
        let path = files.path().join(&name);
        let failed = |operation| ClientError::files(operation, &path);
        let dir = PrivateDir::create(files.path()).map_err(failed("create the directory of"))?;
        let mut file = dir.nameless_file(&name).map_err(failed("create"))?;
        let mut writer = BufWriter::new(&mut file);
        let mut contents = KeyedContents::default();
        for unit in units {
            let unit = unit?;
            if !contents.insert(&unit) {
                return Err(ClientError::KeyTwice { key: unit.key }.into());
            }
            let NewUnit { payload, key, .. } = unit;
            let line = serde_json::to_vec(&(payload, key)).expect("a unit is text");
            writer.write_all(&line).and_then(|()| writer.write_all(b"\n")).map_err(failed("write"))?;
        }
        writer.flush().map_err(failed("write"))?;
        drop(writer);
        file.rewind().map_err(failed("read"))?;
        let kept = BufReader::new(file).lines().map(|line| {
            let (payload, key) = serde_json::from_str(&line?)?;
            Ok::<NewUnit, io::Error>(NewUnit { payload, key, group: None })
        });
        let UnitsAdded { added, already_there: skipped, .. } = self.try_add_units(job.id, kept)?;
        let differ = if skipped > 0 { contents.count_other(self, job.id)? } else { 0 };
        Ok(Added { added, skipped, differ })
    }
}
