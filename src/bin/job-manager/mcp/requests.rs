//! Requests whose parameters do not fit.
//!
//! The library of the protocol takes such a request for one of somebody else's, and would say that there is no such method.

use rmcp::model::{
    CallToolRequestMethod, CallToolRequestParams, CancelTaskMethod, CancelTaskParams, ConstString,
    DiscoverRequestMethod, ErrorData, GetTaskMethod, GetTaskParams, InitializeRequestParams, InitializeResultMethod,
    ListResourceTemplatesRequestMethod, ListResourcesRequestMethod, ListToolsRequestMethod, PaginatedRequestParams,
    PingRequestMethod, ProtocolVersion, ReadResourceRequestMethod, ReadResourceRequestParams, UpdateTaskMethod,
    UpdateTaskParams,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// Returns the refusal of a request that is one of the protocol; none for others.
pub(super) fn misfit(method: &str, params: Option<Value>, revision: Option<ProtocolVersion>) -> Option<ErrorData> {
    let is_new = revision.is_some_and(|revision| revision >= ProtocolVersion::V_2026_07_28);
    if is_new && method == InitializeResultMethod::VALUE {
        return Some(ErrorData::method_not_found::<InitializeResultMethod>());
    }
    let why = match method {
        CallToolRequestMethod::VALUE => why::<CallToolRequestParams>(params),
        ReadResourceRequestMethod::VALUE => why::<ReadResourceRequestParams>(params),
        ListToolsRequestMethod::VALUE
        | ListResourcesRequestMethod::VALUE
        | ListResourceTemplatesRequestMethod::VALUE => why::<PaginatedRequestParams>(params),
        InitializeResultMethod::VALUE => why::<InitializeRequestParams>(params),
        GetTaskMethod::VALUE => why::<GetTaskParams>(params),
        UpdateTaskMethod::VALUE => why::<UpdateTaskParams>(params),
        CancelTaskMethod::VALUE => why::<CancelTaskParams>(params),
        DiscoverRequestMethod::VALUE | PingRequestMethod::VALUE => "they are an object".to_owned(),
        _ => return None,
    };
    Some(ErrorData::invalid_params(format!("the parameters of {method} do not fit: {why}"), None))
}

/// Refuses a page that there is not: every list is one page.
pub(super) fn refuse_cursor(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    let cursor = request.and_then(|request| request.cursor);
    let refused =
        |cursor| ErrorData::invalid_params(format!("no page has the cursor {cursor:?}: there is one page"), None);
    cursor.map_or(Ok(()), |cursor| Err(refused(cursor)))
}

/// Returns the refusal of a request whose parameters are no object; none for what is no request either.
pub(super) fn no_object(text: &str) -> Option<ErrorData> {
    #[derive(Deserialize)]
    struct Request<'a> {
        method: String,
        #[serde(borrow)]
        params: &'a RawValue,
    }

    let Request { method, params } = serde_json::from_str(text).ok().filter(|_| text.starts_with('{'))?;
    let why = format!("the parameters of {method} do not fit: they are an object");
    (!params.get().starts_with('{')).then(|| ErrorData::invalid_params(why, None))
}

fn why<T: DeserializeOwned>(params: Option<Value>) -> String {
    match params {
        Some(Value::Object(fields)) => match serde_json::from_value::<T>(fields.clone().into()) {
            Err(error) => {
                // The parser does not say which field it is.
                let is_culprit = |name: &&String| {
                    let mut others = fields.clone();
                    others.remove(*name);
                    serde_json::from_value::<T>(others.into())
                        .map_or_else(|e| e.to_string() != error.to_string(), |_| true)
                };
                let culprit = fields.keys().find(is_culprit).map(|name| format!("{name}: ")).unwrap_or_default();
                format!("{culprit}{error}")
            }
            Ok(_) => "they are of another form".to_owned(),
        },
        _ => "they are an object".to_owned(),
    }
}
