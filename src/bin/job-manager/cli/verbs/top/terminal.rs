//! Borrowing the terminal, and giving it back whatever happens: at the end, on a panic, on a signal.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ratatui::DefaultTerminal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use super::draw::draw;
use super::view::View;
use crate::cli::error::CliError;

/// The terminal in the state that a full-screen program needs; when this is dropped it is as it was.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    is_left: bool,
}

impl Screen {
    /// Takes the terminal; a panic gives it back before it is reported.
    pub fn enter() -> Result<Screen, CliError> {
        Ok(Screen { terminal: ratatui::try_init().map_err(CliError::Terminal)?, is_left: false })
    }

    pub fn draw(&mut self, view: &mut View) -> io::Result<()> {
        self.terminal.draw(|frame| draw(frame, view)).map(drop)
    }

    /// Gives the terminal back.
    pub fn leave(&mut self) {
        if !std::mem::replace(&mut self.is_left, true) {
            // A terminal that has gone cannot be mended, and needs no mending.
            let _ = ratatui::try_restore();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The signal that ends `top` from outside, kept until the terminal is as it was.
pub(super) struct Signals {
    arrived: Arc<AtomicUsize>,
}

impl Signals {
    pub fn listen() -> Result<Signals, CliError> {
        let arrived = Arc::new(AtomicUsize::new(0));
        for signal in [SIGTERM, SIGINT, SIGHUP] {
            let number = usize::try_from(signal).expect("numbers of signals are positive");
            flag::register_usize(signal, Arc::clone(&arrived), number).map_err(CliError::Signals)?;
        }
        Ok(Signals { arrived })
    }

    pub fn arrived(&self) -> bool {
        self.arrived.load(Ordering::Relaxed) != 0
    }

    /// Lets the signal do now what it would have done, so that whoever sent it sees it.
    pub fn pass_on(&self) -> Result<(), CliError> {
        match i32::try_from(self.arrived.load(Ordering::Relaxed)) {
            Ok(0) | Err(_) => Ok(()),
            Ok(signal) => low_level::emulate_default_handler(signal).map_err(CliError::Signals),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    const WORDS: &str = "a panic on purpose";

    /// Runs itself once more in a terminal of its own, to panic there.
    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_reported() {
        if std::env::var_os("JM_TEST_PANIC").is_some() {
            let _screen = Screen::enter().unwrap();
            panic!("{WORDS}");
        }
        let (_, module) = module_path!().split_once("::").unwrap();
        let test = format!("{module}::a_panic_gives_the_terminal_back_before_it_is_reported");
        let script = "stty -g; \"$0\" --exact \"$1\" --nocapture; stty -g";

        let ran = Command::new("python3")
            .args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])", "sh", "-c", script])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env("JM_TEST_PANIC", "1")
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .output()
            .unwrap();

        let said = String::from_utf8_lossy(&ran.stdout);
        let settings: Vec<&str> = said.lines().filter(|line| line.matches(':').count() > 30).collect();
        assert!(settings.len() == 2 && settings[0] == settings[1], "{said:?}");
        let order = ["\x1b[?1049h", "\x1b[?1049l", WORDS].map(|text| said.find(text));
        assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{order:?} in {said:?}");
    }
}
