//! Answers that are drawn from many rows, on a connection of their own, or given as they were drawn for somebody else.

use std::sync::Arc;
use std::time::Instant;

use job_manager::client::Client;
use job_manager::model::{Job, JobId};
use serde::Serialize;

use super::answer::{Connections, Document, Refused, Reply};
use super::kept::{Found, Of};

impl Connections {
    /// Answers with what `draw` reads of a job, or with what it has read; `name` says what of it that is, and `of` on what it depends.
    pub async fn drawn_of<T: Serialize + 'static>(
        self: &Arc<Self>,
        job: String,
        name: String,
        of: fn(Job) -> Of,
        draw: impl FnOnce(&Client, JobId) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        let row = self.look(move |client| Ok(client.job(client.find_job(&job)?)?)).await?;
        let (id, of) = (row.id, of(row));
        self.drawn(format!("{id} {name}"), of, move |client| draw(client, id)).await
    }

    /// Answers with what `draw` reads, or has read, of that on which it depends.
    pub async fn drawn<T: Serialize + 'static>(
        self: &Arc<Self>,
        name: String,
        of: Of,
        draw: impl FnOnce(&Client) -> Result<T, Refused> + Send + 'static,
    ) -> Reply {
        let found = self.kept().find(&name, &of, Instant::now());
        let make = |connections: Arc<Connections>| async move {
            let making = tokio::task::spawn_blocking(move || {
                let began = Instant::now();
                connections.slow_reader().data_version()?;
                let document = Document::of(&draw(connections.slow_reader())?)?;
                connections.kept().keep(name, of, document.clone(), began);
                Ok(document)
            });
            making.await?
        };
        match found {
            Found::Good(document) => Ok(document),
            Found::Nothing => make(Arc::clone(self)).await,
            Found::Aging(document) => {
                // What goes wrong is said to whoever asks when this one is too old.
                tokio::spawn(make(Arc::clone(self)));
                Ok(document)
            }
        }
    }
}
