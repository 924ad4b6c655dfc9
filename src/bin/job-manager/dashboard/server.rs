//! The web server: from a bound port to its end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use job_manager::client::{Client, ManagerProgram};
use job_manager::model::StateDir;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use super::access::{Access, SESSION, guard};
use super::answer::{Connections, Refused};
use super::events::{Changes, look_for_changes};
use super::listen::{answer, places};
use super::together::together;
use super::token::Token;
use super::{DashboardError, actions, assets, downloads, metrics, reading, review, settings, unit_actions};

/// How long a change waits for another process's transaction; whoever asked can ask again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// What can be asked, for programs; a test compares it with the routes.
const OPENAPI: &str = include_str!("assets/openapi.json");
/// What no request needs more of.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A dashboard that listens and has not answered anybody yet.
pub struct Dashboard {
    listener: TcpListener,
    address: SocketAddr,
    token: Token,
    /// What the printed address holds.
    entry: Token,
    session: Token,
    connections: Arc<Connections>,
    watcher: Client,
    about: About,
}

/// What the page has to know about the dashboard itself.
#[derive(Clone, Serialize)]
struct About {
    schema: u32,
    version: &'static str,
    db: PathBuf,
    read_only: bool,
}

impl Dashboard {
    /// Opens the database and the port, and reads the token, or makes it.
    ///
    /// # Errors
    /// When there is no database, the port is in use, or the token is not private.
    pub fn open(db: &Path, port: u16, read_only: bool) -> Result<Dashboard, DashboardError> {
        let write = || Ok(Client::open(db)?.with_busy_timeout(BUSY_TIMEOUT)?.with_program(ManagerProgram::OfJob));
        // First: it brings a database of an older version up to date.
        let writer = (!read_only).then(write).transpose().map_err(DashboardError::Client)?;
        let read = || Client::open_to_read(db);
        let (reader, slow_reader, watcher) = (read()?, read()?, read()?);
        let listen = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => DashboardError::PortInUse { port },
            _ => DashboardError::Listen { port, source },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(DashboardError::Server)?;
        let address = listener.local_addr().map_err(DashboardError::Server)?;
        let token = Token::of(&StateDir::beside(&reader.path()), read_only)?;
        let (entry, session) = (Token::drawn()?, Token::drawn()?);
        let about = About { schema: 1, version: env!("CARGO_PKG_VERSION"), db: reader.path(), read_only };
        let connections = Connections::new(reader, slow_reader, writer);
        Ok(Dashboard { listener, address, token, entry, session, connections, watcher, about })
    }

    /// Returns the address without the token.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Returns the address that lets a browser in until this dashboard ends.
    pub fn url(&self) -> String {
        format!("{}#token={}", self.address(), self.entry.as_str())
    }

    /// Returns the token of programs.
    pub fn token(&self) -> &str {
        self.token.as_str()
    }

    /// Answers until `stop` is set, and ends within a second of that, whoever still listens.
    ///
    /// A verb that is under way goes on in the database as if its client had been killed: it happens, or does not.
    pub fn serve(self, stop: &AtomicBool) -> Result<(), DashboardError> {
        let places = places().map_err(DashboardError::Server)?;
        let (sender, number) = watch::channel(0);
        let (alive, is_alive) = watch::channel(());
        let app = self.routes(Changes::new(number, places));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(DashboardError::Server)?;
        let served = std::thread::scope(|scope| {
            let watcher = &self.watcher;
            scope.spawn(move || {
                look_for_changes(watcher, &sender, stop);
                // Ends the streams, and then the server.
                drop((sender, alive));
            });
            let served = runtime.block_on(async {
                answer(tokio::net::TcpListener::from_std(self.listener)?, app, places, is_alive).await;
                Ok(())
            });
            // It may also have failed by itself.
            stop.store(true, Ordering::Relaxed);
            served
        });
        runtime.shutdown_background();
        served.map_err(DashboardError::Server)
    }

    fn routes(&self, changes: Changes) -> Router {
        let access = Access {
            token: self.token.clone(),
            entry: self.entry.clone(),
            session: self.session.clone(),
            port: self.address.port(),
            read_only: self.about.read_only,
        };
        let about = self.about.clone();
        let asked = Router::new().merge(reading::routes()).merge(settings::routes()).merge(review::routes());
        Router::new()
            .merge(asked.route_layer(middleware::from_fn_with_state(Arc::default(), together)))
            .merge(downloads::routes())
            .merge(actions::routes())
            .merge(unit_actions::routes())
            .route("/metrics", get(metrics::metrics))
            .with_state(Arc::clone(&self.connections))
            .route("/api/v1/about", get(move || async move { Json(about) }))
            .route("/api/v1/openapi.json", get(|| async { ([(CONTENT_TYPE, "application/json")], OPENAPI) }))
            // Who may have a session is decided before.
            .route(SESSION, post(|| async { Json(json!({ "schema": 1 })) }))
            .route("/api/v1/events", get(move || async move { changes.stream() }))
            .merge(assets::routes())
            .fallback(|| async { Refused::NoSuchPage })
            .method_not_allowed_fallback(|| async { Refused::WrongMethod })
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .layer(middleware::from_fn_with_state(Arc::new(access), guard))
    }
}
