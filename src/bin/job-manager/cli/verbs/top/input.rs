//! What comes from the terminal: keys, new sizes, and its end.
//!
//! crossterm waits in a way that nothing else can end: half an escape sequence holds it, and at the end of a terminal it
//! turns in circles. So a thread of its own waits in it, which the end of the process ends, and another one waits for the
//! end of the terminal.

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use ratatui::crossterm::event::{self, Event};

use crate::system;

/// What has come.
#[derive(Debug)]
pub(super) enum Input {
    Event(Event),
    /// Nobody is at the terminal any more.
    HungUp,
    /// Nothing more can be heard.
    Failed(io::Error),
}

/// Starts to listen to the terminal of this process.
pub(super) fn listen() -> Receiver<Input> {
    let (sender, inputs) = mpsc::channel();
    let hung_up = sender.clone();
    thread::spawn(move || {
        let end = system::wait_for_hang_up(io::stdout()).map_or_else(Input::Failed, |()| Input::HungUp);
        // Whoever listened has left before.
        let _ = hung_up.send(end);
    });
    thread::spawn(move || {
        loop {
            let input = event::read().map_or_else(Input::Failed, Input::Event);
            let is_last = matches!(input, Input::Failed(_));
            if sender.send(input).is_err() || is_last {
                return;
            }
        }
    });
    inputs
}
