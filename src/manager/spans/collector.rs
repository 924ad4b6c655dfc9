//! A collector that takes spans as OTLP in JSON, over plain HTTP.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};

use crate::model::host_and_port;

/// The address for traces as it is, and the one that `/v1/traces` is added to.
const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ANY: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Each has one for traces alone, which comes first.
const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const PROTOCOL: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const SERVICE: &str = "OTEL_SERVICE_NAME";

const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(5);
/// Bytes of the first line of an answer.
const MOST_LINE: u64 = 4096;

/// Where spans go.
#[derive(Debug, Clone, PartialEq)]
pub struct Collector {
    /// Host and port.
    authority: String,
    path: String,
    /// Lines of the request, each with its end.
    headers: String,
    service: String,
    /// The share of attempts that are sampled.
    pub ratio: f64,
}

/// Why there is none although the environment names one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCollector {
    /// Another scheme, or no host.
    #[error(
        "{variable} is {given:?}: only http://HOST[:PORT][/PATH] is understood; for https or gRPC run a local collector that forwards"
    )]
    Address { variable: &'static str, given: String },
    /// gRPC, or something else that we do not speak.
    #[error("{variable} is {given:?}: spans are sent over HTTP only, as JSON")]
    Protocol { variable: &'static str, given: String },
    /// A share that is none.
    #[error("{RATIO} is {0:?}: expected a number from 0 to 1")]
    Ratio(String),
    /// A header that would be another one, or none.
    #[error("{0} is not of the form NAME=VALUE,NAME=VALUE")]
    Headers(&'static str),
}

impl Collector {
    /// Reads the standard variables; none when no collector is named, or everything of this kind is turned off.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Collector>, NoCollector> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        if set(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let (name, given, path) = match (set(TRACES), set(ANY)) {
            (Some(given), _) => (TRACES, given, ""),
            (None, Some(given)) => (ANY, given, "/v1/traces"),
            (None, None) => return Ok(None),
        };
        let first_of = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, set(name)?)));
        if let Some((variable, given)) = first_of(PROTOCOL).filter(|(_, protocol)| !protocol.starts_with("http/")) {
            return Err(NoCollector::Protocol { variable, given });
        }
        let refused = || NoCollector::Address { variable: name, given: given.clone() };
        let rest = given.strip_prefix("http://").ok_or_else(refused)?;
        let (authority, own_path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('@');
        let (_, port) = host_and_port(authority).filter(|_| is_plain(rest)).ok_or_else(refused)?;
        let authority = port.map_or_else(|| format!("{authority}:80"), |_| authority.to_owned());
        let path = format!("{}{path}", if path.is_empty() { own_path } else { own_path.trim_end_matches('/') });
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let ratio = match set(RATIO) {
            None => 1.0,
            Some(text) => {
                let ratio = text.parse().ok().filter(|ratio: &f64| (0.0..=1.0).contains(ratio));
                ratio.ok_or(NoCollector::Ratio(text))?
            }
        };
        let headers = match first_of(HEADERS) {
            None => String::new(),
            Some((name, given)) => headers_of(&given).ok_or(NoCollector::Headers(name))?,
        };
        let service = set(SERVICE).unwrap_or_else(|| "job-manager".to_owned());
        Ok(Some(Collector { authority, path, headers, service, ratio }))
    }

    /// Sends some spans.
    ///
    /// # Errors
    /// When the collector cannot be reached, does not answer in time, or answers that it has not taken them.
    pub fn post(&self, spans: Vec<Value>) -> io::Result<()> {
        let service = json!({ "key": "service.name", "value": { "stringValue": self.service } });
        let scope = json!({ "name": "job-manager", "version": env!("CARGO_PKG_VERSION") });
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": [service] }, "scopeSpans": [{ "scope": scope, "spans": spans }],
        }] })
        .to_string();
        let mut stream = connect(self.authority.to_socket_addrs()?)?;
        stream.set_write_timeout(Some(ANSWER))?;
        stream.set_read_timeout(Some(ANSWER))?;
        let Self { authority, path, headers, .. } = self;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n{headers}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )?;
        let mut line = String::new();
        BufReader::new(stream.take(MOST_LINE)).read_line(&mut line)?;
        match line.split(' ').nth(1).and_then(|code| code.parse::<u16>().ok()) {
            Some(200..=299) => Ok(()),
            _ => Err(io::Error::other(format!("it answered {:?}", line.trim_end()))),
        }
    }
}

