//! The environment of a job's units: that of the submission, without its secrets.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::SubmissionError;
use super::trace::{given_trace, is_of_trace};
use super::variable::{name_of, split};
use crate::handler::{Template, Variables};
use crate::model::{RawText, TraceContext, handed_on, is_secret, is_secret_name, is_secret_value};

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
    /// The span of a trace that was given, which each attempt gets one of its own below.
    pub trace: Option<TraceContext>,
}

impl Environment {
    /// Takes the variables of this process, all or those that are `wanted`, and those that are `given` as NAME or
    /// NAME=TEMPLATE.
    ///
    /// Those to `forget`, and those about this process, are skipped unless they are given or wanted by name. Of secrets
    /// only the names are kept.
    pub fn capture(
        own: impl IntoIterator<Item = (OsString, OsString)>,
        given: &[OsString],
        wanted: Option<&[OsString]>,
        forget: &[&str],
    ) -> Result<Environment, SubmissionError> {
        for name in wanted.into_iter().flatten() {
            refuse_own(name)?;
            if name.is_empty() || split(name).is_some() {
                return Err(SubmissionError::EnvOnlyName(name.to_string_lossy().into_owned()));
            }
        }
        let own: BTreeMap<OsString, OsString> =
            own.into_iter().filter(|(name, _)| !name.as_bytes().starts_with(OWN_PREFIX.as_bytes())).collect();
        let trace = given_trace(&own, given.iter().chain(wanted.into_iter().flatten()))?;
        let mut kept = Environment { trace, ..Environment::default() };
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
                Some((name, _)) if is_of_trace(name) => {}
                Some((name, value)) => {
                    let template = Template::parse(&value.into())?;
                    let literal = template.literal();
                    let is_secret_text = literal.as_ref().is_some_and(|text| is_secret_value(OsStr::from_bytes(text)));
                    if is_secret_name(name) || is_secret_text {
                        return Err(SubmissionError::SecretValue(name.to_string_lossy().into_owned()));
                    }
                    match literal {
                        Some(text) => kept.variables.insert(name.to_owned(), OsStr::from_bytes(&text).to_owned()),
                        None => kept.templates.insert(name.to_owned(), value.to_owned()),
                    };
                }
                None if !own.contains_key(variable) => {
                    return Err(SubmissionError::EnvMissing(variable.to_string_lossy().into_owned()));
                }
                None => {}
            }
        }
        for (name, value) in own {
            if is_of_trace(&name) {
                continue;
            }
            let is_given = given.contains(&name) || wanted.is_some_and(|wanted| wanted.contains(&name));
            if wanted.is_some() && !is_given {
                continue;
            }
            if forget.iter().any(|forgotten| name == *forgotten) && !is_given {
                continue;
            }
            let handed_on = if is_given { Some(value) } else { handed_on(&name, value) };
            let Some(value) = handed_on else { continue };
            if is_secret(&name, &value) {
                if is_given {
                    kept.required_secrets.push(name.clone().into());
                }
                kept.secrets.push(name.into());
            } else if !kept.templates.contains_key(&name) {
                kept.variables.entry(name).or_insert(value);
            }
        }
        Ok(kept)
    }
}

