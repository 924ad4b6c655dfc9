//! Who may ask what: decided from the head of a request, before anything else looks at it.
//!
//! Any page that a browser shows can send requests to loopback, and any user of the machine can connect to it. So
//! - the host must be named as we are reached: a name of somebody else that leads to 127.0.0.1 is refused (421);
//! - the browser must not say that another site asks (403); no answer ever allows other origins to read it.
//!   A link alone may lead to the page from anywhere: that changes nothing, and shows nothing to whoever made the link;
//! - the token must be shown (401), by a header, or in its stead the cookie that the page gets for the token of its address. The
//!   cookie alone changes something only in a request whose origin is this page. The files of the page are shown to everybody:
//!   they hold nothing of anybody, and are what says how to sign in;
//! - nothing is changed by a GET, and when nothing may be changed every POST is refused (403).
//!
//! The address and the cookie hold values of this process, which are worth nothing after it: whoever takes the port next is sent nothing of
//! worth by pages that are still open. That of the address stands behind its `#`, which no browser sends to anybody, and the page takes it out
//! of there before it does anything else.
//!
//! Known weakness: cookies know no ports. A page of another program on 127.0.0.1 that is opened in the same browser gets
//! ours with the request, and can use it until this dashboard ends; programs of other users are among those, on a machine
//! that is shared. And a program that is configured with the token shows it to whoever listens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, COOKIE, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::assets;
use super::token::Token;

/// Where a browser gets a cookie for the token of the address.
pub(super) const SESSION: &str = "/api/v1/session";

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The rules of one dashboard.
pub(super) struct Access {
    pub token: Token,
    /// What the printed address holds.
    pub entry: Token,
    /// What the cookie holds.
    pub session: Token,
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
    /// A browser that shows the token of the address, for which it gets a cookie.
    SignIn,
    /// A file of the page, asked for by anybody.
    Stranger,
}

/// Lets a request through, or refuses it; every answer gets the headers that bind a browser.
pub(super) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let judged = access.judge(request.method(), request.uri().path(), request.headers());
    let mut response = match judged {
        Ok(_) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    match judged {
        Ok(Entry::Known) => {}
        Ok(Entry::SignIn) => access.sign_in(&mut response),
        // Whoever is not known leaves: somebody who never reads the answers to his requests would keep a connection for ever.
        Ok(Entry::Stranger) | Err(_) => {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
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
    fn judge(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Entry, Refusal> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) if self.is_own_host(host) => host,
            _ => return Err(Refusal::Host),
        };
        let origin = headers.get(ORIGIN);
        let opens_page = *method == Method::GET && path == "/";
        if origin.is_some_and(|origin| !is_origin_of(host, origin))
            || is_from_another_site(headers) && !(opens_page && is_link(headers))
        {
            return Err(Refusal::Site);
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if path == SESSION && *method == Method::POST {
            let may_enter = has_bearer(&self.entry, headers) || has_bearer(&self.token, headers);
            return if may_enter { Ok(Entry::SignIn) } else { Err(Refusal::Token) };
        }
        if !has_bearer(&self.token, headers) {
            if !self.has_cookie(headers) {
                return if reads && assets::is_one(path) { Ok(Entry::Stranger) } else { Err(Refusal::Token) };
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

    fn is_own_host(&self, host: &HeaderValue) -> bool {
        let own = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{}", self.port));
        own.iter().any(|own| host.as_bytes().eq_ignore_ascii_case(own.as_bytes()))
    }

    /// Names the cookie by the port: a browser has one jar for all dashboards of the machine.
    fn cookie_name(&self) -> String {
        format!("job_manager_session_{}", self.port)
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let own = self.cookie_name();
        headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| name == own && self.session.is(value))
    }

    /// Gives the browser a cookie that no script can read.
    fn sign_in(&self, response: &mut Response) {
        let (name, session) = (self.cookie_name(), self.session.as_str());
        let cookie = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict");
        let cookie = HeaderValue::from_str(&cookie).expect("a session has hexadecimal digits only");
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
}

fn has_bearer(token: &Token, headers: &HeaderMap) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    given.is_some_and(|(scheme, given)| scheme.eq_ignore_ascii_case("bearer") && token.is(given.trim()))
}

/// Returns `true` if a page that was reached under that name asks: another name with our port may be somebody else.
fn is_origin_of(host: &HeaderValue, origin: &HeaderValue) -> bool {
    let name = origin.as_bytes().strip_prefix(b"http://");
    name.is_some_and(|name| name.eq_ignore_ascii_case(host.as_bytes()))
}

fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get(SEC_FETCH_SITE).is_some_and(|site| site != "same-origin" && site != "none")
}

/// Returns `true` if the browser goes to another page, rather than showing it inside of one, or reading it for one.
fn is_link(headers: &HeaderMap) -> bool {
    let is = |name, value: &str| headers.get(name).is_some_and(|found| found == value);
    is(SEC_FETCH_MODE, "navigate") && is(SEC_FETCH_DEST, "document")
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
                "no token: open the address that `job-manager serve` printed, or send `Authorization: Bearer TOKEN`",
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
