//! From a verb of the client to an answer: off the web server's thread, as JSON, with a fitting status.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use job_manager::client::{Client, ClientError, StoreError};
use job_manager::model::{ErrorKind, JobId};
use job_manager::text::causes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::bound::bounded;
use super::kept::Kept;
use crate::results::ResultsError;

/// The connections of a dashboard.
pub(super) struct Connections {
    reader: Client,
    /// That of what takes longer, so that nothing else waits for it.
    slow_reader: Client,
    /// None when nothing may be changed.
    writer: Option<Client>,
    kept: Kept<Document>,
}

/// What the path of a request names.
pub(super) struct Named<T>(pub T);

/// An answer, or why there is none.
pub(super) type Reply = Result<Document, Refused>;

/// A document of a bounded size, written as JSON.
#[derive(Clone)]
pub(super) struct Document(Bytes);

/// Why a request was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Path(#[from] PathRejection),
    #[error(transparent)]
    Query(#[from] QueryRejection),
    #[error(transparent)]
    Body(#[from] JsonRejection),
    #[error("{0}")]
    Word(String),
    /// What stands under a name in the address or the body.
    #[error("{message}")]
    Parameter { name: Cow<'static, str>, message: String },
    /// What the job does not take as a setting of that name.
    #[error("{error}")]
    Setting { name: String, error: ClientError },
    #[error("this dashboard is read-only")]
    ReadOnly,
    #[error("too many pages are open, close one")]
    TooManyStreams,
    #[error("no such page")]
    NoSuchPage,
    #[error("there is no log of a manager")]
    NoLog(#[source] std::io::Error),
    #[error("the unit has no {name}")]
    NoValue { name: &'static str },
    #[error("there are more names than columns: results.jsonl has all")]
    TooManyColumns,
    #[error("this page is not asked for in that way")]
    WrongMethod,
    #[error("the answer could not be made")]
    Broken(#[from] tokio::task::JoinError),
    #[error("the answer could not be written")]
    Unwritten(#[from] serde_json::Error),
}

impl Connections {
    pub fn new(reader: Client, slow_reader: Client, writer: Option<Client>) -> Arc<Connections> {
        Arc::new(Connections { reader, slow_reader, writer, kept: Kept::new() })
    }

    /// Returns the connection of those who read, which may wait.
    pub fn reader(&self) -> &Client {
        &self.reader
    }

    /// Returns the connection of those who read for long.
    pub fn slow_reader(&self) -> &Client {
        &self.slow_reader
    }

    /// Returns what was read with it.
    pub fn kept(&self) -> &Kept<Document> {
        &self.kept
    }

    /// Lets `look` read, where it may wait.
    pub async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Client) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let connections = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || {
            // A database that was replaced would go on to be shown as it was.
            connections.reader.data_version()?;
            look(&connections.reader)
        });
        looking.await?
    }

    /// Lets `look` read for longer than others should wait.
    pub async fn search<T: Serialize>(
        self: &Arc<Self>,
        look: impl FnOnce(&Client) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        let connections = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || {
            connections.slow_reader.data_version()?;
            Document::of(&look(&connections.slow_reader)?)
        });
        looking.await?
    }

    /// Answers with what `look` reads.
    pub async fn read<T: Serialize>(
        self: &Arc<Self>,
        look: impl FnOnce(&Client) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        self.look(move |client| Document::of(&look(client)?)).await
    }

    /// Lets `change` write about one job, where it may wait.
    pub async fn write<T: Serialize>(
        self: &Arc<Self>,
        job: String,
        change: impl FnOnce(&Client, JobId) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        let connections = Arc::clone(self);
        let changing = tokio::task::spawn_blocking(move || {
            let writer = connections.writer.as_ref().ok_or(Refused::ReadOnly)?;
            writer.data_version()?;
            // A manager that a verb starts would wait for the lock by itself, and longer.
            writer.expect_writable()?;
            let changed = change(writer, writer.find_job(&job)?);
            // A part of it may have happened before an error.
            connections.kept.forget();
            Document::of(&changed?)
        });
        changing.await?
    }
}

impl Document {
    pub fn of(document: &impl Serialize) -> Result<Document, Refused> {
        Ok(Document(bounded(document)?.into()))
    }
}

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(named) = Path::from_request_parts(parts, state).await?;
        Ok(Named(named))
    }
}

impl Refused {
    fn status(&self) -> StatusCode {
        match self {
            Self::Client(error) | Self::Setting { error, .. } => status_of(error),
            Self::Query(_) | Self::Word(_) | Self::Parameter { .. } => StatusCode::BAD_REQUEST,
            Self::Path(rejection) => rejection.status(),
            Self::Body(rejection) => rejection.status(),
            Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::TooManyStreams => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoSuchPage | Self::NoValue { .. } => StatusCode::NOT_FOUND,
            Self::NoLog(error) if error.kind() == std::io::ErrorKind::NotFound => StatusCode::NOT_FOUND,
            Self::TooManyColumns => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoLog(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Broken(_) | Self::Unwritten(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

fn status_of(error: &ClientError) -> StatusCode {
    // The database of a dashboard was there: that it is not now is no fault of the request.
    if let ClientError::Store(error) = error
        && (error.is_no_database() || matches!(error, StoreError::NoDirectory { .. } | StoreError::Moved { .. }))
    {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::CommandNotFound | ErrorKind::CommandNotExecutable => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Busy | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Database | ErrorKind::Interrupted | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<ResultsError> for Refused {
    fn from(error: ResultsError) -> Self {
        match error {
            ResultsError::Client(error) => Self::Client(error),
            ResultsError::Written(error) => Self::Unwritten(serde_json::Error::io(error)),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let caused_by: Vec<String> = match &self {
            Self::Setting { error, .. } => causes(error).map(ToString::to_string).collect(),
            other => causes(other).map(ToString::to_string).collect(),
        };
        let mut document = json!({ "schema": 1, "error": self.to_string(), "caused_by": caused_by });
        match &self {
            Self::Parameter { name, .. } => document["parameter"] = json!(name),
            Self::Setting { name, .. } => document["parameter"] = json!(name),
            _ => {}
        }
        match Document::of(&document) {
            Ok(document) => (self.status(), document).into_response(),
            // Strings and numbers can be written.
            Err(_) => self.status().into_response(),
        }
    }
}
