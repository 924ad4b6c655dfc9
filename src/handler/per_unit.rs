//! Limits that a unit has of its own, out of its payload: how long its attempt may take, how many workers it takes.
//!
//! A value that is absent, empty or no such limit is an error, never a default.

use std::time::Duration;

use super::template::{Template, TemplateError, TemplatePart, UnitValues};
use crate::model::{Groups, Limits, RawText, Seq, Slots, TimeLimit, Unit};

/// A unit whose payload does not give the limit that it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnitLimitError {
    /// The template has no value.
    #[error("cannot use {template:?} as its {what}")]
    Template {
        /// The template.
        template: String,
        /// What it stands for.
        what: &'static str,
        /// The cause.
        source: Box<TemplateError>,
    },
    /// The value is not a duration.
    #[error("invalid timeout {given:?} from {template:?}, expected e.g. 90, 30s or 1h30m")]
    Timeout {
        /// The value.
        given: String,
        /// The template that it comes from.
        template: String,
    },
    /// The value is not a number of workers.
    #[error("invalid number of workers {given:?} from {template:?}, expected e.g. 1 or 4")]
    Slots {
        /// The value.
        given: String,
        /// The template that it comes from.
        template: String,
    },
    /// The template of groups counts.
    #[error("{placeholder} cannot be part of a group: it is known only when the unit has a number or runs")]
    GroupCounts {
        /// The placeholder, as written.
        placeholder: String,
    },
    /// The unit would be in a group without a name.
    #[error(
        "the group {template:?} is empty: each unit must be in one, put a default inside its braces, such as :-other"
    )]
    GroupEmpty {
        /// The template.
        template: String,
    },
    /// The name of its group is too long.
    #[error("the name of its group has {bytes} bytes, it may have at most {}", Groups::MAX_NAME_BYTES)]
    GroupTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The value is more than the job has.
    #[error(
        "a unit takes {slots} workers, but the job has only {workers}: give the job more workers, or the unit fewer"
    )]
    TooManySlots {
        /// What it takes.
        slots: usize,
        /// What there are.
        workers: usize,
    },
}

/// Returns the limits of a unit that has some of its own; none when it has those of its job.
pub fn limits_of(limits: &Limits, unit: &Unit) -> Result<Option<Limits>, UnitLimitError> {
    if (limits.timeout_from.is_none() && limits.slots.is_one()) || is_last(unit.key.as_deref()) {
        return Ok(None);
    }
    slots_of(limits, &unit.payload, unit.id.seq())?;
    match timeout(limits, &unit.payload, unit.id.seq())? {
        Some(timeout) => Ok(Some(Limits { timeout, ..limits.clone() })),
        None => Ok(None),
    }
}

/// Returns how long an attempt at a unit with that payload may take.
pub fn timeout_of(limits: &Limits, payload: &str, seq: Seq) -> Result<Option<Duration>, UnitLimitError> {
    Ok(timeout(limits, payload, seq)?.unwrap_or(limits.timeout))
}

/// Refuses a new unit whose payload does not give the limits that it should; with `workers` also one that takes more of
/// them than there are.
pub fn check_unit(limits: &Limits, payload: &str, workers: Option<usize>) -> Result<(), UnitLimitError> {
    timeout(limits, payload, Seq::FIRST)?;
    let slots = slots_of(limits, payload, Seq::FIRST)?;
    match workers.filter(|workers| slots > *workers) {
        Some(workers) => Err(UnitLimitError::TooManySlots { slots, workers }),
        None => Ok(()),
    }
}

/// Refuses templates of limits that no payload gives a value for.
pub fn check_templates(limits: &Limits) -> Result<(), UnitLimitError> {
    let mut templates = limits.timeout_from.iter().map(|text| (text, TIMEOUT)).collect::<Vec<_>>();
    if let Slots::From(text) = &limits.slots {
        templates.push((text, SLOTS));
    }
    templates.into_iter().try_for_each(|(text, what)| {
        let part = if what == TIMEOUT { TemplatePart::Timeout } else { TemplatePart::Slots };
        parse(text, what)?.refuse_slot(part).map_err(|source| unusable(text, what, source))
    })
}

const TIMEOUT: &str = "timeout";
const SLOTS: &str = "number of workers";

/// Returns the time that an attempt may take, where that is the unit's own matter; inside of that none where it is 0.
fn timeout(limits: &Limits, payload: &str, seq: Seq) -> Result<Option<Option<Duration>>, UnitLimitError> {
    let Some(template) = &limits.timeout_from else { return Ok(None) };
    let text = text_of(template, TIMEOUT, payload, seq)?;
    match text.parse() {
        Ok(TimeLimit(span)) => Ok(Some(span)),
        Err(_) => Err(UnitLimitError::Timeout { given: text, template: template.clone() }),
    }
}

