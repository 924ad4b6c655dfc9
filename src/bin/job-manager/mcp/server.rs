//! The conversation: what the server says about itself, and how a call becomes an answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CancelledNotificationParam, CustomRequest, CustomResult,
    ErrorCode, ErrorData, GetTaskParams, GetTaskResult, Implementation, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
    ServerCapabilities, ServerConfig, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
    UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, SubscriptionContext};
use rmcp::{RoleServer, ServerHandler};
use tokio_util::sync::CancellationToken;

use super::allowed::{Allowed, Refused};
use super::faces::Faces;
use super::jobs::{Database, JobGiven};
use super::offer::{instructions, offered};
use super::progress::Progress;
use super::questions::{ask, can_ask};
use super::requests::{misfit, refuse_cursor};
use super::resources;
use super::starts::{StartCall, Starts};
use super::subscriptions::{Listener, Subscriptions, Watch, accepted};
use super::tasks::{self, Tasks};
use super::tool::Entry;
use super::tools;
use super::waits::Waits;
use super::{Jobs, ToolError};

/// The server of one host.
pub(super) struct Server {
    tools: Arc<[Entry]>,
    database: Arc<Database>,
    /// What a person allows is added.
    allowed: Mutex<Arc<Allowed>>,
    faces: Arc<Faces>,
    starts: Arc<Starts>,
    waits: Waits,
    subscriptions: Subscriptions,
    gone: CancellationToken,
}

impl Server {
    pub fn new(database: Database, allowed: Allowed, faces: Faces, gone: CancellationToken) -> Self {
        let (tools, waits) = (tools::all().into(), Waits::new(gone.clone()));
        let (database, allowed) = (Arc::new(database), Mutex::new(Arc::new(allowed)));
        let (faces, starts, subscriptions) = (Arc::new(faces), Arc::default(), Subscriptions::default());
        Self { tools, database, allowed, faces, starts, waits, subscriptions, gone }
    }

    fn allowed(&self) -> MutexGuard<'_, Arc<Allowed>> {
        self.allowed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a person asked what a call needs to be asked; returns what the call can do then.
    ///
    /// # Errors
    /// With the answer to the call, where nobody has said yes.
    async fn asked(
        &self,
        index: usize,
        jobs: Jobs,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<Jobs, Box<CallToolResponse>> {
        if !can_ask(context) {
            return Ok(jobs);
        }
        let (tools, arguments) = (Arc::clone(&self.tools), request.arguments.clone().unwrap_or_default());
        let of_call = jobs.clone();
        let question = tokio::task::spawn_blocking(move || tools[index].asks(&of_call, &arguments)).await;
        // What goes wrong here goes wrong in the call as well, which says so.
        let Ok(Some(question)) = question else { return Ok(jobs) };
        ask(&question, request, context).await?;
        let Some((name, place)) = question.allows else { return Ok(jobs) };
        let mut allowed = self.allowed();
        *allowed = Arc::new(allowed.and_command(name, place));
        drop(allowed);
        Ok(self.jobs(context))
    }

    /// Does something with tasks, where it may block.
    async fn with_tasks<T: Send + 'static>(
        &self,
        context: &RequestContext<RoleServer>,
        work: impl FnOnce(&Tasks) -> Result<T, ErrorData> + Send + 'static,
    ) -> Result<T, ErrorData> {
        let tasks = Tasks::new(&self.tools, self.jobs(context), context);
        let done = tokio::task::spawn_blocking(move || work(&tasks)).await;
        done.unwrap_or_else(|panic| Err(ErrorData::internal_error(panic.to_string(), None)))
    }

