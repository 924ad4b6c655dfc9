//! The variables that every unit of a job gets.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::given::OF_ATTEMPTS;
use super::spec::CommandSpec;
use crate::model::{NOTIFY_KEY, PASSWORD_VARIABLE, RawText, is_of_server};
use crate::sys::Environment;

/// Returns the variables that every unit of a job gets, whichever it is.
pub(super) fn environment_of_units(spec: &CommandSpec, database: &Path) -> Environment {
    let mut env: BTreeMap<OsString, OsString> = if spec.env_only {
        let secrets = spec.secrets.iter().map(RawText::as_os_str);
        secrets.filter_map(|name| Some((name.to_owned(), env::var_os(name)?))).collect()
    } else {
        env::vars_os().collect()
    };
    // The first is each unit's own. The others are not set for every unit; those of a unit that this manager was started
    // from are not ours.
    for name in ["PWD", "JOB_MANAGER_KEY", "JOB_MANAGER_PAYLOAD", NOTIFY_KEY].into_iter().chain(OF_ATTEMPTS) {
        env.remove(OsStr::new(name));
    }
    env.extend(spec.env.iter().map(|(name, value)| (name.clone(), value.clone())));
    let is_given =
        |name: &OsStr| spec.env_given.as_ref().is_some_and(|given| given.iter().any(|one| one.as_os_str() == name));
    env.retain(|name, _| !is_of_server(name, database) || (name != PASSWORD_VARIABLE && is_given(name)));
    env.into_iter().collect()
}
