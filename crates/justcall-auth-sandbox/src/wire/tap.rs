//! Keeps the heads of the requests on a connection exactly as they arrived, beside the HTTP parser.
//!
//! An HTTP parser drops what a test may need: the spelling and order of headers, and trailing spaces. The
//! decrypted bytes therefore also pass here, where enough of HTTP/1.1 framing is parsed to separate heads from
//! bodies. Bytes that a parser would not send, such as an informational answer in a body, are sent here too.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::Head;
use super::stream::Stream;

/// The longest parsed head, which is longer than what hyper accepts.
const MAX_HEAD: usize = 1024 * 1024;

/// The heads that were read on a connection, and the bytes to send beside the parser's.
#[derive(Clone, Default)]
pub(crate) struct TapHandle(Arc<Mutex<Tapped>>);

#[derive(Default)]
struct Tapped {
    splitter: Splitter,
    heads: VecDeque<Head>,
    interjections: VecDeque<Interjection>,
}

/// What is sent in the middle of a request, beside the parser.
pub(crate) enum Interjection {
    Bytes(Vec<u8>),
    /// New TLS keys.
    KeyUpdate,
}

impl TapHandle {
    /// Returns the head of the oldest request not yet taken, or `None` if the framing could not be parsed.
    pub(crate) fn take_head(&self) -> Option<Head> {
        self.tapped().heads.pop_front()
    }

    /// Returns what has arrived of an incomplete head, if anything.
    pub(crate) fn unfinished_head(&self) -> Option<Head> {
        let tapped = self.tapped();
        let pending = &tapped.splitter.pending;
        (matches!(tapped.splitter.at, At::Head) && !pending.is_empty()).then(|| Head::parse(pending.clone()))
    }

    /// Sends bytes before the next bytes are read or written.
    pub(crate) fn interject(&self, interjection: Interjection) {
        self.tapped().interjections.push_back(interjection);
    }

    fn next_interjection(&self) -> Option<Interjection> {
        self.tapped().interjections.pop_front()
    }

    fn feed(&self, bytes: &[u8]) {
        let tapped = &mut *self.tapped();
        let heads = &mut tapped.heads;
        tapped.splitter.feed(bytes, &mut |head| heads.push_back(Head::parse(head)));
    }

    fn tapped(&self) -> MutexGuard<'_, Tapped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream whose incoming bytes are also split into the heads of requests.
pub(crate) struct Tap {
    stream: Stream,
    handle: TapHandle,
    /// The unsent rest of an interjection.
    interjected: Vec<u8>,
}

impl Tap {
    /// Wraps a stream. The returned handle gets the heads that it reads.
    pub(crate) fn new(stream: Stream) -> (Self, TapHandle) {
        let handle = TapHandle::default();
        (Self { stream, handle: handle.clone(), interjected: Vec::new() }, handle)
    }

    /// Returns the stream, for a connection that ends HTTP.
    pub(crate) fn into_inner(self) -> Stream {
        self.stream
    }

    fn poll_interject(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while !self.interjected.is_empty() {
                let tap = &mut *self;
                let written = ready!(Pin::new(&mut tap.stream).poll_write(cx, &tap.interjected))?;
                tap.interjected.drain(..written);
            }
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            match self.handle.next_interjection() {
                None => return Poll::Ready(Ok(())),
                Some(Interjection::Bytes(bytes)) => self.interjected = bytes,
                Some(Interjection::KeyUpdate) => self.stream.update_keys(),
            }
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_interject(cx))?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.handle.feed(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_interject(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_interject(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The part of a request that the next byte belongs to.
#[derive(Default)]
enum At {
    #[default]
    Head,
    /// A body, or the rest of a chunk with its line end, with so many bytes left.
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    /// Trailers, which end with an empty line.
    Trailers,
    /// No HTTP. The HTTP parser refuses it.
    Lost,
}

/// Parses the framing of HTTP/1.1 requests.
#[derive(Default)]
struct Splitter {
    at: At,
    /// The part of the head, or of the line in a chunked body, that was read.
    pending: Vec<u8>,
}

impl Splitter {
    fn feed(&mut self, mut bytes: &[u8], found: &mut dyn FnMut(Vec<u8>)) {
        while !bytes.is_empty() {
            match self.at {
                At::Lost => return,
                At::Body(left) => bytes = self.skip(bytes, left, At::Body, At::Head),
                At::ChunkData(left) => bytes = self.skip(bytes, left, At::ChunkData, At::ChunkSize),
                At::Head => {
                    self.head_byte(bytes[0], found);
                    bytes = &bytes[1..];
                }
                At::ChunkSize | At::Trailers => {
                    self.pending.push(bytes[0]);
                    if bytes[0] == b'\n' {
                        self.line();
                    } else if self.pending.len() > MAX_HEAD {
                        self.at = At::Lost;
                    }
                    bytes = &bytes[1..];
                }
            }
        }
    }

    fn skip<'a>(&mut self, bytes: &'a [u8], left: u64, more: fn(u64) -> At, done: At) -> &'a [u8] {
        let step = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - step as u64;
        self.at = if left == 0 { done } else { more(left) };
        &bytes[step..]
    }

    fn head_byte(&mut self, byte: u8, found: &mut dyn FnMut(Vec<u8>)) {
        // Empty lines before a request line are allowed and have no meaning.
        if self.pending.is_empty() && matches!(byte, b'\r' | b'\n') {
            return;
        }
        self.pending.push(byte);
        if byte == b'\n' && (self.pending.ends_with(b"\r\n\r\n") || self.pending.ends_with(b"\n\n")) {
            let head = std::mem::take(&mut self.pending);
            self.at = framing(&head);
            found(head);
        } else if self.pending.len() > MAX_HEAD {
            self.at = At::Lost;
        }
    }

    /// Handles a complete line of a chunked body's framing.
    fn line(&mut self) {
        let line = std::mem::take(&mut self.pending);
        let line = line.trim_ascii();
        if matches!(self.at, At::Trailers) {
            if line.is_empty() {
                self.at = At::Head;
            }
            return;
        }
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let size = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
        self.at = match size {
            Some(0) => At::Trailers,
            Some(size) => At::ChunkData(size.saturating_add(2)),
            None => At::Lost,
        };
    }
}

/// Returns what follows a head according to its headers: a body of a known length, a chunked one, or none.
fn framing(head: &[u8]) -> At {
    let mut length = 0;
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return At::ChunkSize;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            match std::str::from_utf8(value).ok().and_then(|value| value.parse().ok()) {
                Some(parsed) => length = parsed,
                None => return At::Lost,
            }
        }
    }
    if length == 0 { At::Head } else { At::Body(length) }
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    fn heads(stream: &[u8], step: usize) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut heads = Vec::new();
        for piece in stream.chunks(step) {
            splitter.feed(piece, &mut |head| heads.push(String::from_utf8(head).unwrap()));
        }
        heads
    }

    #[test]
    fn it_finds_every_head_however_the_stream_is_cut() {
        let first = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
        let second = "POST /b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n";
        let third = "GET /c HTTP/1.1\r\nX:  spaced \r\n\r\n";
        let stream = format!(
            "{first}GET /{second}3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n\r\n{third}"
        );
        for step in [1, 2, 3, 7, 64, stream.len()] {
            assert_eq!(heads(stream.as_bytes(), step), [first, second, third], "cut every {step} bytes");
        }
    }

    #[test]
    fn it_stops_following_what_is_not_http() {
        let stream = b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(heads(stream, 16).len(), 1);
    }
}
