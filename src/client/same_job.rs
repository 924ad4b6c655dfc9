//! Compares a request for a job with the job that has its key.
//!
//! Compared is what changes what runs: the handler, its settings, the limits. How fast that goes, names and labels may
//! differ. Of a command's environment only the variables that were given by name are compared, because the rest differs
//! in every terminal. Who asks for units that run at most once gets no job that does not promise it now.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use super::known::{Found, KnownUnits, Sighting};
use super::settings::command_settings;
use super::{Client, ClientError, Created, UnitsDiffer};
use crate::handler::CommandSpec;
use crate::model::{Contents, Creation, Job, JobId, Limits, NewJob, NewUnit, RawText, is_secret, span};

/// Settings of a command that come from wherever it was submitted.
const SUBMISSION_CONTEXT: [&str; 7] =
    ["program", "env", "env_only", "env_given", "secrets", "unit_key", "are_commands"];
/// What is compared, and not shown as it is: the path of an address may be a secret.
const NOTIFY: &str = "notify";
/// Limits that say when units run, not what runs.
const PACE: [&str; 6] = ["workers", "total_workers", "adapt", "rate", "start", "after"];
/// Begins what is said of a variable.
const VARIABLE: &str = "variable ";
/// Most characters that are shown of a setting.
const SHOWN_CHARS: usize = 120;

impl Client {
    /// Compares the job that has the key of a new one with that.
    pub(super) fn compare_with<E>(
        &self,
        job: JobId,
        new: &NewJob,
        first: Vec<NewUnit>,
        units: &mut impl Iterator<Item = Result<NewUnit, E>>,
    ) -> Result<Created, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (row, creation) = (self.job(job)?, self.store().creation(job)?);
        refuse_another(&row, &self.spec(job)?, creation.as_ref(), new)?;
        let (mut contents, mut seen) = (Contents::default(), Vec::new());
        for unit in first.into_iter().map(Ok).chain(units) {
            let unit = unit.map_err(|error| ClientError::Source(error.into()))?;
            contents.add(&unit);
            seen.push(Sighting::from(&unit));
        }
        let same = Created { job, new: false, differs: None };
        if creation.is_some_and(|creation| creation.contents == contents) {
            return Ok(same);
        }
        let mut known = KnownUnits::of(self, job)?;
        let mut differ = UnitsDiffer::default();
        for sighting in &seen {
            match known.find(sighting) {
                Found::Same(_) => {}
                Found::Changed(_) => differ.changed += 1,
                Found::Nothing => differ.new += 1,
                Found::Twice => return Err(ClientError::KeyTwice { key: None }),
            }
        }
        differ.gone = known.into_gone().count();
        Ok(Created { differs: Some(differ).filter(|differ| *differ != UnitsDiffer::default()), ..same })
    }
}

/// Refuses a job that has the key of a new one and does something else.
pub(super) fn refuse_another(
    row: &Job,
    spec: &str,
    creation: Option<&Creation>,
    new: &NewJob,
) -> Result<(), ClientError> {
    let differences = differences(row, spec, creation, new)?;
    if differences.is_empty() {
        return Ok(());
    }
    let (key, differences) = (new.key.clone().unwrap_or_default(), differences.join(", "));
    Err(ClientError::KeyOfAnotherJob { job: row.id, key, differences })
}

