//! The dashboard: a page, its JSON and metrics, for the owner of the database, on this machine only.
//!
//! It listens on loopback and answers nobody who does not show the token; see [`access`] for what is refused and why.
//! It reads and writes through the client alone, with a connection of its own for what is read at once, for what takes longer, and for
//! what is written, so that none waits for another; read-only, there is none to write. The web server runs on one thread, everything that touches the database
//! on others. Whoever looks at a page is told that something has changed, never what: the page asks again.
//!
//! Nothing is kept on disk but the token: a dashboard that ends, or is killed, loses nothing.

mod access;
mod actions;
mod answer;
mod assets;
mod bound;
mod downloads;
mod drawn;
mod error;
mod events;
mod kept;
mod listen;
mod members;
mod metrics;
mod reading;
mod review;
mod server;
mod settings;
mod stream;
mod timed;
mod together;
mod token;
mod totals;
mod unit_actions;
mod values;
mod words;

pub use error::DashboardError;
pub use metrics::metrics_text;
pub use server::Dashboard;
