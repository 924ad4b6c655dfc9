//! Who may ask what: decided from the head of a request, before anything else looks at it.
//!
//! Any page that a browser shows can send requests to loopback, and any user of the machine can connect to it. So
//! - the host must be named as we are reached: a name of somebody else that leads to 127.0.0.1 is refused (421);
//! - the browser must not say that another site asks (403); no answer ever allows other origins to read it;
//! - the token must be shown (401), by a header, or by the cookie that opening the page with the token sets. The cookie
//!   alone changes something only in a request whose origin is this page;
//! - nothing is changed by a GET, and when nothing may be changed every POST is refused (403).
//!
//! Known weakness: cookies know no ports. A page of another program on 127.0.0.1 that is opened in the same browser gets
//! ours with the request; programs of other users are among those, on a machine that is shared.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, ORIGIN, REFERRER_POLICY,
    SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::token::Token;

const COOKIE_NAME: &str = "job_manager_token";
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The rules of one dashboard.
pub(super) struct Access {
    pub token: Token,
    pub port: u16,
    pub read_only: bool,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Host,
    Site,
    Token,
    ReadOnly,
}

/// What a request is let through as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// It has the token.
    Known,
    /// The page, opened with the token in its address.
    SignIn,
}

/// Lets a request through, or refuses it; every answer gets the headers that bind a browser.
pub(super) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let mut response = match access.judge(request.method(), request.uri(), request.headers()) {
        Ok(Entry::Known) => next.run(request).await,
        Ok(Entry::SignIn) => access.sign_in(),
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

impl Access {
    fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Entry, Refusal> {
        let mut hosts = headers.get_all(HOST).iter();
        match (hosts.next(), hosts.next()) {
            (Some(host), None) if self.is_own_host(host) => {}
            _ => return Err(Refusal::Host),
        }
        let origin = headers.get(ORIGIN);
        let site = headers.get(SEC_FETCH_SITE);
        if origin.is_some_and(|origin| !self.is_own_origin(origin))
            || site.is_some_and(|site| site != "same-origin" && site != "none")
        {
            return Err(Refusal::Site);
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if !self.has_bearer(headers) {
            if *method == Method::GET && uri.path() == "/" && self.is_in_query(uri) {
                return Ok(Entry::SignIn);
            }
            if !self.has_cookie(headers) {
                return Err(Refusal::Token);
            }
            // Every browser names the origin of a POST.
            if !reads && origin.is_none() {
                return Err(Refusal::Site);
            }
        }
        if self.read_only && !reads {
            return Err(Refusal::ReadOnly);
        }
        Ok(Entry::Known)
    }

    fn own_hosts(&self) -> [String; 3] {
        ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{}", self.port))
    }

    fn is_own_host(&self, host: &HeaderValue) -> bool {
        self.own_hosts().iter().any(|own| host.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
    }

    fn is_own_origin(&self, origin: &HeaderValue) -> bool {
        self.own_hosts().iter().any(|own| origin == &format!("http://{own}"))
    }

    fn has_bearer(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
        given.is_some_and(|(scheme, token)| scheme.eq_ignore_ascii_case("bearer") && self.token.is(token.trim()))
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| name == COOKIE_NAME && self.token.is(value))
    }

    fn is_in_query(&self, uri: &Uri) -> bool {
        let parts = uri.query().unwrap_or_default().split('&');
        parts.filter_map(|part| part.split_once('=')).any(|(name, value)| name == "token" && self.token.is(value))
    }

    /// Keeps the token in a cookie that no script can read, and takes it out of the address.
    fn sign_in(&self) -> Response {
        let mut response = Redirect::to("/").into_response();
        let cookie = format!("{COOKIE_NAME}={}; Path=/; HttpOnly; SameSite=Strict", self.token.as_str());
        let cookie = HeaderValue::from_str(&cookie).expect("a token has hexadecimal digits only");
        response.headers_mut().insert(SET_COOKIE, cookie);
        response
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "this is reached as 127.0.0.1, localhost or [::1], with its port: a tunnel has to keep the port",
            ),
            Self::Site => (StatusCode::FORBIDDEN, "a request that another site makes is not answered"),
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                "no token: open the address that `job-manager serve` has printed, or send `Authorization: Bearer TOKEN`",
            ),
            Self::ReadOnly => (StatusCode::FORBIDDEN, "this dashboard is read-only"),
        };
        let mut response = (status, Json(json!({ "schema": 1, "error": message }))).into_response();
        if self == Self::Token {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
