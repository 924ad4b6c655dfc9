//! Messages, one line each, between the host and the library of the protocol.
//!
//! Every line that is no message is answered, so that no host waits for an answer that never comes: with the number of
//! the request where it can be read, also when a line is too long to be held. Values keep their text; see `exact`.

use std::io;
use std::sync::Arc;

use job_manager::text::check_document;
use rmcp::RoleServer;
use rmcp::model::{ClientRequest, ErrorData, GetMeta, JsonRpcMessage, PingRequestMethod, ProtocolVersion, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Mutex;

use super::exact;
use super::number::NumberSearch;
use super::requests::no_object;

/// Most bytes of a line.
const MAX_LINE_BYTES: usize = 16 << 20;

/// Messages over two streams.
pub(super) struct Messages<R, W> {
    reader: BufReader<R>,
    line: Vec<u8>,
    /// The line so far, when it is too long: its number is looked for, and it is not kept.
    long: Option<NumberSearch>,
    writer: Arc<Mutex<W>>,
    /// Whether the conversation has begun: before, the library of the protocol ends at what is no request.
    has_begun: bool,
}

/// A line that has come.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole,
    TooLong(Option<RequestId>),
}

impl<R: AsyncRead + Unpin, W> Messages<R, W> {
    pub fn new(reader: R, writer: W) -> Self {
        let writer = Arc::new(Mutex::new(writer));
        Self { reader: BufReader::new(reader), line: Vec::new(), long: None, writer, has_begun: false }
    }

    /// Waits for the next line; `None` when there are no more. What has come stays when the wait is given up.
    async fn next_line(&mut self) -> Option<Line> {
        loop {
            // An error is the end as well; who watches the stream has seen it.
            let available = self.reader.fill_buf().await.ok().filter(|bytes| !bytes.is_empty())?;
            let end = available.iter().position(|byte| *byte == b'\n').map(|end| end + 1);
            let taken = end.unwrap_or(available.len());
            if self.long.is_none() && self.line.len() + taken <= MAX_LINE_BYTES {
                self.line.extend_from_slice(&available[..taken]);
            } else {
                let begun = std::mem::take(&mut self.line);
                let search = self.long.get_or_insert_default();
                search.read(&begun);
                search.read(&available[..taken]);
            }
            self.reader.consume(taken);
            if end.is_some() {
                return Some(match self.long.take() {
                    Some(search) => Line::TooLong(search.number()),
                    None => Line::Whole,
                });
            }
        }
    }
}

impl<R, W> Transport<RoleServer> for Messages<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        let writer = Arc::clone(&self.writer);
        let write = async move {
            let text = exact::text_of(message)?;
            let mut writer = writer.lock().await;
            writer.write_all(format!("{text}\n").as_bytes()).await?;
            writer.flush().await
        };
        // In a task of its own, because this future may be dropped in the middle of a line.
        async move { tokio::spawn(write).await.map_err(io::Error::other)? }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let refusal = match self.next_line().await? {
                Line::TooLong(number) => too_long(number),
                Line::Whole => {
                    let read = read_message(&self.line);
                    self.line.clear();
                    match read {
                        Ok(Some(message)) => {
                            if let Some(refusal) = no_ping(&message) {
                                drop(tokio::spawn(self.send(refusal)));
                                continue;
                            }
                            self.has_begun |= begins(&message);
                            // A notification is not answered, and there is nothing yet that it could be about.
                            if self.has_begun || matches!(message, JsonRpcMessage::Request(_)) {
                                return Some(message);
                            }
                            continue;
                        }
                        Ok(None) => continue,
                        Err(refusal) => *refusal,
                    }
                }
            };
            // Not waited for: a host that has gone is noticed by the streams themselves.
            drop(tokio::spawn(self.send(refusal)));
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.writer.lock().await.shutdown().await
    }
}

/// Returns `true` if a message opens the conversation: as hosts did until 2025-11-25, or with the first request that says what it needs to.
fn begins(message: &RxJsonRpcMessage<RoleServer>) -> bool {
    let JsonRpcMessage::Request(message) = message else { return false };
    match &message.request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            let is_known = |version| ProtocolVersion::KNOWN_VERSIONS.contains(&version);
            meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
                && meta.protocol_version().is_some_and(is_known)
        }
    }
}