    /// Returns what a request can do.
    fn jobs(&self, context: &RequestContext<RoleServer>) -> Jobs {
        let start = StartCall::new(&self.starts, &context.id);
        Jobs::new(&self.database, &self.allowed(), &self.faces, [self.gone.clone(), context.ct.clone()], start)
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(
            ServerCapabilities::builder()
                .enable_tools()
                .enable_resources()
                .enable_resources_subscribe()
                .enable_tasks()
                .build(),
        )
        .with_server_info(Implementation::new("job-manager", env!("CARGO_PKG_VERSION")).with_title("Job Manager"))
        .with_instructions(instructions(&self.allowed()))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        refuse_cursor(request)?;
        Ok(ListToolsResult::with_all_items(
            offered(&self.tools, &self.allowed()).map(|tool| tool.description.clone()).collect(),
        ))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(index) = self.tools.iter().position(|tool| tool.description.name == request.name) else {
            return Err(ErrorData::invalid_params(format!("no tool {:?}", request.name), None));
        };
        let tools = Arc::clone(&self.tools);
        if self.allowed().is_read_only() && self.tools[index].effect.changes() {
            return Ok(ToolError::Refused(Refused::ReadOnly).to_answer(&[]).into());
        }
        let jobs = match self.asked(index, self.jobs(&context), &request, &context).await {
            Ok(jobs) => jobs,
            Err(answer) => return Ok(*answer),
        };
        let arguments = request.arguments.unwrap_or_default();
        let waited = match self.tools[index].awaits(&arguments) {
            Some(wait) => {
                self.waits.wait(&jobs, wait, &context).await;
                Some(self.waits.turn().await)
            }
            None => None,
        };
        let _telling = Progress::of(&context).tell_reading(jobs.items_read());
        let answered = tokio::task::spawn_blocking(move || tools[index].call(&jobs, &arguments)).await;
        drop(waited);
        // Nobody reads the answer to a call that was cancelled.
        let notes = if context.ct.is_cancelled() { Vec::new() } else { self.starts.take_notes(&context.id) };
        let answer = match answered.unwrap_or_else(|panic| Err(ToolError::Panicked(panic.to_string()))) {
            Ok(answer) => answer.noting(&notes),
            Err(error) => return Ok(error.to_answer(&notes).into()),
        };
        let started = self.starts.started_by(&context.id).filter(|_| tasks::are_taken(&context));
        if let Some(job) = started {
            let (jobs, said) = (self.jobs(&context), answer.summary().to_owned());
            // A job that cannot be read now is told of in words.
            if let Ok(Ok(task)) = tokio::task::spawn_blocking(move || tasks::begun(&jobs, job, &said)).await {
                return Ok(task.into());
            }
        }
        Ok(answer.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        refuse_cursor(request)?;
        let jobs = self.jobs(&context);
        let listed = tokio::task::spawn_blocking(move || resources::list(&jobs)).await;
        let listed = listed.unwrap_or_else(|panic| Err(ToolError::Panicked(panic.to_string())));
        let listed = listed.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(ListResourcesResult::with_all_items(listed))
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        refuse_cursor(request)?;
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let (tools, jobs) = (Arc::clone(&self.tools), self.jobs(&context));
        let read = tokio::task::spawn_blocking(move || resources::read(&tools, &jobs, &request.uri)).await;
        read.unwrap_or_else(|panic| Err(ErrorData::internal_error(panic.to_string(), None))).map(Into::into)
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if !resources::is_address(&request.uri) {
            return Err(resources::missing(&request.uri));
        }
        let ended = self.subscriptions.begin(&request.uri, &self.gone)?;
        let jobs = self.jobs(&context).of_nobody(&self.gone);
        let Some(watch) = Watch::begin(&self.tools, jobs, vec![request.uri]).await else { return Ok(()) };
        let listener = Listener::Host(context.peer.clone());
        tokio::spawn(async move { watch.tell(listener, ended.cancelled()).await });
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.subscriptions.end(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(accepted(requested))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let uris = context.accepted().resource_subscriptions.clone().unwrap_or_default();
        let jobs = self.jobs(context.request_context()).of_nobody(&self.gone);
        let ended = async {
            tokio::select! {
                () = context.cancelled() => {}
                () = self.gone.cancelled() => {}
            }
        };
        match Watch::begin(&self.tools, jobs, uris).await {
            Some(watch) => watch.tell(Listener::Request(context.sink().clone()), ended).await,
            None => ended.await,
        }
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.with_tasks(&context, move |tasks| tasks.read(&request.task_id)).await
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.with_tasks(&context, move |tasks| tasks.update(&request.task_id, &request.input_responses)).await
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.with_tasks(&context, move |tasks| tasks.cancel(&request.task_id)).await
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let CustomRequest { method, params, .. } = request;
        Err(misfit(&method, params, context.meta.protocol_version())
            .unwrap_or_else(|| ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None)))
    }

    async fn on_cancelled(&self, cancelled: CancelledNotificationParam, _context: NotificationContext<RoleServer>) {
        let Some(call) = cancelled.request_id else { return };
        let Some(job) = self.starts.cancel(&call) else { return };
        let start = StartCall::new(&self.starts, &call);
        let given_up = [self.gone.clone(), self.gone.clone()];
        let jobs = Jobs::new(&self.database, &self.allowed(), &self.faces, given_up, start);
        let starts = Arc::clone(&self.starts);
        let stop = move || {
            let (client, job) = jobs.to_change(&JobGiven::Number(job.0))?;
            starts.stop(&client, job).map_err(ToolError::from)
        };
        // What cannot be looked at is not named: list_jobs shows what there is.
        drop(tokio::task::spawn_blocking(stop).await);
    }
}