/// Names what differs between a job and a request for one of the same key, each with the old and the new value; nothing when they
/// are the same.
fn differences(job: &Job, spec: &str, creation: Option<&Creation>, new: &NewJob) -> Result<Vec<String>, ClientError> {
    if job.handler != new.handler {
        return Ok(vec![changed("handler", Some(&job.handler.as_str().into()), Some(&new.handler.as_str().into()))]);
    }
    let specs = command_settings(job, || Ok(spec.to_owned()))?.zip(CommandSpec::of_json(&new.spec).ok());
    let mut found = match specs {
        Some((old, new)) => of_commands(&old, &new),
        None => {
            // What is not JSON is the same only as text.
            let value = |text: &str| serde_json::from_str(text).map_err(|_| text.to_owned());
            match (value(spec), value(&new.spec)) {
                (Ok(Value::Object(old)), Ok(Value::Object(new))) => of_objects(&old, &new, &[]),
                (old, new) if old == new => Vec::new(),
                (old, new) => {
                    let [old, new] = [old, new].map(|settings| settings.unwrap_or_else(Value::String));
                    vec![changed("settings", Some(&old), Some(&new))]
                }
            }
        }
    };
    if let Some(creation) = creation {
        let limits = |limits: &Limits| object(limits);
        found.extend(of_objects(&limits(&creation.limits), &limits(&new.limits), &PACE));
    }
    if found.is_empty() && new.limits.is_at_most_once() {
        // An older version let that be taken from a job, or did not write down what it was created with.
        found.extend(of_objects(&object(&promise(&job.limits)), &object(&promise(&new.limits)), &[]));
    }
    Ok(found)
}

/// Returns only what of some limits decides how often a unit may run.
fn promise(limits: &Limits) -> Limits {
    Limits { max_attempts: limits.max_attempts, on_interrupt: limits.on_interrupt, ..Limits::default() }
}

fn of_commands(old: &CommandSpec, new: &CommandSpec) -> Vec<String> {
    let mut found = of_objects(&object(old), &object(new), &[&SUBMISSION_CONTEXT[..], &[NOTIFY]].concat());
    if old.notify != new.notify {
        let [before, now] = [old, new].map(|spec| spec.notify.as_ref().map(|notify| Value::from(notify.to.shown())));
        match before == now {
            true => found.push(format!("{NOTIFY} another address or signature at {}", shown(now.as_ref(), false))),
            false => found.push(changed(NOTIFY, before.as_ref(), now.as_ref())),
        }
    }
    // What older versions did not write down cannot be compared.
    if let (Some(before), Some(now)) = (&old.unit_key, &new.unit_key)
        && before != now
    {
        found.push(changed("unit key", Some(&value(before)), Some(&value(now))));
    }
    let given: BTreeSet<&OsStr> = match (&old.env_given, &new.env_given) {
        (Some(before), Some(now)) => before.iter().chain(now).map(RawText::as_os_str).collect(),
        (_, None) => old.env.iter().chain(&new.env).map(|(name, _)| name.as_os_str()).collect(),
        (None, Some(_)) => BTreeSet::new(),
    };
    for name in given {
        let (before, now) = (given_value(old, name), given_value(new, name));
        if before != now {
            let name = format!("{VARIABLE}{}", name.to_string_lossy());
            found.push(changed(&name, before.as_ref(), now.as_ref()));
        }
    }
    found
}

/// Returns the value of a variable that was given, not only found in an environment.
fn given_value(spec: &CommandSpec, name: &OsStr) -> Option<Value> {
    let is_given = spec.env_given.as_ref().is_none_or(|names| names.iter().any(|given| given.as_os_str() == name));
    let text = spec.env.get(name).filter(|_| is_given)?;
    // Older versions kept values that are not to be shown.
    let is_shown = !is_secret(name, text);
    Some(if is_shown { value(&RawText::from(text.as_os_str())) } else { Value::from("a secret that was kept") })
}

fn value(text: &RawText) -> Value {
    serde_json::to_value(text).expect("text is always a JSON document")
}

fn of_objects(old: &Map<String, Value>, new: &Map<String, Value>, except: &[&str]) -> Vec<String> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let compared = names.into_iter().filter(|name| !except.contains(&name.as_str()));
    compared
        .filter(|name| is_other(name, old.get(*name), new.get(*name)))
        .map(|name| changed(name, old.get(name), new.get(name)))
        .collect()
}

/// Directories are compared as paths: `/a/.` is `/a`.
fn is_other(name: &str, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(Value::String(old)), Some(Value::String(new))) if name == "cwd" => {
            std::path::Path::new(old) != std::path::Path::new(new)
        }
        (old, new) => old.unwrap_or(&Value::Null) != new.unwrap_or(&Value::Null),
    }
}