/// Refuses a ping in the revisions that have none, which the library of the protocol answers before the conversation has begun.
fn no_ping(message: &RxJsonRpcMessage<RoleServer>) -> Option<TxJsonRpcMessage<RoleServer>> {
    let JsonRpcMessage::Request(message) = message else { return None };
    if !matches!(message.request, ClientRequest::PingRequest(_)) {
        return None;
    }
    let version = message.request.get_meta().protocol_version()?;
    (version >= ProtocolVersion::V_2026_07_28).then(|| {
        let refusal = ErrorData::method_not_found::<PingRequestMethod>();
        TxJsonRpcMessage::<RoleServer>::error(refusal, Some(message.id.clone()))
    })
}

fn too_long(number: Option<RequestId>) -> TxJsonRpcMessage<RoleServer> {
    let refusal =
        format!("a message may have {MAX_LINE_BYTES} bytes, a longer one was dropped: give many items as a file");
    TxJsonRpcMessage::<RoleServer>::error(ErrorData::invalid_request(refusal, None), number)
}

/// Reads a line; `None` when it is empty.
///
/// # Errors
/// With what the host is answered, when the line is no message.
fn read_message(line: &[u8]) -> Result<Option<RxJsonRpcMessage<RoleServer>>, Box<TxJsonRpcMessage<RoleServer>>> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    if line.is_empty() {
        return Ok(None);
    }
    let refused = |error| Box::new(TxJsonRpcMessage::<RoleServer>::error(error, NumberSearch::of(line)));
    let broken = |why: &dyn std::fmt::Display| ErrorData::parse_error(format!("the message is no JSON: {why}"), None);
    let text = str::from_utf8(line).map_err(|error| refused(broken(&error)))?;
    if let Err(error) = check_document(text)
        && error.is_syntax()
    {
        return Err(refused(broken(&error)));
    }
    let message = exact::seal(text).and_then(|text| serde_json::from_str(&text));
    let invalid = |error| ErrorData::invalid_request(format!("this is no message of the protocol: {error}"), None);
    message.map(Some).map_err(|error| refused(no_object(text).unwrap_or_else(|| invalid(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_beyond_the_limit_is_told_of_once_and_the_lines_around_it_are_read() {
        let mut text = vec![b'x'; MAX_LINE_BYTES - 1];
        text.extend(b"\n{}\n");
        for _ in 0..2 {
            text.extend(b"{\"id\":7,\"a\":\"");
            text.extend(vec![b'x'; MAX_LINE_BYTES]);
            text.extend(b"\"}\n");
        }
        text.extend(b"{}\n");
        let mut messages = Messages::new(text.as_slice(), ());
        let mut told = Vec::new();

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            while let Some(line) = messages.next_line().await {
                told.push((line, std::mem::take(&mut messages.line).len()));
            }
        });

        assert_eq!(told[0], (Line::Whole, MAX_LINE_BYTES));
        let short = (Line::Whole, 3);
        let long = || (Line::TooLong(Some(RequestId::Number(7))), 0);
        assert_eq!(told[1..], [short, long(), long(), (Line::Whole, 3)]);
    }

    #[test]
    fn a_line_that_is_no_message_is_answered_with_its_number_where_it_can_be_read() {
        let lone = r#""method":"tools/call","params":{"name":"list_jobs","arguments":{"label":"\ud800"}}"#;
        for (line, answer) in [
            (format!(r#"{{"jsonrpc":"2.0","id":7,{lone}}}"#), (-32700, Some(RequestId::Number(7)))),
            (r#"{"jsonrpc":"2.0","id":"\ud800"}"#.to_owned(), (-32700, None)),
            (r#"{"jsonrpc":"2.0","id":7,"#.to_owned(), (-32700, Some(RequestId::Number(7)))),
            ("not json".to_owned(), (-32700, None)),
            (
                r#"{"jsonrpc":"2.0","id":7,"method":"ping","method":"x"}"#.to_owned(),
                (-32600, Some(RequestId::Number(7))),
            ),
            (r#"["a"]"#.to_owned(), (-32600, None)),
        ] {
            let refusal = *read_message(line.as_bytes()).unwrap_err();
            let TxJsonRpcMessage::<RoleServer>::Error(refusal) = refusal else { panic!("{line}: {refusal:?}") };
            assert_eq!((refusal.error.code.0, refusal.id), answer, "{line}");
        }
        assert!(read_message(b"\"\xff\"\n").is_err());
        assert!(read_message(b" \r\n").unwrap().is_none());
        assert!(read_message(b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n").unwrap().is_some());
    }
}
