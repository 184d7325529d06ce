//! The bodies of answers: whole, generated while sending, slow, or a stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;
use tokio::time::{Sleep, sleep};

const FILLER: &[u8] = &[b'x'; 64 * 1024];
/// The size of the pieces of a chunked body.
const CHUNK: usize = 1000;
const FILLER_BEGIN: &str = r#"{"status":"success","filler":""#;
const FILLER_END: &str = r#""}"#;

/// The body of an answer.
pub(crate) struct Payload {
    source: PayloadSource,
    /// Runs when hyper drops the body.
    at_end: Option<Box<dyn FnOnce() + Send>>,
}

enum PayloadSource {
    Whole(Bytes),
    Chunked(Bytes),
    Huge(Huge),
    Slow(Slow),
    Stream(mpsc::Receiver<Bytes>),
}

struct Huge {
    begin: Bytes,
    filler: u64,
    end: Bytes,
    sized: bool,
}

struct Slow {
    rest: Bytes,
    chunk: usize,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Payload {
    /// Creates a body of these bytes.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        PayloadSource::Whole(bytes).into()
    }

    /// Creates a body of these bytes, without an announced length.
    pub(crate) fn chunked(bytes: Bytes) -> Self {
        PayloadSource::Chunked(bytes).into()
    }

    /// Creates a JSON object of so many bytes (no JSON below 32), generated while it is sent. Without `sized` its length
    /// is not announced.
    pub(crate) fn huge(bytes: u64, sized: bool) -> Self {
        let frame = (FILLER_BEGIN.len() + FILLER_END.len()) as u64;
        let (begin, end) = if bytes < frame { ("", "") } else { (FILLER_BEGIN, FILLER_END) };
        let filler = bytes - (begin.len() + end.len()) as u64;
        PayloadSource::Huge(Huge {
            begin: Bytes::from_static(begin.as_bytes()),
            filler,
            end: Bytes::from_static(end.as_bytes()),
            sized,
        })
        .into()
    }

    /// Creates a body that sends `chunk` bytes at a time (at least 1), with a pause between the pieces.
    pub(crate) fn slow(bytes: Bytes, chunk: usize, pause: Duration) -> Self {
        PayloadSource::Slow(Slow { rest: bytes, chunk, pause, waiting: None }).into()
    }

    /// Creates a body of the pieces that arrive, until their sender is dropped.
    pub(crate) fn stream(pieces: mpsc::Receiver<Bytes>) -> Self {
        PayloadSource::Stream(pieces).into()
    }

    /// Also runs a function when hyper drops the body, sent or not.
    pub(crate) fn at_end(mut self, run: impl FnOnce() + Send + 'static) -> Self {
        self.at_end = Some(Box::new(run));
        self
    }
}

impl From<PayloadSource> for Payload {
    fn from(source: PayloadSource) -> Self {
        Self { source, at_end: None }
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        if let Some(run) = self.at_end.take() {
            run();
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.source {
            PayloadSource::Whole(bytes) => std::mem::take(bytes),
            PayloadSource::Chunked(bytes) => bytes.split_to(CHUNK.min(bytes.len())),
            PayloadSource::Huge(huge) => huge.next(),
            PayloadSource::Slow(slow) => ready!(slow.poll_next(cx)),
            PayloadSource::Stream(pieces) => ready!(pieces.poll_recv(cx)).unwrap_or_default(),
        };
        Poll::Ready((!next.is_empty()).then(|| Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            PayloadSource::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            PayloadSource::Slow(slow) => SizeHint::with_exact(slow.rest.len() as u64),
            PayloadSource::Huge(huge) if huge.sized => {
                SizeHint::with_exact(huge.begin.len() as u64 + huge.filler + huge.end.len() as u64)
            }
            PayloadSource::Huge(_) | PayloadSource::Chunked(_) | PayloadSource::Stream(_) => {
                SizeHint::default()
            }
        }
    }
}

impl Huge {
    /// Returns the next piece, which is empty at the end.
    fn next(&mut self) -> Bytes {
        if !self.begin.is_empty() {
            return std::mem::take(&mut self.begin);
        }
        if self.filler > 0 {
            let piece = usize::try_from(self.filler).unwrap_or(usize::MAX).min(FILLER.len());
            self.filler -= piece as u64;
            return Bytes::from_static(&FILLER[..piece]);
        }
        std::mem::take(&mut self.end)
    }
}

impl Slow {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(cx));
        }
        let piece = self.rest.split_to(self.chunk.min(self.rest.len()));
        self.waiting = (!self.rest.is_empty()).then(|| Box::pin(sleep(self.pause)));
        Poll::Ready(piece)
    }
}