fn changed(name: &str, old: Option<&Value>, new: Option<&Value>) -> String {
    let (name, is_time) = match name {
        "argv" => ("command", false),
        "cwd" => ("directory", false),
        other => other.strip_suffix("_ms").map_or((other, false), |name| (name, true)),
    };
    // Names of variables are not ours.
    let name = if name.starts_with(VARIABLE) { name.to_owned() } else { name.replace('_', " ") };
    format!("{name} {} → {}", shown(old, is_time), shown(new, is_time))
}

fn shown(value: Option<&Value>, is_time: bool) -> String {
    let text = match value {
        None | Some(Value::Null) => return "none".to_owned(),
        Some(value) if is_time => {
            value.as_u64().map_or_else(|| value.to_string(), |ms| span(Duration::from_millis(ms)))
        }
        Some(value) => value.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn object(settings: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(settings).expect("settings and limits are words and numbers") {
        Value::Object(fields) => fields,
        other => unreachable!("settings and limits have names, unlike {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use crate::store::{CreateOutcome, Store};

    fn spec(change: impl FnOnce(&mut CommandSpec)) -> CommandSpec {
        let mut spec = CommandSpec::new(["convert", "{}"], "/data".into());
        (spec.env_given, spec.unit_key) = (Some(Vec::new()), Some(RawText::default()));
        spec.env.insert("TERM".into(), "xterm".into());
        change(&mut spec);
        spec
    }

    fn found(change: impl FnOnce(&mut CommandSpec)) -> Vec<String> {
        of_commands(&spec(|_| ()), &spec(change))
    }

    #[test]
    fn what_changes_what_runs_is_a_difference_and_is_shown_with_both_values() {
        let one = |text: &str| vec![text.to_owned()];

        assert_eq!(found(|spec| spec.argv = vec!["rm".into()]), one(r#"command ["convert","{}"] → ["rm"]"#));
        assert_eq!(found(|spec| spec.shell = true), one("shell false → true"));
        assert_eq!(found(|spec| spec.cwd = "/other".into()), one(r#"directory "/data" → "/other""#));
        assert_eq!(found(|spec| spec.creates = Some("{}.out".into())), one(r#"creates none → "{}.out""#));
        assert_eq!(found(|spec| spec.unit_key = Some("{}".into())), one(r#"unit key "" → "{}""#));
        let given = |spec: &mut CommandSpec| {
            spec.env.insert("MODE".into(), "fast".into());
            spec.env_given = Some(vec!["MODE".into()]);
        };
        assert_eq!(found(given), one(r#"variable MODE none → "fast""#));
    }

    #[test]
    fn where_it_was_submitted_from_makes_no_difference() {
        let elsewhere = |spec: &mut CommandSpec| {
            spec.program = Some("/opt/bin/convert".into());
            spec.env.insert("TERM".into(), "dumb".into());
            spec.secrets = vec!["API_KEY".into()];
            spec.cwd = "/data/./".into();
        };

        assert_eq!(found(elsewhere), Vec::<String>::new());
    }

    #[test]
    fn settings_that_are_no_json_are_the_same_only_as_text() {
        let found = |old: &str, new: &str| {
            let job = |spec: &str| NewJob { spec: spec.to_owned(), ..NewJob::new("job", "resize") };
            let mut store = Store::scratch().unwrap();
            let units = [NewUnit::new(&1).unwrap()];
            let created = store.create_job(&job(old), &units, true, Timestamp::now()).unwrap();
            let CreateOutcome::Created(id) = created else { panic!("{created:?}") };
            differences(&store.job(id).unwrap(), &store.spec(id).unwrap(), None, &job(new)).unwrap()
        };

        assert_eq!(found("null", " null"), Vec::<String>::new());
        assert_eq!(found("null", "wide=1"), [r#"settings none → "wide=1""#]);
    }

    #[test]
    fn what_an_older_version_did_not_write_down_is_not_compared() {
        let older = spec(|spec| (spec.env_given, spec.unit_key) = (None, None));

        assert_eq!(of_commands(&older, &spec(|spec| spec.unit_key = Some("{}".into()))), Vec::<String>::new());
    }
}
