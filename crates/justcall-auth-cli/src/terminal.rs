//! Prompts on a terminal. Secret input is hidden, and the terminal is always restored.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use justcall_auth::{Error, ErrorKind, WipedBuffer};

/// The longest input, in bytes. A pair has at most 1025 bytes; the check reports longer input.
const LONGEST: usize = 8 * 1024;

/// Returns true if standard input is a terminal.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Prompts for input that may be visible. An empty input means `usual`.
pub(crate) fn ask(question: &str, usual: &str) -> Result<String, Error> {
    let shown = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    print(&format!("{question}{shown}: "));
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => Err(cancelled()),
        Ok(_) if answer.trim().is_empty() => Ok(usual.to_owned()),
        Ok(_) => Ok(answer.trim().to_owned()),
    }
}

/// Prints to standard error, which the user sees even if standard output is redirected.
pub(crate) fn print(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Reads standard input completely into memory that is wiped.
pub(crate) fn read_stdin() -> Result<WipedBuffer, Error> {
    let unreadable = |error: io::Error| {
        Error::with_message(ErrorKind::SourceUnavailable, format!("Standard input cannot be read: {error}."))
    };
    // The handle of the standard library has a buffer that is never wiped.
    let mut stdin = unbuffered_stdin().map_err(unreadable)?;
    let mut text = WipedBuffer::with_capacity(LONGEST + 1);
    loop {
        match stdin.read(text.spare()) {
            Ok(0) if text.spare().is_empty() => {
                return Err(Error::invalid_argument("Standard input is too long for a pair.")
                    .with_hint("Pass only the pair, as key:secret, JSON or dotenv lines."));
            }
            Ok(0) => return Ok(text),
            Ok(count) => text.advance(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}

fn cancelled() -> Error {
    Error::with_message(
        ErrorKind::Cancelled,
        "The user cancelled before entering a pair. Nothing was changed.",
    )
}

#[cfg(unix)]
pub(crate) use secret::HiddenInput;

#[cfg(unix)]
fn unbuffered_stdin() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn unbuffered_stdin() -> io::Result<std::fs::File> {
    use std::os::windows::io::AsHandle as _;
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

/// Hidden input is not supported on this system.
#[cfg(not(unix))]
pub(crate) struct HiddenInput(std::convert::Infallible);

#[cfg(not(unix))]
impl HiddenInput {
    /// Fails.
    pub fn start() -> Result<Self, Error> {
        Err(Error::invalid_argument("On this system the terminal cannot hide the input.")
            .with_hint("Pass the pair on standard input instead, as in `justcall-auth rotate < FILE`."))
    }

    /// Never called, because `start` fails.
    pub fn ask(&mut self, _: &str) -> Result<WipedBuffer, Error> {
        match self.0 {}
    }
}

#[cfg(unix)]
mod secret {
    use std::fs::File;

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    use super::{Error, ErrorKind, LONGEST, WipedBuffer, cancelled, io, print, unbuffered_stdin};

    use std::io::Read as _;

    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    const BACKSPACE: u8 = 8;
    const CTRL_U: u8 = 21;
    const CTRL_BACKSLASH: u8 = 28;
    const DELETE: u8 = 127;

    /// A terminal in a mode without echo that passes on each key at once, also Ctrl-C: as a signal, Ctrl-C would end
    /// the program without restoring the terminal. Dropping it restores the terminal.
    pub(crate) struct HiddenInput {
        terminal: File,
        before: Termios,
    }

    impl HiddenInput {
        /// Hides the input on standard input, which must be a terminal.
        pub fn start() -> Result<Self, Error> {
            let refused = |error: io::Error| {
                let message = format!("The terminal cannot hide the input: {error}.");
                Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(
                    "Pass the pair on standard input instead, as in `justcall-auth rotate < FILE`.",
                )
            };
            let terminal = unbuffered_stdin().map_err(refused)?;
            let before = tcgetattr(&terminal).map_err(|error| refused(error.into()))?;
            let mut mute = before.clone();
            mute.local_modes -= LocalModes::ECHO
                | LocalModes::ECHONL
                | LocalModes::ICANON
                | LocalModes::ISIG
                | LocalModes::IEXTEN;
            mute.special_codes[SpecialCodeIndex::VMIN] = 1;
            mute.special_codes[SpecialCodeIndex::VTIME] = 0;
            // Earlier input was visible, so it is discarded.
            tcsetattr(&terminal, OptionalActions::Flush, &mute).map_err(|error| refused(error.into()))?;
            Ok(Self { terminal, before })
        }

        /// Prompts once. An input that is too long is cut, which the check of the pair reports.
        pub fn ask(&mut self, question: &str) -> Result<WipedBuffer, Error> {
            print(question);
            let mut answer = WipedBuffer::with_capacity(LONGEST);
            let mut key = WipedBuffer::with_capacity(1);
            loop {
                key.truncate(0);
                match self.terminal.read(key.spare()) {
                    Ok(1) => key.advance(1),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    // The terminal was closed.
                    _ => return Err(Self::end()),
                }
                match key.as_ref()[0] {
                    b'\n' | b'\r' => break,
                    CTRL_C | CTRL_BACKSLASH => return Err(Self::end()),
                    CTRL_D if answer.as_ref().is_empty() => return Err(Self::end()),
                    BACKSPACE | DELETE => answer.truncate(answer.as_ref().len().saturating_sub(1)),
                    CTRL_U => answer.truncate(0),
                    byte if !answer.spare().is_empty() => answer.push(&[byte]),
                    _ => {}
                }
            }
            print("\n");
            Ok(answer)
        }

        /// Returns the error after the user pressed Ctrl-C.
        fn end() -> Error {
            print(
                "
",
            );
            cancelled()
        }
    }

    impl Drop for HiddenInput {
        fn drop(&mut self) {
            // Discards further input, which may be a part of a pair: a shell would show it and store it in its history.
            // Errors are ignored, because a closed terminal needs no restoring.
            let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        }
    }
}
