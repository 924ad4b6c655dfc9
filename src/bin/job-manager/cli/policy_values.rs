//! Values of flags that say what failures, exit codes and rates mean.

use std::collections::BTreeMap;
use std::time::Duration;

use job_manager::handler::ExitMeaning;
use job_manager::model::{Postponement, Timestamp, When};

use super::values::duration;
pub(super) use crate::settings::values::max_failures;

/// Reads `75=retry,65=fail,77=skip,1=ok,79=pause:30m`.
pub(super) fn exits(text: &str) -> Result<BTreeMap<i32, ExitMeaning>, String> {
    let mut exits = BTreeMap::new();
    for (code, meaning) in text.split(',').map(exit).collect::<Result<Vec<_>, _>>()? {
        if exits.insert(code, meaning).is_some_and(|before| before != meaning) {
            return Err(format!("exit code {code} has two meanings in {text:?}"));
        }
    }
    Ok(exits)
}

fn exit(text: &str) -> Result<(i32, ExitMeaning), String> {
    let wrong = || {
        format!(
            "invalid meaning of an exit code {text:?}, expected e.g. 75=retry, 75=later:10m, 76=busy or 79=pause:30m"
        )
    };
    let (code, meaning) = text.split_once('=').ok_or_else(wrong)?;
    let meaning = match meaning {
        "ok" => ExitMeaning::Ok,
        "retry" => ExitMeaning::Retry,
        "fail" => ExitMeaning::Fail,
        "skip" => ExitMeaning::Skip,
        "busy" => ExitMeaning::Busy,
        other => match (other.strip_prefix("pause:"), other.strip_prefix("later:")) {
            (Some(delay), _) => ExitMeaning::Pause(duration(delay)?),
            (_, Some(delay)) => ExitMeaning::Later(later(delay)?),
            (None, None) => return Err(wrong()),
        },
    };
    Ok((exit_code(code)?, meaning))
}

/// Reads how long a unit is to wait for its next attempt.
pub(super) fn later(text: &str) -> Result<Duration, String> {
    let delay = duration(text)?;
    let later = Postponement::new(When::After(delay), String::new());
    later.check(Timestamp::now()).map(|()| delay).map_err(|error| error.to_string())
}

/// Reads `75,100-110`.
pub(super) fn codes(text: &str) -> Result<Vec<i32>, String> {
    let mut codes = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (exit_code(first)?, exit_code(last)?);
                if first > last {
                    return Err(format!("a range of exit codes goes up, write {last}-{first}"));
                }
                codes.extend(first..=last);
            }
            None => codes.push(exit_code(part)?),
        }
    }
    Ok(codes)
}

fn exit_code(text: &str) -> Result<i32, String> {
    text.parse::<u8>().map(i32::from).map_err(|_| format!("invalid exit code {text:?}, expected 0 to 255"))
}

/// Reads the seed of a sample.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let wrong = || format!("invalid seed {text:?}, expected a whole number; how many units are drawn says --canary");
    text.parse().map_err(|_| wrong())
}

/// Reads a share of all: `2%`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let per_cent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    match per_cent.filter(|per_cent| *per_cent > 0.0 && *per_cent <= 100.0) {
        Some(per_cent) => Ok(per_cent / 100.0),
        None => Err("it must be above 0% and at most 100%, such as 2%".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use job_manager::model::MaxFailures;

    use super::*;

    #[test]
    fn exit_codes_get_the_meaning_that_is_written() {
        let exits = exits("75=retry,65=fail,77=skip,1=ok,79=pause:30m").unwrap();

        assert_eq!(exits[&79], ExitMeaning::Pause(Duration::from_secs(1800)));
        assert_eq!((exits[&75], exits[&1]), (ExitMeaning::Retry, ExitMeaning::Ok));
        assert!(super::exits("256=ok").is_err());
        assert!(super::exits("1=later").is_err());
        let later = super::exits("75=later:10m,76=busy").unwrap();
        assert_eq!((later[&75], later[&76]), (ExitMeaning::Later(Duration::from_secs(600)), ExitMeaning::Busy));
        assert_eq!(super::exits("75=later:31d").unwrap_err(), "a unit cannot wait for 31d00h, the most is 30d00h");
        assert!(super::exits("").is_err());
        assert!(super::exits("75=retry,75=fail").unwrap_err().contains("exit code 75 has two meanings"));
        assert_eq!(super::exits("75=retry,75=retry").unwrap().len(), 1);
    }

    #[test]
    fn lists_of_codes_may_hold_ranges() {
        assert_eq!(codes("75,100-102"), Ok(vec![75, 100, 101, 102]));
        assert!(codes("x").is_err());
        assert_eq!(codes("110-100").unwrap_err(), "a range of exit codes goes up, write 100-110");
    }

    #[test]
    fn failures_are_a_number_or_a_share() {
        assert_eq!(max_failures("20"), Ok(MaxFailures::Units(20)));
        assert_eq!(max_failures("5%"), Ok(MaxFailures::Percent(5)));
        assert!(max_failures("0").is_err());
        assert!(max_failures("101%").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_policy_panic(text in r"([0-9]{1,20}|[-.,=%/:smhd]|pause|later|busy|\PC){0,8}") {
            let _ = (exits(&text), codes(&text), text.parse::<job_manager::model::Rate>(), max_failures(&text));
        }
    }
}
