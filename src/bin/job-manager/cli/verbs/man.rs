//! `man`: the manual pages.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man as Page;

use crate::cli::topics::{TOPICS, manual_page};
use crate::cli::{CliError, Global, Output};

/// Print the manual page, or write one page for each verb and topic into a directory
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager man ~/.local/share/man/man1")]
pub struct Man {
    /// Directory for the pages; it is created when it is missing
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

pub fn man(_: &Global, args: &Man, output: &mut Output, command: Command) -> Result<(), CliError> {
    let mut command = with_all_help(command);
    command.build();
    match &args.dir {
        None => {
            let mut page = Vec::new();
            Page::new(command).render(&mut page)?;
            io::stdout().lock().write_all(&page)?;
        }
        Some(dir) => {
            for path in write_pages(&command, dir)? {
                output.line(path.display())?;
            }
        }
    }
    Ok(())
}

/// Shows everything in long help only, because the pages lose the help of what `-h` hides.
fn with_all_help(command: Command) -> Command {
    command.mut_args(|arg| arg.hide_short_help(false)).mut_subcommands(with_all_help)
}

fn write_pages(command: &Command, dir: &Path) -> Result<Vec<PathBuf>, CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::ManualPage { path, source }
    };
    fs::create_dir_all(dir).map_err(failed(dir))?;
    let mut written = Vec::new();
    for command in std::iter::once(command).chain(command.get_subcommands()).filter(|command| !command.is_hide_set()) {
        let page = Page::new(command.clone());
        let path = dir.join(page.get_filename());
        let mut content = Vec::new();
        page.render(&mut content)?;
        fs::write(&path, content).map_err(failed(&path))?;
        written.push(path);
    }
    for (topic, ..) in TOPICS {
        let path = dir.join(format!("job-manager-{topic}.1"));
        fs::write(&path, manual_page(topic).unwrap_or_default()).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::command;

    /// Returns the letters and digits of a text, because a page breaks and escapes the rest.
    fn letters(text: &str) -> String {
        text.replace("\\*(Aq", "").replace("\\(aq", "").chars().filter(|c| c.is_alphanumeric()).collect()
    }

    #[test]
    fn the_page_of_a_verb_has_the_help_of_every_argument() {
        let mut command = with_all_help(command());
        command.build();

        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            let mut page = Vec::new();
            Page::new(command.clone()).render(&mut page).unwrap();
            let page = letters(&String::from_utf8(page).unwrap());
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_id() != "help") {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(page.contains(&letters(&help)), "{} {}: {help}", command.get_name(), arg.get_id());
            }
        }
    }
}
