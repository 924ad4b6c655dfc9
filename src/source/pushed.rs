//! From a reader that calls back for each payload to a stream that is asked for the next one.
//!
//! A parser that descends into a document, or a cursor that borrows its connection, cannot stop in the middle and be
//! asked again; it runs in a thread of its own, which starts with the first question and is never more than two batches
//! ahead.

use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::vec;

use super::item::until_error;
use super::{Item, Items, Place, SourceError};

/// Payloads go from one thread to the other in batches of about this size, because each passage costs a wake-up.
const BATCH_BYTES: usize = 64 * 1024;

enum Message {
    Batch(Vec<String>),
    /// The reader returned; without this message it did not.
    End(Result<(), SourceError>),
}

/// Where a reader puts what it finds.
pub(super) struct Sink {
    batch: Vec<String>,
    bytes: usize,
    count: u64,
    stream: SyncSender<Message>,
}

impl Sink {
    /// Takes a payload; false when nobody wants more.
    pub fn push(&mut self, payload: String) -> bool {
        self.count += 1;
        // Short payloads count for what their bookkeeping takes.
        self.bytes += payload.len() + size_of::<String>();
        self.batch.push(payload);
        self.bytes < BATCH_BYTES || self.flush()
    }

    /// Returns how many payloads there were so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn flush(&mut self) -> bool {
        self.bytes = 0;
        self.stream.send(Message::Batch(mem::take(&mut self.batch))).is_ok()
    }
}

/// Returns what `read` pushes; `place` tells where the payload of a number, counted from 1, was found.
pub(super) fn pushed(
    name: &str,
    place: impl Fn(u64) -> Place + Send + 'static,
    read: impl FnOnce(&mut Sink) -> Result<(), SourceError> + Send + 'static,
) -> Items {
    let mut stream = Stream { name: name.to_owned(), read: Some(read), messages: None, batch: Vec::new().into_iter() };
    let mut number = 0;
    until_error(std::iter::from_fn(move || {
        let payload = stream.next_payload().transpose()?;
        number += 1;
        Some(payload.map(|payload| Item { payload, place: place(number) }))
    }))
}

struct Stream<F> {
    name: String,
    read: Option<F>,
    messages: Option<Receiver<Message>>,
    batch: vec::IntoIter<String>,
}

impl<F: FnOnce(&mut Sink) -> Result<(), SourceError> + Send + 'static> Stream<F> {
    fn next_payload(&mut self) -> Result<Option<String>, SourceError> {
        if let Some(read) = self.read.take() {
            self.messages = Some(start(read).map_err(|source| self.unreadable(source))?);
        }
        loop {
            if let Some(payload) = self.batch.next() {
                return Ok(Some(payload));
            }
            let Some(messages) = &self.messages else { return Ok(None) };
            match messages.recv() {
                Ok(Message::Batch(batch)) => self.batch = batch.into_iter(),
                Ok(Message::End(end)) => {
                    self.messages = None;
                    return end.map(|()| None);
                }
                Err(_) => return Err(self.unreadable(io::Error::other("the thread that read it ended early"))),
            }
        }
    }

    fn unreadable(&self, source: io::Error) -> SourceError {
        SourceError::Unreadable { name: self.name.clone(), source }
    }
}

fn start(read: impl FnOnce(&mut Sink) -> Result<(), SourceError> + Send + 'static) -> io::Result<Receiver<Message>> {
    let (stream, messages) = sync_channel(1);
    thread::Builder::new().name("source".to_owned()).spawn(move || {
        let mut sink = Sink { batch: Vec::new(), bytes: 0, count: 0, stream };
        let end = read(&mut sink);
        // Nobody is left to be told when the stream was dropped.
        let _ = sink.flush() && sink.stream.send(Message::End(end)).is_ok();
    })?;
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(read: impl FnOnce(&mut Sink) -> Result<(), SourceError> + Send + 'static) -> Items {
        pushed("f", Place::Number, read)
    }

    #[test]
    fn everything_pushed_arrives_in_order_before_the_end() {
        let found = items(|sink| {
            (0..100_000).all(|number| sink.push(number.to_string()));
            Err(SourceError::OneArray { place: Place::Number(sink.count()) })
        });

        let (good, bad): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);

        let good: Vec<String> = good.into_iter().map(|item| item.unwrap().payload).collect();
        assert_eq!(good, (0..100_000).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(bad[0].as_ref().unwrap_err().to_string(), "number 100000: one array and not one document per line");
    }

    #[test]
    fn a_stream_that_is_dropped_ends_its_reader() {
        let (ended, end) = sync_channel(1);
        let mut found = items(move |sink| {
            while sink.push("1".to_owned()) {}
            ended.send(()).unwrap();
            Ok(())
        });

        found.next();
        drop(found);

        end.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn a_reader_that_panics_is_no_end() {
        let mut found = items(|sink| {
            sink.push("1".to_owned());
            panic!("on purpose")
        });

        assert!(found.next().unwrap().is_err());
        assert!(found.next().is_none());
    }
}