/// Refuses variables to which a unit gives values of its own.
fn refuse_own(name: &OsStr) -> Result<(), SubmissionError> {
    if name.as_bytes().starts_with(OWN_PREFIX.as_bytes()) {
        return Err(SubmissionError::EnvReserved(name.to_string_lossy().into_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<const N: usize>(variables: [(&str, &str); N]) -> Variables {
        variables.map(|(name, value)| (name.into(), value.into())).into()
    }

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
        Environment::capture(own, &given.iter().map(OsString::from).collect::<Vec<_>>(), None, forget)
    }

    #[test]
    fn secrets_are_kept_by_name_only() {
        let kept = capture(&["MODE=fast", "PATH=/usr/bin", "API_KEY"]).unwrap();

        let variables = [("BUILD_ID", "7"), ("MODE", "fast"), ("PATH", "/usr/bin")];
        assert_eq!(kept.variables, of(variables));
        assert_eq!(kept.secrets, ["API_KEY", "DB_PASSWORD_FILE", "my_token"].map(RawText::from));
        assert_eq!(kept.required_secrets, ["API_KEY".into()]);
    }

    #[test]
    fn what_is_to_be_forgotten_is_kept_only_when_it_is_given_by_name() {
        let forgotten = capture_without(&["BUILD_ID"], &[]).unwrap();
        let given = capture_without(&["BUILD_ID"], &["BUILD_ID"]).unwrap();

        let value = |kept: &Environment, name: &str| kept.variables.get(OsStr::new(name)).cloned();
        assert_eq!((value(&forgotten, "BUILD_ID"), value(&forgotten, "PATH")), (None, Some("/bin".into())));
        assert_eq!(value(&given, "BUILD_ID"), Some("7".into()));
    }

    #[test]
    fn a_variable_that_is_not_text_is_kept_byte_for_byte() {
        let raw = |text: &[u8]| OsStr::from_bytes(text).to_owned();
        let own = [(raw(b"A\xff"), raw(b"1")), (raw(b"B"), raw(b"caf\xe9"))];

        let kept = Environment::capture(own, &[raw(b"C=x\xfe")], None, &[]).unwrap();

        let all: Vec<_> = kept.variables.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        assert_eq!(all, [(&b"A\xff"[..], &b"1"[..]), (b"B", b"caf\xe9"), (b"C", b"x\xfe")]);
    }

    #[test]
    fn a_value_that_is_given_is_a_template_and_one_of_the_environment_is_not() {
        let own = [(OsString::from("BRACES"), OsString::from("{}")), (OsString::from("DIR"), OsString::from("here"))];

        let kept = Environment::capture(own, &["DIR={//}".into(), "JSON={{}}".into()], None, &[]).unwrap();

        assert_eq!(kept.templates, of([("DIR", "{//}")]));
        assert_eq!(kept.variables, of([("BRACES", "{}"), ("JSON", "{}")]));
    }

    #[test]
    fn variables_about_the_submitting_process_are_kept_only_when_they_are_given_by_name() {
        let own = [("SHLVL", "3"), ("LINES", "40"), ("MAKEFLAGS", "k --jobserver-auth=3,4"), ("TERM", "xterm")];
        let own = own.map(|(name, value)| (OsString::from(name), OsString::from(value)));

        let kept = Environment::capture(own, &["LINES".into()], None, &[]).unwrap();

        let variables = [("LINES", "40"), ("MAKEFLAGS", "k"), ("TERM", "xterm")];
        assert_eq!(kept.variables, of(variables));
    }

    #[test]
    fn a_variable_that_would_have_another_value_is_refused_by_name() {
        let refused = |given: &[&str]| capture(given).unwrap_err().to_string();

        for given in ["JOB_MANAGER_ITEM=x", "JOB_MANAGER_DB", "JOB_MANAGER_X={}"] {
            assert!(refused(&[given]).contains("JOB_MANAGER_"), "{given}");
        }
        for twice in [["A=1", "A=2"], ["A={}", "A=2"], ["PATH", "PATH=/x"], ["PATH=/x", "PATH"]] {
            assert!(refused(&twice).starts_with("the variable "), "{twice:?}");
        }
        assert!(capture(&["A=1", "A=1"]).is_ok());
    }

    #[test]
    fn fault_200_what_holds_a_password_is_kept_by_name_whatever_it_is_called() {
        let own = [("DATABASE", "postgres://app:hunter2@db/app"), ("MYSQL_PWD", "x"), ("SITE", "https://example.org")];
        let own = || own.map(|(name, value)| (OsString::from(name), OsString::from(value)));

        let kept = Environment::capture(own(), &["DATABASE".into()], None, &[]).unwrap();
        let refused = Environment::capture(own(), &["DB=redis://:pw@cache".into()], None, &[]);
        let template = Environment::capture(own(), &["DB=redis://:{password}@cache".into()], None, &[]).unwrap();

        assert_eq!(kept.variables, of([("SITE", "https://example.org")]));
        assert_eq!(kept.secrets, ["DATABASE", "MYSQL_PWD"].map(RawText::from));
        assert_eq!(kept.required_secrets, ["DATABASE".into()]);
        assert!(matches!(refused, Err(SubmissionError::SecretValue(name)) if name == "DB"));
        assert!(!template.templates.is_empty());
    }

    #[test]
    fn fault_200_of_an_allow_list_only_what_it_names_is_kept() {
        let own = [("PATH", "/bin"), ("LINES", "4"), ("API_KEY", "k"), ("OTHER_TOKEN", "t"), ("HOME", "/root")];
        let own = || own.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let wanted: Vec<OsString> = ["PATH", "LINES", "API_KEY", "NOT_SET"].map(OsString::from).to_vec();

        let kept = Environment::capture(own(), &["MODE=fast".into()], Some(&wanted), &[]).unwrap();

        assert_eq!(kept.variables, of([("LINES", "4"), ("MODE", "fast"), ("PATH", "/bin")]));
        assert_eq!((kept.secrets, kept.required_secrets), (vec!["API_KEY".into()], vec!["API_KEY".into()]));
        for wrong in ["A=1", "", "JOB_MANAGER_DB"] {
            assert!(Environment::capture(own(), &[], Some(&[wrong.into()]), &[]).is_err(), "{wrong}");
        }
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
