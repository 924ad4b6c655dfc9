//! One change of a limit, read from `KEY=VALUE`.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

use job_manager::client::{budget, windows};
use job_manager::model::{Budget, DiskFree, Limits, Meter, RawText, TimeLimit, Timeout};

use super::values;

/// What takes a limit away.
pub const NONE: &str = "none";
/// What a unit asked for, and is not a limit of the job.
pub const HOLD: &str = "hold";
/// Begins the limit of one group.
const GROUP: &str = "group:";

/// What can be changed; of groups and meters besides what is followed by their names.
pub const LIMITS: [&str; 22] = [
    "rate",
    "adapt",
    "timeout",
    "idle-timeout",
    "memory",
    "kill-after",
    "lease",
    "max-attempts",
    "max-failures",
    "max-later",
    "deadline",
    "backoff",
    "memfree",
    "load",
    "diskfree",
    "window",
    "not-before",
    "after",
    "hold",
    "per-group",
    "group-rate",
    "group-failures",
];

/// What a change does to the limits of a job.
type Apply = Arc<dyn Fn(&mut Limits) + Send + Sync>;

/// A change that was read.
#[derive(Clone)]
pub struct Change {
    pub key: String,
    pub apply: Apply,
    /// A group, and its own limit.
    pub group: Option<(String, Option<usize>)>,
    /// A meter that is taken away.
    pub taken: Option<String>,
    /// Whether it takes the limit away.
    pub takes_away: bool,
}

impl Change {
    /// Makes a change of a limit that is neither of a group nor of a meter.
    pub fn new(key: &str, apply: impl Fn(&mut Limits) + Send + Sync + 'static) -> Change {
        Change { key: key.to_owned(), apply: Arc::new(apply), group: None, taken: None, takes_away: false }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// Reads `KEY=VALUE` with the same words as the flags of `submit`; a path may have any bytes.
pub fn change(text: &OsStr) -> Result<Change, String> {
    if let Some(value) = text.as_bytes().strip_prefix(b"diskfree=").filter(|value| *value != NONE.as_bytes()) {
        let disk = DiskFree::of_os(OsStr::from_bytes(value)).map_err(|error| error.to_string())?;
        let apply: Apply = Arc::new(move |limits| limits.start.diskfree.push(disk.clone()));
        return Ok(Change { key: "diskfree".to_owned(), apply, group: None, taken: None, takes_away: false });
    }
    if let Some(change) = of_group_of_bytes(text) {
        return change;
    }
    let not_text = || format!("{text:?} is not UTF-8, only the path of diskfree and the name of a group may be so");
    let text = text.to_str().ok_or_else(not_text)?;
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("invalid change {text:?}, expected e.g. rate=60/min"))?;
    let apply: Apply = match key {
        "rate" => {
            let rate = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.rate = rate)
        }
        "timeout" => match values::spelled(value)? {
            Timeout::From(_) => return Err("a template is given when the job is created".to_owned()),
            timeout => Arc::new(move |limits| limits.set_timeout(timeout.clone())),
        },
        "memory" => {
            let memory = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.memory = memory)
        }
        "idle-timeout" => {
            let TimeLimit(idle) = values::spelled(value)?;
            Arc::new(move |limits| limits.idle_timeout = idle)
        }
        "kill-after" => {
            let kill_after = values::kill_after(value)?;
            Arc::new(move |limits| limits.kill_after = kill_after)
        }
        "lease" => {
            let lease = optional(value, values::duration)?;
            Arc::new(move |limits| limits.lease = lease)
        }
        "max-attempts" => {
            let most = values::at_least_one(value).map_err(|why| format!("max-attempts={value}: {why}"))?;
            Arc::new(move |limits| limits.max_attempts = most)
        }
        "max-failures" => {
            let most = optional(value, values::max_failures)?;
            Arc::new(move |limits| limits.max_failures = most)
        }
        "per-group" | "group-rate" | "group-failures" => group_change(key, value)?,
        // Each group has a row of its own.
        other if other.starts_with(GROUP) => {
            return of_group(other, other[GROUP.len()..].to_owned(), value);
        }
        "adapt" => {
            let least = optional(value, values::adapt).map_err(|why| format!("adapt={value}: {why}"))?;
            Arc::new(move |limits| limits.adapt = least)
        }
        "max-later" => {
            let most = optional(value, values::duration)?;
            Arc::new(move |limits| limits.max_later = most)
        }
        "deadline" => {
            let TimeLimit(deadline) = values::spelled(value)?;
            Arc::new(move |limits| limits.deadline = deadline)
        }
        "memfree" => {
            let memfree = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.start.memfree = memfree)
        }
        "load" => {
            let load = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.start.load = load)
        }
        // Any other value was read above.
        "diskfree" => Arc::new(|_| {}),
        "window" => {
            let given = optional(value, |text| {
                let spans = text.split(',').map(values::spelled).collect::<Result<_, _>>()?;
                windows(spans).map_err(|error| error.to_string())
            })?;
            Arc::new(move |limits| match (&mut limits.start.window, &given) {
                (Some(windows), Some(more)) => windows.spans.extend(&more.spans),
                (windows, more) => *windows = more.clone().or(windows.take()),
            })
        }
        "not-before" => {
            let time = optional(value, values::start_time)?;
            Arc::new(move |limits| limits.start.not_before = time)
        }
        // No limit of ours: it is lifted when the others have changed.
        HOLD if value == NONE => Arc::new(|_| {}),
        HOLD => return Err("a hold, which a unit asks for, can only be taken away: hold=none".to_owned()),
        "after" if value == NONE => Arc::new(|limits| limits.after = None),
        "after" => return Err("after can only be taken away: after=none".to_owned()),
        "backoff" => {
            let bounds = values::backoff(value)?;
            Arc::new(move |limits| (limits.backoff_base, limits.backoff_cap) = bounds)
        }
        other if of_meter(other).is_some() => {
            let (kind, name) = of_meter(other).expect("it was looked at just now");
            meter_change(kind, name, value)?
        }
        other => return Err(format!("no limit {other:?} can be changed (for workers there is `scale`)")),
    };
    let taken = of_meter(key).filter(|(kind, _)| *kind == "meter" && value == NONE).map(|(_, name)| name.to_owned());
    Ok(Change { key: key.to_owned(), apply, group: None, taken, takes_away: value == NONE })
}