/// Connects to the first of some addresses that answers: a name such as `localhost` may have several.
fn connect(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut failed = io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Returns the lines of a request for headers of the form `NAME=VALUE,NAME=VALUE`, whose values are percent-encoded; none for another form.
fn headers_of(text: &str) -> Option<String> {
    let mut lines = String::new();
    for header in text.split(',').map(str::trim).filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once('=')?;
        let value = percent_decoded(value.trim())?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_value = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if name.trim().is_empty() || !name.trim().bytes().all(is_name) || !value.bytes().all(is_value) {
            return None;
        }
        lines.push_str(&format!("{}: {value}\r\n", name.trim()));
    }
    Some(lines)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Collector>, NoCollector> {
        let set = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        Collector::of_environment(set)
    }

    #[test]
    fn the_standard_variables_name_a_collector() {
        let shown = |variables: &[(&str, &str)]| of(variables).unwrap().map(|collector| collector.to_string());

        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[(ANY, "")]), None);
        assert_eq!(shown(&[(ANY, "http://here:4318")]).unwrap(), "http://here:4318/v1/traces");
        assert_eq!(shown(&[(ANY, "http://here/otlp/")]).unwrap(), "http://here:80/otlp/v1/traces");
        assert_eq!(shown(&[(TRACES, "http://[::1]:1/x"), (ANY, "http://here")]).unwrap(), "http://[::1]:1/x");
        assert_eq!(shown(&[(TRACES, "http://[::1]")]).unwrap(), "http://[::1]:80/");
        assert_eq!(shown(&[(ANY, "http://here"), (DISABLED, "TRUE")]), None);
        let given = of(&[(ANY, "http://here"), (HEADERS[1], "a=b, x-key=k%20v%3D"), (RATIO, "0.25"), (SERVICE, "s")]);
        let given = given.unwrap().unwrap();
        assert_eq!((given.headers.as_str(), given.ratio), ("a: b\r\nx-key: k v=\r\n", 0.25));
        assert_eq!(given.service, "s");
    }

    #[test]
    fn an_address_that_does_not_answer_is_no_reason_to_give_up_the_next_one() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (there, closed) = (listener.local_addr().unwrap(), "127.0.0.1:1".parse().unwrap());

        assert_eq!(connect([closed, there].into_iter()).unwrap().peer_addr().unwrap(), there);
        assert_eq!(connect([closed].into_iter()).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(connect([].into_iter()).unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let refused = |variable, value| of(&[(ANY, "http://here"), (variable, value)]).unwrap_err().to_string();

        for address in [
            "https://here",
            "here:4318",
            "http://",
            "http:///x",
            "http://a@here",
            "http://a b",
            "http://here:",
            "http://here:99999",
        ] {
            assert!(of(&[(ANY, address)]).unwrap_err().to_string().starts_with(ANY), "{address}");
            assert!(refused(TRACES, address).starts_with(TRACES), "{address}");
        }
        for variable in PROTOCOL {
            assert!(refused(variable, "grpc").starts_with(variable));
        }
        for ratio in ["2", "-1", "x", "NaN"] {
            assert!(refused(RATIO, ratio).contains("from 0 to 1"), "{ratio}");
        }
        for headers in ["a", "=b", "a=%0d%0aX: y", "a=%0", "a b=c", "a=%"] {
            assert_eq!(
                of(&[(ANY, "http://here"), (HEADERS[0], headers), (HEADERS[1], "a=b")]),
                Err(NoCollector::Headers(HEADERS[0])),
                "{headers}"
            );
        }
    }
}
