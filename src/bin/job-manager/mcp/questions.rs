//! What a person is asked by the host before a call acts, where the host can ask.
//!
//! Up to the revision 2025-11-25 the server asks (`elicitation/create`) and the call waits, without a thread. Since 2026-07-28 the call
//! is answered with the question, and the host calls once more with the answer, perhaps to another server of the same database. So nothing is
//! kept here: the question is made again of what the database says now, and an answer counts only for the question that was asked
//! (`requestState` is its digest); where that is another one by now, or none was asked, the person is asked again. Without the library's feature for it,
//! whose types are there anyway.
//!
//! Known weakness: that a person has answered at all is the host's word, as in the revisions before.

use std::path::PathBuf;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
    ServerRequest,
};
use rmcp::service::RequestContext;
use sha2::{Digest, Sha256};

use super::ToolError;

/// The name of the question in the answer of a host that calls once more.
const NAME: &str = "person";
/// Nobody is there who has not answered by then.
const LONGEST: Duration = Duration::from_secs(600);

/// A question with the answers yes and no.
#[derive(Debug)]
pub(super) struct Question {
    pub text: String,
    /// The command, by name and place, that a yes allows until the server ends.
    pub allows: Option<(String, PathBuf)>,
}

impl Question {
    /// Returns what tells it from every other question, also in another process.
    fn digest(&self) -> String {
        Sha256::digest(&self.text).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns `true` if a host can ask its person.
pub(super) fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let offered = context.client_capabilities().and_then(|capabilities| capabilities.elicitation);
    // Hosts of the first revision with questions name no kinds of them.
    offered.is_some_and(|kinds| kinds.form.is_some() || kinds.url.is_none())
}

/// Has a person asked.
///
/// # Errors
/// With the answer to the call, where nobody has said yes.
pub(super) async fn ask(
    question: &Question,
    call: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<(), Box<CallToolResponse>> {
    let request = elicitation(question).map_err(refused)?;
    if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
        let state = question.digest();
        let is_answered = call.request_state.as_ref() == Some(&state);
        let answer = call.input_responses.as_ref().and_then(|answers| answers.get(NAME)).filter(|_| is_answered);
        let Some(answer) = answer else {
            let requests = InputRequests::from([(NAME.to_owned(), InputRequest::Elicitation(request))]);
            return Err(Box::new(InputRequiredResult::new(Some(requests), Some(state)).into()));
        };
        let answer: Result<ElicitResult, _> = serde_json::from_value(answer.clone());
        return read(answer.map_err(|error| error.to_string()));
    }
    let asked = context.peer.send_request(ServerRequest::ElicitRequest(request));
    let answer = tokio::select! {
        biased;
        () = context.ct.cancelled() => Err("the call was cancelled".to_owned()),
        answer = tokio::time::timeout(LONGEST, asked) => match answer {
            Err(_) => Err("nobody answered".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(ClientResult::ElicitResult(result))) => Ok(result),
            Ok(Ok(_)) => Err("the host answered something else".to_owned()),
        },
    };
    read(answer)
}

/// Returns the question as a request to the host that an answer holds.
///
/// # Errors
/// When the library does not build it.
pub(super) fn request_of(question: &Question) -> Result<InputRequest, ToolError> {
    elicitation(question).map(InputRequest::Elicitation)
}

fn elicitation(question: &Question) -> Result<ElicitRequest, ToolError> {
    let schema = ElicitationSchema::builder().build();
    Ok(ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question.text.clone(),
        requested_schema: schema.map_err(|why| ToolError::NotAsked(why.to_owned()))?,
    }))
}

fn read(answer: Result<ElicitResult, String>) -> Result<(), Box<CallToolResponse>> {
    match answer.map(|answer| answer.action) {
        Ok(ElicitationAction::Accept) => Ok(()),
        Ok(_) => Err(refused(ToolError::Declined)),
        Err(why) => Err(refused(ToolError::NotAsked(why))),
    }
}

fn refused(error: ToolError) -> Box<CallToolResponse> {
    Box::new(error.to_answer(&[]).into())
}