/// Splits `budget.usd` into what is changed of which meter.
pub fn of_meter(key: &str) -> Option<(&str, &str)> {
    key.split_once('.').filter(|(kind, _)| ["budget", "reserve", "rate", "meter"].contains(kind))
}

/// Reads what becomes of a meter.
fn meter_change(kind: &str, name: &str, value: &str) -> Result<Apply, String> {
    let name = values::meter_name(name)?;
    Ok(match kind {
        "budget" => {
            let given = optional(value, |text| budget(text).map_err(values::said))?;
            Arc::new(move |limits| {
                let place = &mut limits.meter(&name).budget;
                let zone = place.as_ref().and_then(|before| before.day_zone.clone());
                // The days are those by which the job was created.
                *place =
                    given.clone().map(|new| Budget { day_zone: new.day_zone.map(|own| zone.unwrap_or(own)), ..new });
            })
        }
        "reserve" => {
            let given = optional(value, values::amount)?;
            Arc::new(move |limits| limits.meter(&name).reserve = given)
        }
        "rate" => {
            let given = optional(value, |text| text.parse().map_err(values::said))?;
            Arc::new(move |limits| limits.meter(&name).rate = given)
        }
        _ if value == NONE => Arc::new(move |limits| limits.meters.retain(|meter| meter.name != name)),
        _ => {
            let given: Meter = values::spelled(&format!("{name}={value}"))?;
            Arc::new(move |limits| {
                let meter = limits.meter(&name);
                (meter.path, meter.may_lack) = (given.path.clone(), given.may_lack);
            })
        }
    })
}

/// Reads the limit of one group.
fn of_group(key: &str, group: String, value: &str) -> Result<Change, String> {
    let most = optional(value, values::most).map_err(|why| format!("{key}={value}: {why}"))?;
    let takes_away = most.is_none();
    Ok(Change { key: key.to_owned(), apply: Arc::new(|_| {}), group: Some((group, most)), taken: None, takes_away })
}

/// Reads the limit of a group whose name is not UTF-8.
fn of_group_of_bytes(text: &OsStr) -> Option<Result<Change, String>> {
    let bytes = text.as_bytes().strip_prefix(GROUP.as_bytes()).filter(|_| text.to_str().is_none())?;
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (RawText::from(&bytes[..at]), std::str::from_utf8(&bytes[at + 1..]).ok()?);
    Some(of_group(&format!("{GROUP}{}", name.to_string_lossy()), name.to_column(), value))
}

/// Reads what becomes of the bounds of each group.
fn group_change(key: &str, value: &str) -> Result<Apply, String> {
    Ok(match key {
        "per-group" => {
            let most = optional(value, values::most).map_err(|why| format!("per-group={value}: {why}"))?;
            Arc::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.most = most))
        }
        "group-rate" => {
            let rate = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.rate = rate))
        }
        _ => {
            let most =
                optional(value, values::group_failures).map_err(|why| format!("group-failures={value}: {why}"))?;
            Arc::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.max_failures = most))
        }
    })
}

fn optional<T>(value: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if value == NONE { Ok(None) } else { read(value).map(Some) }
}
