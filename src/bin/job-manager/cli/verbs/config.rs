//! `config`: which defaults are in force, and where they come from.

use std::path::Path;

use clap::Args;
#[cfg(feature = "postgres")]
use job_manager::client::{is_address, without_password};
use job_manager::model::Limits;
use job_manager::text::one_line;
use serde::Serialize;
use serde_json::json;

use crate::cli::config::{Config as File, Set};
use crate::cli::table::table;
use crate::cli::{CliError, Global, Output};

/// Show defaults and where they come from: options, variables and config.toml
///
/// $XDG_CONFIG_HOME/job-manager/config.toml sets the defaults of one user: `db`, and of new jobs `workers`, `max-attempts` and `hook`, each
/// as KEY = VALUE on a line of its own.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager config")]
pub struct Config {}

/// A default, and where it comes from.
#[derive(Serialize)]
struct Setting {
    name: &'static str,
    value: Option<String>,
    from: Origin,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Origin {
    Given,
    Line(usize),
    Default,
}

impl Setting {
    fn of<T: ToString>(name: &'static str, set: Option<&Set<T>>, default: Option<String>) -> Setting {
        match set {
            Some(set) => Setting { name, value: Some(set.value.to_string()), from: Origin::Line(set.line) },
            None => Setting { name, value: default, from: Origin::Default },
        }
    }
}

pub fn config(global: &Global, _: &Config, output: &mut Output) -> Result<(), CliError> {
    let (path, file) = (File::path()?, File::read()?);
    let limits = Limits::default();
    let from = match (&global.db, &file.db) {
        (Some(_), _) => Origin::Given,
        (None, Some(db)) => Origin::Line(db.line),
        (None, None) => Origin::Default,
    };
    let hook = file.hook.map(|hook| Set { value: hook.value.to_string_lossy().into_owned(), line: hook.line });
    let settings = [
        Setting { name: "db", value: shown(&global.db_path()?), from },
        Setting::of("workers", file.workers.as_ref(), Some(limits.workers.to_string())),
        Setting::of("max-attempts", file.max_attempts.as_ref(), Some(limits.max_attempts.to_string())),
        Setting::of("hook", hook.as_ref(), None),
    ];
    if output.json {
        return output
            .document(&json!({ "schema": 1, "file": path, "is_there": file.file.is_some(), "settings": settings }));
    }
    let row = |setting: &Setting| {
        let from = match setting.from {
            Origin::Given => "--db or JOB_MANAGER_DB".to_owned(),
            Origin::Line(line) => format!("{}, line {line}", path.display()),
            Origin::Default => "default".to_owned(),
        };
        vec![setting.name.to_owned(), one_line(setting.value.as_deref().unwrap_or("none")), from]
    };
    output.line(table(&["DEFAULT", "VALUE", "FROM"], &[], settings.iter().map(row)))?;
    if file.file.is_none() {
        output.hint(format_args!("there is no {}", path.display()));
    }
    Ok(())
}

/// Returns the database as people may see it: a URL may have a password in it.
fn shown(db: &Path) -> Option<String> {
    #[cfg(feature = "postgres")]
    if is_address(db) {
        return without_password(db);
    }
    Some(db.to_string_lossy().into_owned())
}