/// Returns how many workers a unit with that payload takes.
pub fn slots_of(limits: &Limits, payload: &str, seq: Seq) -> Result<usize, UnitLimitError> {
    match &limits.slots {
        Slots::Each(slots) => Ok(*slots),
        Slots::From(template) => {
            let given = text_of(template, SLOTS, payload, seq)?;
            let slots = given.parse().ok().filter(|slots| (1..=Limits::MAX_WORKERS).contains(slots));
            slots.ok_or_else(|| UnitLimitError::Slots { given, template: template.clone() })
        }
    }
}

fn text_of(template: &str, what: &'static str, payload: &str, seq: Seq) -> Result<String, UnitLimitError> {
    let no_value = |source| unusable(template, what, source);
    let values = UnitValues::parse(payload).map_err(no_value)?;
    Ok(parse(template, what)?.render(&values, 0, seq).map_err(no_value)?.to_string_lossy().into_owned())
}

fn parse(template: &str, what: &'static str) -> Result<Template, UnitLimitError> {
    Template::parse(&RawText::from(template)).map_err(|source| unusable(template, what, source))
}

fn unusable(template: &str, what: &'static str, source: TemplateError) -> UnitLimitError {
    UnitLimitError::Template { template: template.to_owned(), what, source: source.into() }
}

/// Returns `true` if a unit is the one that a job ends with, whose payload is the counts of the job.
fn is_last(key: Option<&str>) -> bool {
    key.is_some_and(Unit::is_last_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(timeout: Option<&str>, slots: Slots) -> Limits {
        Limits { timeout_from: timeout.map(str::to_owned), slots, ..Limits::default() }
    }

    fn timeout_for(payload: &str) -> Result<Option<Duration>, String> {
        let found = timeout(&limits(Some("{t}"), Slots::default()), payload, Seq(1));
        found.map(Option::unwrap).map_err(|error| error.to_string())
    }

    #[test]
    fn a_timeout_is_a_duration_or_a_number_of_seconds() {
        for (payload, span) in [
            (r#"{"t":90}"#, Duration::from_secs(90)),
            (r#"{"t":"90"}"#, Duration::from_secs(90)),
            (r#"{"t":1.5}"#, Duration::from_millis(1500)),
            (r#"{"t":"1h30m"}"#, Duration::from_secs(5400)),
        ] {
            assert_eq!(timeout_for(payload), Ok(Some(span)), "{payload}");
        }
        assert_eq!(timeout_for(r#"{"t":0}"#), Ok(None));
        for payload in
            [r#"{"t":""}"#, r#"{"t":null}"#, r#"{"t":"soon"}"#, r#"{"t":-1}"#, r#"{"u":1}"#, r#"{"t":"1e3"}"#, "1"]
        {
            assert!(timeout_for(payload).is_err(), "{payload}: {:?}", timeout_for(payload));
        }
    }

    #[test]
    fn slots_are_a_number_from_one_on() {
        let from = |payload: &str| slots_of(&limits(None, Slots::From("{n}".to_owned())), payload, Seq(1));

        assert_eq!((from(r#"{"n":4}"#).unwrap(), from(r#"{"n":"1"}"#).unwrap()), (4, 1));
        for payload in
            [r#"{"n":0}"#, r#"{"n":""}"#, r#"{"n":1.5}"#, r#"{"n":"x"}"#, r#"{"n":-1}"#, r#"{"n":99999}"#, "{}"]
        {
            assert!(from(payload).is_err(), "{payload}");
        }
    }

    #[test]
    fn a_limit_that_is_known_only_when_the_unit_runs_is_refused() {
        let from = |text: &str| Slots::From(text.to_owned());

        for limits in [limits(Some("{%}"), Slots::default()), limits(None, from("{%}")), limits(None, from("{%:02}"))] {
            assert!(check_templates(&limits).is_err());
        }
        assert!(check_templates(&limits(Some("{#}"), from("{#}"))).is_ok());
    }

    #[test]
    fn a_unit_that_takes_more_workers_than_there_are_is_refused_where_that_counts() {
        let unit = r#"{"n":4}"#;
        let limits = limits(None, Slots::From("{n}".to_owned()));

        assert!(check_unit(&limits, unit, Some(4)).is_ok() && check_unit(&limits, unit, None).is_ok());
        let error = check_unit(&limits, unit, Some(3)).unwrap_err();
        assert!(error.to_string().starts_with("a unit takes 4 workers, but the job has only 3"), "{error}");
    }
}
