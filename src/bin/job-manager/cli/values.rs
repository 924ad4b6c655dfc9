//! Values of flags: durations, ranges, numbers of workers.

use std::ffi::OsString;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use job_manager::failures::{ClusterId, ClusterIdError};
use job_manager::model::{DiskFree, RawText, Seq, UnknownWordError};

pub(super) use crate::settings::values::{at_least_one, backoff, duration, kill_after, spelled, start_time, whole};

/// Reads the id of a kind of failure.
pub(super) fn cluster(text: &str) -> Result<ClusterId, String> {
    text.parse().map_err(|error: ClusterIdError| format!("{error} as `failures` lists them"))
}

/// Commands that a dry run prints unless a number is given.
pub(super) const DRY_RUN: &str = "10";

/// Reads a number of commands; `-` is the source after the flag, which was given none.
pub(super) fn dry_run(text: &str) -> Result<usize, String> {
    let number = if text == "-" { DRY_RUN } else { text };
    number.parse().map_err(|_| format!("invalid number of commands \"{text}\", expected e.g. {DRY_RUN}"))
}

/// Reads one of some words; help and completions name them.
pub(super) fn word<T: FromStr<Err = UnknownWordError> + Clone + Send + Sync + 'static>(
    words: impl IntoIterator<Item = &'static str>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words).map(|word| word.parse().expect("only words of the type are offered"))
}

/// Reads `/data=10G`, for a path of any bytes.
pub(super) fn disk_free() -> impl TypedValueParser<Value = DiskFree> {
    OsStringValueParser::new().try_map(|text| DiskFree::of_os(&text))
}

/// Reads any bytes but none, or blanks alone.
pub(super) fn not_empty(like: &'static str) -> impl TypedValueParser<Value = OsString> {
    OsStringValueParser::new().try_map(move |text| match text.as_encoded_bytes().trim_ascii() {
        [] => Err(format!("it is empty, expected e.g. {like}")),
        _ => Ok(text),
    })
}

/// Reads the key of a unit or the name of a group, whatever its bytes are, as its column holds it.
pub(super) fn unit_key() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|key| RawText::from(key).to_column())
}

/// Reads `8`, or `50%` of the processors, rounded up.
pub(super) fn workers(text: &str) -> Result<usize, String> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let wrong = || format!("invalid number of workers {text:?}, expected e.g. 8 or 50%{}", relative(text, processors));
    // `parse` takes a sign, which means something else elsewhere.
    let is_number = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
    let positive = |number: &str| {
        let parsed = number.parse::<usize>().ok().filter(|n| *n > 0 && is_number(number));
        parsed.ok_or_else(wrong)
    };
    match text.strip_suffix('%') {
        Some(percent) => Ok((processors.saturating_mul(positive(percent)?)).div_ceil(100)),
        None => positive(text),
    }
}

/// Says what GNU parallel's `+N`, `-N` and `0` would be on a machine with so many processors.
fn relative(text: &str, processors: usize) -> String {
    let count = match (text.as_bytes().first(), text.get(1..).and_then(|digits| digits.parse::<usize>().ok())) {
        (Some(b'+'), Some(more)) => processors.saturating_add(more),
        (Some(b'-'), Some(fewer)) => processors.saturating_sub(fewer).max(1),
        _ if text == "0" => return "; the largest possible number has to be named".to_owned(),
        _ => return String::new(),
    };
    format!("; GNU parallel counts {text} from the {processors} processors, which is {count} here")
}

/// A number of workers over all jobs, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MachineLimit(pub Option<usize>);

/// Reads what [`workers`] reads, or `none`.
pub(super) fn machine_workers(text: &str) -> Result<MachineLimit, String> {
    if text == "none" { Ok(MachineLimit(None)) } else { workers(text).map(|workers| MachineLimit(Some(workers))) }
}

/// Reads `5`, `3-9`, `3-` or `-9`.
pub(super) fn seq_range(text: &str) -> Result<(Option<Seq>, Option<Seq>), String> {
    let wrong = || format!("invalid range of units {text:?}, expected e.g. 3-9");
    let bound = |number: &str| match number {
        "" => Ok(None),
        number => number.parse().ok().filter(|n| *n > 0).map(|n| Some(Seq(n))).ok_or_else(wrong),
    };
    match text.split_once('-') {
        Some(("", "")) => Err(wrong()),
        Some((first, last)) => match (bound(first)?, bound(last)?) {
            (Some(from), Some(to)) if from > to => Err(format!("a range of units goes up, write {to}-{from}")),
            bounds => Ok(bounds),
        },
        None => bound(text).map(|seq| (seq, seq)),
    }
}

/// Reads `team=web`.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("invalid label {text:?}, expected e.g. team=web")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_time_between_term_and_kill_is_refused_because_it_could_mean_never() {
        assert_eq!(kill_after("1ms"), Ok(Duration::from_millis(1)));
        assert!(kill_after("0").unwrap_err().contains("1ms to kill at once"));
        assert!(kill_after("0.0s").is_err());
    }

    #[test]
    fn a_number_that_is_none_is_answered_with_one() {
        assert_eq!(at_least_one::<u32>("1"), Ok(1));
        for (text, words) in [
            ("0", "it must be at least 1"),
            ("-1", "it must be at least 1"),
            ("4294967296", "it must be at most 4294967295"),
            ("99999999999999999999999", "it must be at most 4294967295"),
            ("", "it must be a whole number"),
            ("x", "it must be a whole number"),
            ("+1", "it must be a whole number"),
        ] {
            assert_eq!(at_least_one::<u32>(text), Err(words.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn ranges_may_be_open_at_either_end() {
        assert_eq!(seq_range("3-9"), Ok((Some(Seq(3)), Some(Seq(9)))));
        assert_eq!(seq_range("5"), Ok((Some(Seq(5)), Some(Seq(5)))));
        assert_eq!(seq_range("3-"), Ok((Some(Seq(3)), None)));
        assert_eq!(seq_range("9-3").unwrap_err(), "a range of units goes up, write 3-9");
        assert!(seq_range("-").is_err());
        assert!(seq_range("0").is_err());
    }

    #[test]
    fn no_workers_at_all_are_refused() {
        assert_eq!(workers("8"), Ok(8));
        assert!(workers("0").is_err());
        assert!(workers("0%").is_err());
        assert!(workers("many").is_err());
    }

    #[test]
    fn workers_relative_to_the_processors_are_refused_with_their_number() {
        assert_eq!(relative("+1", 2), "; GNU parallel counts +1 from the 2 processors, which is 3 here");
        assert_eq!(relative("-1", 2), "; GNU parallel counts -1 from the 2 processors, which is 1 here");
        assert_eq!(relative("-8", 2), "; GNU parallel counts -8 from the 2 processors, which is 1 here");
        assert_eq!(relative("many", 2), "");
        for text in ["+1", "-1", "+50%", "0"] {
            let message = workers(text).unwrap_err();
            assert!(
                message.starts_with(&format!("invalid number of workers {text:?}, expected e.g. 8 or 50%")),
                "{message}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_flag_panic(text in r"([0-9]{1,20}|[-.%:smhd]|\PC){0,8}") {
            let _ = (duration(&text), kill_after(&text), backoff(&text), workers(&text), seq_range(&text));
            let _ = crate::cli::args::split_unit(&text);
        }
    }
}
