//! From a verb of the client to an answer: off the web server's thread, as JSON, with a fitting status.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use job_manager::client::{Client, ClientError, StoreError};
use job_manager::model::{ErrorKind, JobId};
use job_manager::text::causes;
use serde::de::DeserializeOwned;
use serde_json::json;

/// The connections of a dashboard.
pub(super) struct Connections {
    reader: Client,
    /// None when nothing may be changed.
    writer: Option<Client>,
}

/// What the path of a request names.
pub(super) struct Named<T>(pub T);

/// An answer, or why there is none.
pub(super) type Reply<T> = Result<Json<T>, Refused>;

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
    #[error("this dashboard is read-only")]
    ReadOnly,
    #[error("too many pages are open, close one")]
    TooManyStreams,
    #[error("no such page")]
    NoSuchPage,
    #[error("this page is not asked for in that way")]
    WrongMethod,
    #[error("the answer could not be made")]
    Broken(#[from] tokio::task::JoinError),
}

impl Connections {
    pub fn new(reader: Client, writer: Option<Client>) -> Arc<Connections> {
        Arc::new(Connections { reader, writer })
    }

    /// Lets `look` read, where it may wait.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&Client) -> Result<T, Refused> + Send + 'static,
    ) -> Reply<T> {
        let connections = Arc::clone(self);
        let looking = tokio::task::spawn_blocking(move || {
            // A database that was replaced would go on to be shown as it was.
            connections.reader.data_version()?;
            look(&connections.reader)
        });
        looking.await?.map(Json)
    }

    /// Lets `change` write about one job, where it may wait.
    pub async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        job: String,
        change: impl FnOnce(&Client, JobId) -> Result<T, Refused> + Send + 'static,
    ) -> Reply<T> {
        let connections = Arc::clone(self);
        let changing = tokio::task::spawn_blocking(move || {
            let writer = connections.writer.as_ref().ok_or(Refused::ReadOnly)?;
            writer.data_version()?;
            // A manager that a verb starts would wait for the lock by itself, and longer.
            writer.expect_writable()?;
            change(writer, writer.find_job(&job)?)
        });
        changing.await?.map(Json)
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
            Self::Client(error) => status_of(error),
            Self::Query(_) | Self::Word(_) => StatusCode::BAD_REQUEST,
            Self::Path(rejection) => rejection.status(),
            Self::Body(rejection) => rejection.status(),
            Self::ReadOnly => StatusCode::FORBIDDEN,
            Self::TooManyStreams => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
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

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let caused_by: Vec<String> = causes(&self).map(ToString::to_string).collect();
        let document = json!({ "schema": 1, "error": self.to_string(), "caused_by": caused_by });
        (self.status(), Json(document)).into_response()
    }
}
