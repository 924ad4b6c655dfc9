//! The environment of a job's units: that of the submission, without its secrets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::SubmissionError;
use crate::handler::{Template, Variables};
use crate::model::{RawText, handed_on};

/// Ends of names of variables whose values are not kept, and words within such names.
const SECRET_ENDS: [&str; 2] = ["_KEY", "_TOKEN"];
const SECRET_WORDS: [&str; 2] = ["SECRET", "PASSWORD"];
/// Begins the names of variables that are about a manager or a unit.
const OWN_PREFIX: &str = "JOB_MANAGER_";

/// What is kept of an environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// Variables with their values.
    pub variables: Variables,
    /// Variables whose values are templates.
    pub templates: Variables,
    /// Names of variables whose values come from whoever starts the job.
    pub secrets: Vec<RawText>,
    /// Those of them that were given by name.
    pub required_secrets: Vec<RawText>,
}

impl Environment {
    /// Takes the variables of this process, and those that are `given` as NAME or NAME=TEMPLATE.
    ///
    /// Those to `forget`, and those about this process, are skipped unless they are given by name.
    pub fn capture(
        own: impl IntoIterator<Item = (OsString, OsString)>,
        given: &[OsString],
        forget: &[&str],
    ) -> Result<Environment, SubmissionError> {
        let own: BTreeMap<OsString, OsString> =
            own.into_iter().filter(|(name, _)| !name.as_bytes().starts_with(OWN_PREFIX.as_bytes())).collect();
        let mut kept = Environment::default();
        let mut seen = BTreeMap::new();
        for variable in given {
            refuse_own(name_of(variable))?;
            if seen.insert(name_of(variable), variable).is_some_and(|before| before != variable) {
                return Err(SubmissionError::EnvTwice(name_of(variable).to_string_lossy().into_owned()));
            }
            match split(variable) {
                Some((name, _)) if name.is_empty() => {
                    return Err(SubmissionError::EnvName(variable.to_string_lossy().into_owned()));
                }
                Some((name, _)) if is_secret(name) => {
                    return Err(SubmissionError::SecretValue(name.to_string_lossy().into_owned()));
                }
                Some((name, value)) => kept.give(name, value)?,
                None if !own.contains_key(variable) => {
                    return Err(SubmissionError::EnvMissing(variable.to_string_lossy().into_owned()));
                }
                None => {}
            }
        }
        for (name, value) in own {
            let is_given = given.contains(&name);
            if forget.iter().any(|forgotten| name == *forgotten) && !is_given {
                continue;
            }
            let handed_on = if is_given { Some(value) } else { handed_on(&name, value) };
            let Some(value) = handed_on else { continue };
            if is_secret(&name) {
                if is_given {
                    kept.required_secrets.push(name.clone().into());
                }
                kept.secrets.push(name.into());
            } else if kept.templates.get(&name).is_none() {
                kept.variables.entry(name).or_insert(value);
            }
        }
        Ok(kept)
    }

    /// Sets a variable.
    fn give(&mut self, name: &OsStr, value: &OsStr) -> Result<(), SubmissionError> {
        let template = Template::parse(&value.into())?;
        match template.literal() {
            Some(text) => self.variables.insert(name, OsStr::from_bytes(&text)),
            None => self.templates.insert(name, value),
        }
        Ok(())
    }
}

/// Refuses variables to which a unit gives values of its own.
fn refuse_own(name: &OsStr) -> Result<(), SubmissionError> {
    if name.as_bytes().starts_with(OWN_PREFIX.as_bytes()) {
        return Err(SubmissionError::EnvReserved(name.to_string_lossy().into_owned()));
    }
    Ok(())
}

fn split(variable: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = variable.as_bytes();
    let at = bytes.iter().position(|byte| *byte == b'=')?;
    Some((OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..])))
}

/// Returns the name of a variable that is given as NAME or NAME=TEMPLATE.
pub(super) fn name_of(variable: &OsStr) -> &OsStr {
    split(variable).map_or(variable, |(name, _)| name)
}

fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    SECRET_ENDS.iter().any(|end| name.ends_with(end)) || SECRET_WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture(given: &[&str]) -> Result<Environment, SubmissionError> {
        capture_without(&[], given)
    }

    fn capture_without(forget: &[&str], given: &[&str]) -> Result<Environment, SubmissionError> {
        let own = [
            ("PATH", "/bin"),
            ("BUILD_ID", "7"),
            ("API_KEY", "k"),
            ("my_token", "t"),
            ("DB_PASSWORD_FILE", "f"),
            ("JOB_MANAGER_DB", "d"),
        ];
        let own = own.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Environment::capture(own, &given.iter().map(OsString::from).collect::<Vec<_>>(), forget)
    }

    #[test]
    fn secrets_are_kept_by_name_only() {
        let kept = capture(&["MODE=fast", "PATH=/usr/bin", "API_KEY"]).unwrap();

        let variables = [("BUILD_ID", "7"), ("MODE", "fast"), ("PATH", "/usr/bin")];
        assert_eq!(kept.variables, variables.into_iter().collect());
        assert_eq!(kept.secrets, ["API_KEY", "DB_PASSWORD_FILE", "my_token"].map(RawText::from));
        assert_eq!(kept.required_secrets, ["API_KEY".into()]);
    }

    #[test]
    fn what_is_to_be_forgotten_is_kept_only_when_it_is_given_by_name() {
        let forgotten = capture_without(&["BUILD_ID"], &[]).unwrap();
        let given = capture_without(&["BUILD_ID"], &["BUILD_ID"]).unwrap();

        let value = |kept: &Environment, name: &str| kept.variables.get(name.as_ref()).cloned();
        assert_eq!((value(&forgotten, "BUILD_ID"), value(&forgotten, "PATH")), (None, Some("/bin".into())));
        assert_eq!(value(&given, "BUILD_ID"), Some("7".into()));
    }

    #[test]
    fn a_variable_that_is_not_text_is_kept_byte_for_byte() {
        let raw = |text: &[u8]| OsStr::from_bytes(text).to_owned();
        let own = [(raw(b"A\xff"), raw(b"1")), (raw(b"B"), raw(b"caf\xe9"))];

        let kept = Environment::capture(own, &[raw(b"C=x\xfe")], &[]).unwrap();

        let all: Vec<_> = kept.variables.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(all, [(&b"A\xff"[..], &b"1"[..]), (b"B", b"caf\xe9"), (b"C", b"x\xfe")]);
    }

    #[test]
    fn a_value_that_is_given_is_a_template_and_one_of_the_environment_is_not() {
        let own = [(OsString::from("BRACES"), OsString::from("{}")), (OsString::from("DIR"), OsString::from("here"))];

        let kept = Environment::capture(own, &["DIR={//}".into(), "JSON={{}}".into()], &[]).unwrap();

        assert_eq!(kept.templates, [("DIR", "{//}")].into_iter().collect());
        assert_eq!(kept.variables, [("BRACES", "{}"), ("JSON", "{}")].into_iter().collect());
    }

    #[test]
    fn variables_about_the_submitting_process_are_kept_only_when_they_are_given_by_name() {
        let own = [("SHLVL", "3"), ("LINES", "40"), ("MAKEFLAGS", "k --jobserver-auth=3,4"), ("TERM", "xterm")];
        let own = own.map(|(name, value)| (OsString::from(name), OsString::from(value)));

        let kept = Environment::capture(own, &["LINES".into()], &[]).unwrap();

        let variables = [("LINES", "40"), ("MAKEFLAGS", "k"), ("TERM", "xterm")];
        assert_eq!(kept.variables, variables.into_iter().collect());
    }

    #[test]
    fn a_variable_that_would_have_another_value_is_refused_by_name() {
        let refused = |given: &[&str]| capture(given).unwrap_err().to_string();

        for given in ["JOB_MANAGER_ITEM=x", "JOB_MANAGER_DB", "JOB_MANAGER_X={}"] {
            assert!(refused(&[given]).contains("JOB_MANAGER_"), "{given}");
        }
        for twice in [["A=1", "A=2"], ["A={}", "A=2"], ["PATH", "PATH=/x"], ["PATH=/x", "PATH"]] {
            assert!(refused(&twice).starts_with("--env gives two values for "), "{twice:?}");
        }
        assert!(capture(&["A=1", "A=1"]).is_ok());
    }

    #[test]
    fn the_value_of_a_secret_is_refused() {
        assert!(
            matches!(capture(&["OTHER_TOKEN=x"]), Err(SubmissionError::SecretValue(name)) if name == "OTHER_TOKEN")
        );
        assert!(matches!(capture(&["MISSING"]), Err(SubmissionError::EnvMissing(_))));
        assert!(matches!(capture(&["=x"]), Err(SubmissionError::EnvName(_))));
    }
}
