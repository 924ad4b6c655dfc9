//! From a verb of the client to an answer: off the web server's thread, as JSON, with a fitting status.

use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::client::{Client, ClientError};
use crate::model::JobId;
use crate::store::{Fault, StoreError};

/// The connections of a dashboard.
pub(super) struct Connections {
    reader: Client,
    /// None when nothing may be changed.
    writer: Option<Client>,
}

/// What the path of a request names.
pub(super) struct Named<T>(pub T);

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<Json<T>, Refused>;

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
    ) -> Answer<T> {
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
    ) -> Answer<T> {
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
    match error {
        ClientError::Store(error) => status_of_store(error),
        ClientError::NotStarted { source, .. } => status_of(source),
        ClientError::WorkersOutOfRange { .. }
        | ClientError::RelativeDisk { .. }
        | ClientError::NoDisk { .. }
        | ClientError::Zone { .. }
        | ClientError::UnitLimit(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ClientError::NoSuchJob { .. }
        | ClientError::AmbiguousJob { .. }
        | ClientError::NoJobOfKey { .. }
        | ClientError::NoUnitOfKey { .. }
        | ClientError::UnitNotFound { .. }
        | ClientError::AttemptNotFound { .. }
        | ClientError::NoUnitFits { .. } => StatusCode::NOT_FOUND,
        ClientError::NothingToRun { .. }
        | ClientError::OneItemEach { .. }
        | ClientError::SeveralItems { .. }
        | ClientError::AwaitsApproval { .. }
        | ClientError::UnitIdle { .. }
        | ClientError::WrongStatus { .. }
        | ClientError::StillStopping { .. }
        | ClientError::StillCancelling { .. }
        | ClientError::CancelUnfinished { .. }
        | ClientError::Interrupted { .. }
        | ClientError::ManagerRuns { .. }
        | ClientError::OrphansRemain { .. }
        | ClientError::ProgramUnknown { .. }
        | ClientError::SecretsMissing { .. }
        | ClientError::NoScope { .. }
        | ClientError::OtherOwner { .. }
        | ClientError::AtMostOnce { .. }
        | ClientError::HealthUnknown { .. } => StatusCode::CONFLICT,
        // What no request here leads to, or is a fault of this machine that its owner has to look at.
        ClientError::SharedDisk { .. }
        | ClientError::OpenToAll { .. }
        | ClientError::Source(_)
        | ClientError::NoSuchSecret { .. }
        | ClientError::NoUnits
        | ClientError::KeyOfAnotherJob { .. }
        | ClientError::KeyTwice { .. }
        | ClientError::Output { .. }
        | ClientError::OutputNotKept { .. }
        | ClientError::HookMissing
        | ClientError::ProgramMissing
        | ClientError::Spawn { .. }
        | ClientError::ManagerRefused { .. }
        | ClientError::ManagerDied { .. }
        | ClientError::StartTimedOut { .. }
        | ClientError::WaitTimedOut { .. }
        | ClientError::Files { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn status_of_store(error: &StoreError) -> StatusCode {
    match error {
        StoreError::JobNotFound(_) => StatusCode::NOT_FOUND,
        StoreError::WrongStatus { .. } => StatusCode::CONFLICT,
        StoreError::NoDatabase { .. }
        | StoreError::NoDirectory { .. }
        | StoreError::EmptyPath
        | StoreError::Moved { .. } => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::Database { fault, .. } => match fault {
            Fault::Busy | Fault::Full | Fault::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            Fault::ReadOnly | Fault::Damaged | Fault::Constraint | Fault::Unreadable | Fault::Unexpected => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        },
        StoreError::NotOurs { .. }
        | StoreError::MountedAlone { .. }
        | StoreError::Planted(_)
        | StoreError::SeveralNames { .. }
        | StoreError::DamagedRecord { .. }
        | StoreError::Unreadable(_)
        | StoreError::TooNew { .. }
        | StoreError::TooOld { .. }
        | StoreError::NotWal { .. }
        | StoreError::NoWriteLock { .. }
        | StoreError::SqliteTooOld { .. }
        | StoreError::Files { .. }
        | StoreError::AttemptOver { .. }
        | StoreError::Fenced { .. }
        | StoreError::NewJob(_)
        | StoreError::ReservedUnitKey { .. }
        | StoreError::DuplicateUnitKey { .. }
        | StoreError::KeyTwice { .. }
        | StoreError::SamePath { .. }
        | StoreError::NotSplit { .. }
        | StoreError::KeyInUse { .. }
        | StoreError::TooManyUnits { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[derive(Serialize)]
struct ErrorDocument {
    schema: u32,
    error: String,
    caused_by: Vec<String>,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let causes = std::iter::successors(self.source(), |cause: &&dyn Error| (*cause).source());
        let document = json!(ErrorDocument {
            schema: 1,
            error: self.to_string(),
            caused_by: causes.map(ToString::to_string).collect(),
        });
        (self.status(), Json(document)).into_response()
    }
}
