//! Messages that are too long: the transport drops them in silence, and here they are answered, so that no host waits for
//! an answer that never comes.
//!
//! The answer has no id, because nobody has read one. It is sent as soon as the limit is passed, before the message ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rmcp::RoleServer;
use rmcp::model::ErrorData;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::{AsyncRwTransport, DEFAULT_MAX_LINE_LENGTH};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Messages over two streams.
pub(super) struct Messages<R: AsyncRead + Unpin, W: AsyncWrite> {
    transport: AsyncRwTransport<RoleServer, Measured<R>, W>,
    too_long: UnboundedReceiver<()>,
}

impl<R, W> Messages<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub fn new(reader: R, writer: W) -> Self {
        let (sender, too_long) = unbounded_channel();
        let reader = Measured { stream: reader, line_bytes: 0, too_long: sender };
        Self { transport: AsyncRwTransport::new_server(reader, writer), too_long }
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
        self.transport.send(message)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            tokio::select! {
                received = self.transport.receive() => return received,
                // The reader, which lives as long as this, has the other end.
                Some(()) = self.too_long.recv() => {}
            }
            let refusal = format!(
                "a message may have {DEFAULT_MAX_LINE_LENGTH} bytes, a longer one was dropped: give many items as a file"
            );
            let refusal = TxJsonRpcMessage::<RoleServer>::error(ErrorData::invalid_request(refusal, None), None);
            // In a task of its own, because this future may be dropped in the middle. A host that has gone is noticed
            // by the streams themselves.
            drop(tokio::spawn(self.transport.send(refusal)));
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.transport.close().await
    }
}

/// A stream of lines that tells of each that is longer than the transport takes.
struct Measured<R> {
    stream: R,
    line_bytes: usize,
    too_long: UnboundedSender<()>,
}

impl<R> Measured<R> {
    fn measure(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let was_short = self.line_bytes <= DEFAULT_MAX_LINE_LENGTH;
            self.line_bytes += part.len();
            if was_short && self.line_bytes > DEFAULT_MAX_LINE_LENGTH {
                // Nobody is left to answer when the conversation is over.
                let _ = self.too_long.send(());
            }
            if part.ends_with(b"\n") {
                self.line_bytes = 0;
            }
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Measured<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.measure(&buffer.filled()[before..]);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_beyond_the_limit_is_told_of_once_however_it_is_read() {
        let (sender, mut too_long) = unbounded_channel();
        let mut reader = Measured { stream: tokio::io::empty(), line_bytes: 0, too_long: sender };

        reader.measure(&vec![b'x'; DEFAULT_MAX_LINE_LENGTH - 1]);
        reader.measure(b"\n{}\n");
        assert!(too_long.try_recv().is_err());

        for _ in 0..2 {
            reader.measure(&vec![b'x'; DEFAULT_MAX_LINE_LENGTH]);
            reader.measure(b"xx");
            reader.measure(b"x\n{}");
            reader.measure(b"\n");
            assert!(too_long.try_recv().is_ok() && too_long.try_recv().is_err());
        }
    }
}
