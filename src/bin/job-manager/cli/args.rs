//! The flags that all verbs share.

use std::ffi::OsString;
#[cfg(feature = "postgres")]
use std::path::Path;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args, ColorChoice};
use etcetera::BaseStrategy;
use job_manager::client::{self, Client, ClientError, ManagerProgram, accept_any_owner, set_log_format};
use job_manager::model::{LogFormat, Seq};

use super::config::Config;
use super::error::CliError;
use super::values;

/// Flags that every verb takes.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Database of jobs [env: JOB_MANAGER_DB] [default: $XDG_DATA_HOME/job-manager/jobs.db]
    // Not clap's `env`, which would have its usage lines demand the option from whoever has the variable.
    #[arg(long, global = true, value_name = "PATH", value_parser = OsStringValueParser::new().try_map(path_of_db))]
    pub db: Option<PathBuf>,
    /// Print one JSON document
    // Of the form that the verbs with sources give it, where it may have a value; see `Cli::wants_json`.
    #[arg(long, global = true, num_args = 0, default_missing_value = "", action = ArgAction::Append)]
    json: Vec<String>,
    /// Print ids only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN")]
    pub color: ColorChoice,
    /// Run jobs of a database that belongs to somebody else [env: JOB_MANAGER_ANY_OWNER]
    #[arg(long, global = true)]
    pub any_owner: bool,
    /// How managers that are started here write their logs [env: JOB_MANAGER_LOG_FORMAT]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = values::word::<LogFormat>(["text", "json"]))]
    pub log_format: Option<LogFormat>,
    /// Do not ask
    #[arg(short, long, global = true)]
    pub yes: bool,
}

impl Global {
    /// Returns `true` if the option without a value was given.
    pub fn wants_json(&self) -> bool {
        !self.json.is_empty()
    }

    pub fn apply_color(&self) {
        match self.color {
            ColorChoice::Auto => anstream::ColorChoice::Auto,
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }

    /// Takes the database from the environment where no option names one.
    pub fn take_environment(&mut self) -> Result<(), CliError> {
        if self.any_owner {
            accept_any_owner();
        }
        if let Some(format) = self.log_format {
            set_log_format(format);
        }
        #[cfg(feature = "postgres")]
        if let Some(db) = &self.db {
            refuse_password("--db", db)?;
        }
        if self.db.is_none()
            && let Some(db) = std::env::var_os("JOB_MANAGER_DB")
        {
            self.db = Some(path_of_db(db).map_err(|why| CliError::Value(format!("JOB_MANAGER_DB: {why}")))?);
        }
        Ok(())
    }

    pub fn db_path(&self) -> Result<PathBuf, CliError> {
        if let Some(db) = &self.db {
            // Before any verb repeats it: a URL may hold a password.
            client::check_path(db).map_err(ClientError::from)?;
            return Ok(db.clone());
        }
        match Config::read()? {
            Config { db: Some(db), file, .. } => match client::check_path(&db.value) {
                Ok(()) => Ok(db.value),
                Err(error) => {
                    let file = file.unwrap_or_default();
                    Err(CliError::Value(format!("{}, line {}: db: {error}", file.display(), db.line)))
                }
            },
            _ => self.default_db(),
        }
    }

    /// Returns the database that somebody chose: by an option, a variable or the file of defaults.
    fn chosen_db(&self) -> Result<Option<PathBuf>, CliError> {
        match &self.db {
            Some(db) => Ok(Some(db.clone())),
            None => Ok(Config::read()?.db.map(|db| db.value)),
        }
    }

    /// Returns `true` if nobody chose a database.
    pub fn is_db_default(&self) -> Result<bool, CliError> {
        Ok(self.chosen_db()?.is_none())
    }

    /// Returns the file of the database that is meant, for who must not wait; none where it is on a server.
    pub fn db_to_read(db: Option<PathBuf>) -> Option<PathBuf> {
        let db = match db.or_else(|| std::env::var_os("JOB_MANAGER_DB").filter(|db| !db.is_empty()).map(PathBuf::from))
        {
            Some(db) => db,
            None => Config::read().ok()?.db.map(|db| db.value).or_else(|| default_db().ok())?,
        };
        let is_on_server = db.to_str().is_some_and(|db| db.contains("://"));
        (!is_on_server && db.is_file()).then_some(db)
    }

    /// Returns the database that is meant when none is given.
    pub fn default_db(&self) -> Result<PathBuf, CliError> {
        default_db()
    }

    /// Opens the database for verbs that create it.
    pub fn create_client(&self) -> Result<Client, CliError> {
        let path = self.db_path()?;
        let client = if self.is_db_default()? { Client::create_with_directory(&path) } else { Client::create(&path) };
        Ok(client?.with_program(ManagerProgram::OfJob))
    }

    /// Checks that [`Global::create_client`] would succeed, and opens the database to read if there is one.
    pub fn rehearse_create(&self) -> Result<Option<Client>, CliError> {
        Ok(Client::rehearse_create(&self.db_path()?, self.is_db_default()?)?)
    }

    /// Opens an existing database to change something in it.
    pub fn open_client(&self) -> Result<Client, CliError> {
        Ok(Client::open(&self.db_path()?)?.with_program(ManagerProgram::OfJob))
    }

    /// Opens an existing database to stop a job in it.
    pub fn stop_client(&self) -> Result<Client, CliError> {
        Ok(Client::open_to_stop(&self.db_path()?)?)
    }

    /// Opens an existing database to read it.
    pub fn read_client(&self) -> Result<Client, CliError> {
        Ok(Client::open_to_read(&self.db_path()?)?)
    }
}

fn default_db() -> Result<PathBuf, CliError> {
    let dirs = etcetera::base_strategy::Xdg::new().map_err(|_| CliError::NoHome)?;
    Ok(dirs.data_dir().join("job-manager").join("jobs.db"))
}

/// The newest job, which is meant where none is named.
pub(super) const LAST: &str = "last";

fn path_of_db(given: OsString) -> Result<PathBuf, &'static str> {
    if given.is_empty() { Err("it is empty, give a path or unset JOB_MANAGER_DB") } else { Ok(given.into()) }
}

/// Refuses a URL with a password in it among the arguments, which every user of the machine can read.
#[cfg(feature = "postgres")]
pub(super) fn refuse_password(option: &str, db: &Path) -> Result<(), CliError> {
    if !client::has_password(db) {
        return Ok(());
    }
    Err(CliError::Value(format!(
        "{option}: a password in an argument can be read by everybody on this machine: leave it away and have libpq find it \
         by PGPASSFILE (~/.pgpass), PGSERVICE or PGPASSWORD, or set JOB_MANAGER_DB to the URL"
    )))
}

/// Splits `JOB:SEQ`; without a number after the last colon all of it names a job.
pub(super) fn split_unit(text: &str) -> (&str, Option<Seq>) {
    match text.rsplit_once(':') {
        Some((job, seq)) => match seq.parse() {
            Ok(seq) => (if job.is_empty() { LAST } else { job }, Some(Seq(seq))),
            Err(_) => (text, None),
        },
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_a_job_and_a_number() {
        assert_eq!(split_unit("photos:7"), ("photos", Some(Seq(7))));
        assert_eq!(split_unit(":7"), ("last", Some(Seq(7))));
        assert_eq!(split_unit("a:b"), ("a:b", None));
    }
}
