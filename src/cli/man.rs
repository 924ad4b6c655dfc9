//! `man`: the manual pages.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man as Page;

use super::error::CliError;
use super::exit::Exit;
use super::help;
use super::output::Output;
use super::topics::{TOPICS, manual_page};

/// Print the manual page, or write one page for each verb into a directory
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager man ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Directory for the pages; it is created when it is missing
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

pub(super) fn man(args: &Man, output: &mut Output) -> Result<Exit, CliError> {
    let mut command = help::command();
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
    Ok(Exit::Success)
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
