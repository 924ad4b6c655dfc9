//! The bounds of a document that is read as a stream.

use std::cell::Cell;
use std::io::{self, Read};

use crate::source::depth::Depth;
use crate::source::{MAX_ITEM_BYTES, MAX_JSON_DEPTH};

/// What the document may not exceed, and what it did.
pub(super) struct Bounds {
    depth: usize,
    /// Bytes that may come before the bound is set again; none where nothing is kept.
    left: Cell<Option<usize>>,
    pub exceeded: Cell<Option<Bound>>,
}

/// What a document can exceed.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    Depth,
    Size,
}

impl Bounds {
    /// Sets them for elements of an array that lies `depth` levels deep.
    pub fn for_elements_at(depth: usize) -> Self {
        Self { depth: depth + MAX_JSON_DEPTH, left: Cell::new(None), exceeded: Cell::new(None) }
    }

    /// What follows is kept, and must not be larger than an item.
    pub fn limit_size(&self) {
        self.left.set(Some(MAX_ITEM_BYTES));
    }

    /// What follows is passed over, however large it is.
    pub fn lift_size(&self) {
        self.left.set(None);
    }
}

/// A reader that stops where a bound is exceeded, which no parser that reads from it could.
pub(super) struct Watched<'a, R> {
    inner: R,
    depth: Depth,
    bounds: &'a Bounds,
}

impl<'a, R> Watched<'a, R> {
    /// Watches what is read from `inner`.
    pub fn new(inner: R, bounds: &'a Bounds) -> Self {
        Self { inner, depth: Depth::default(), bounds }
    }
}

impl<R> Watched<'_, R> {
    fn refuse(&self, bound: Bound) -> io::Error {
        self.bounds.exceeded.set(Some(bound));
        io::ErrorKind::InvalidData.into()
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.bounds.left.get();
        if left == Some(0) {
            return Err(self.refuse(Bound::Size));
        }
        let most = buffer.len().min(left.unwrap_or(usize::MAX));
        let read = self.inner.read(&mut buffer[..most])?;
        self.bounds.left.set(left.map(|left| left - read));
        for &byte in &buffer[..read] {
            if self.depth.follow(byte) > self.bounds.depth {
                return Err(self.refuse(Bound::Depth));
            }
        }
        Ok(read)
    }
}
