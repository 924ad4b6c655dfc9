//! The environment of a job's units: that of the submission, without its secrets.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::SubmissionError;
use crate::model::handed_on;

/// Ends of names of variables whose values are not kept, and words within such names.
const SECRET_ENDS: [&str; 2] = ["_KEY", "_TOKEN"];
const SECRET_WORDS: [&str; 2] = ["SECRET", "PASSWORD"];
/// Begins the names of variables that are about a manager or a unit.
const OWN_PREFIX: &str = "JOB_MANAGER_";

/// What is kept of an environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// Variables with their values.
    pub variables: BTreeMap<String, String>,
    /// Names of variables whose values come from whoever starts the job.
    pub secrets: Vec<String>,
    /// Those of them that were given by name.
    pub required_secrets: Vec<String>,
}

impl Environment {
    /// Takes the variables of this process, and those that are `given` as NAME or NAME=VALUE.
    ///
    /// Those to `forget`, and those about this process, are skipped unless they are given by name. Variables that are not
    /// UTF-8 are skipped.
    pub fn capture(
        own: impl IntoIterator<Item = (OsString, OsString)>,
        given: &[String],
        forget: &[&str],
    ) -> Result<Environment, SubmissionError> {
        let own: BTreeMap<String, String> = own
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| !name.starts_with(OWN_PREFIX))
            .collect();
        let mut kept = Environment::default();
        for variable in given {
            match variable.split_once('=') {
                Some((name, _)) if is_secret(name) => return Err(SubmissionError::SecretValue(name.to_owned())),
                Some((name, value)) => drop(kept.variables.insert(name.to_owned(), value.to_owned())),
                None if !own.contains_key(variable) => return Err(SubmissionError::EnvMissing(variable.clone())),
                None => {}
            }
        }
        for (name, value) in own {
            let is_given = given.contains(&name);
            if forget.contains(&name.as_str()) && !is_given {
                continue;
            }
            let handed_on = if is_given { Some(value.into()) } else { handed_on(name.as_ref(), value.into()) };
            let Some(value) = handed_on.and_then(|value| value.into_string().ok()) else { continue };
            if is_secret(&name) {
                if is_given {
                    kept.required_secrets.push(name.clone());
                }
                kept.secrets.push(name);
            } else {
                kept.variables.entry(name).or_insert(value);
            }
        }
        Ok(kept)
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
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
        Environment::capture(own, &given.iter().map(|&text| text.to_owned()).collect::<Vec<_>>(), forget)
    }

    #[test]
    fn secrets_are_kept_by_name_only() {
        let kept = capture(&["MODE=fast", "PATH=/usr/bin", "API_KEY"]).unwrap();

        let variables = [("BUILD_ID", "7"), ("MODE", "fast"), ("PATH", "/usr/bin")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept.variables, BTreeMap::from(variables));
        assert_eq!(kept.secrets, ["API_KEY", "DB_PASSWORD_FILE", "my_token"]);
        assert_eq!(kept.required_secrets, ["API_KEY"]);
    }

    #[test]
    fn what_is_to_be_forgotten_is_kept_only_when_it_is_given_by_name() {
        let forgotten = capture_without(&["BUILD_ID"], &[]).unwrap();
        let given = capture_without(&["BUILD_ID"], &["BUILD_ID"]).unwrap();

        assert!(!forgotten.variables.contains_key("BUILD_ID") && forgotten.variables.contains_key("PATH"));
        assert_eq!(given.variables["BUILD_ID"], "7");
    }

    #[test]
    fn variables_about_the_submitting_process_are_kept_only_when_they_are_given_by_name() {
        let own = [("SHLVL", "3"), ("LINES", "40"), ("MAKEFLAGS", "k --jobserver-auth=3,4"), ("TERM", "xterm")];
        let own = own.map(|(name, value)| (OsString::from(name), OsString::from(value)));

        let kept = Environment::capture(own, &["LINES".to_owned()], &[]).unwrap();

        let variables = [("LINES", "40"), ("MAKEFLAGS", "k"), ("TERM", "xterm")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(kept.variables, BTreeMap::from(variables));
    }

    #[test]
    fn the_value_of_a_secret_is_refused() {
        assert!(
            matches!(capture(&["OTHER_TOKEN=x"]), Err(SubmissionError::SecretValue(name)) if name == "OTHER_TOKEN")
        );
        assert!(matches!(capture(&["MISSING"]), Err(SubmissionError::EnvMissing(_))));
    }
}
