//! Server-sent events: what is new in the sandbox, from a revision on.
//!
//! A browser that lost its connection sends the last revision it got, and goes on from there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::shared::Shared;
use crate::wire::Payload;

/// How long to wait after an event, so that a burst of requests becomes one event.
const PAUSE: Duration = Duration::from_millis(30);
/// How long to be silent at most; a write to a browser that has gone ends the stream.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Returns the stream of what changes after a revision. It ends with its connection.
pub(crate) fn open(shared: &Arc<Shared>, since: u64) -> Payload {
    let (frames, receiver) = mpsc::channel(1);
    tokio::spawn(send(Arc::clone(shared), since, frames));
    Payload::stream(receiver)
}

async fn send(shared: Arc<Shared>, mut since: u64, frames: mpsc::Sender<Bytes>) {
    let mut changes = shared.state().subscribe();
    loop {
        changes.mark_unchanged();
        let update = shared.state().update(since, Instant::now());
        since = update.revision;
        let data = serde_json::to_string(&update).expect("an update is plain data with text for keys");
        if frames.send(format!("id: {since}\ndata: {data}\n\n").into()).await.is_err() {
            return;
        }
        sleep(PAUSE).await;
        while timeout(HEARTBEAT, changes.changed()).await.is_err() {
            if frames.send(Bytes::from_static(b":\n\n")).await.is_err() {
                return;
            }
        }
    }
}
