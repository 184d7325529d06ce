//! Says that something goes on, to somebody who watches: only once it takes long enough to be wondered at.

use std::io::{self, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FIRST_FRAME: Duration = Duration::from_millis(150);
const FRAME: Duration = Duration::from_millis(80);
const ERASE_LINE: &str = "\r\u{1b}[K";

/// Turns until it is dropped, and leaves nothing behind.
pub(crate) struct Spinner {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    /// Turns before `what`.
    pub fn start(what: String) -> Self {
        Self::telling(move || what.clone())
    }

    /// Turns before what `what` says at the moment.
    pub fn telling(what: impl Fn() -> String + Send + 'static) -> Self {
        let (stop, stopped) = mpsc::channel();
        let turn = move || {
            let mut wait = FIRST_FRAME;
            let mut shown = false;
            for frame in FRAMES.iter().cycle() {
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                draw(&format!("{ERASE_LINE}{frame} {} …", what()));
                shown = true;
                wait = FRAME;
            }
            if shown {
                draw(ERASE_LINE);
            }
        };
        // Without a thread there is no spinner, and all else goes on.
        let thread = thread::Builder::new().name("spinner".into()).spawn(turn).ok();
        Self { stop: Some(stop), thread }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        // The other end sees that nobody is there any more.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Nothing is lost where it cannot be written.
fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
