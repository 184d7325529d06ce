//! A progress indicator. It appears only after a short delay.

use std::io::{self, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FIRST_FRAME: Duration = Duration::from_millis(150);
const FRAME: Duration = Duration::from_millis(80);
const ERASE_LINE: &str = "\r\u{1b}[K";

/// A spinner that turns until it is dropped, and then erases itself.
pub(crate) struct Spinner {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    /// Starts a spinner with a fixed text.
    pub fn start(what: String) -> Self {
        Self::with_text(move || what.clone())
    }

    /// Starts a spinner whose text is computed for each frame.
    pub fn with_text(what: impl Fn() -> String + Send + 'static) -> Self {
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
        // Without a thread there is no spinner, but the command continues.
        let thread = thread::Builder::new().name("spinner".into()).spawn(turn).ok();
        Self { stop: Some(stop), thread }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        // Closing the channel stops the thread.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// Draws `text`. A failure is ignored, because the spinner is not essential.
fn draw(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}
