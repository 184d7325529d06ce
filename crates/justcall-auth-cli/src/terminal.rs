//! Asks a person at a terminal: what is secret is not shown, and the terminal is as it was however that ends.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use justcall_auth::{Error, ErrorKind, WipedBuffer};

/// The longest answer: a pair has 1025 bytes at most, and what is pasted around it is told to be too much.
const LONGEST: usize = 8 * 1024;

/// Whether somebody is there to be asked.
pub(crate) fn is_attended() -> bool {
    io::stdin().is_terminal()
}

/// Asks for what may be seen; an empty answer is `usual`.
pub(crate) fn ask(question: &str, usual: &str) -> Result<String, Error> {
    let shown = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
    say(&format!("{question}{shown}: "));
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(0) | Err(_) => Err(cancelled()),
        Ok(_) if answer.trim().is_empty() => Ok(usual.to_owned()),
        Ok(_) => Ok(answer.trim().to_owned()),
    }
}

/// Writes to the person, who sees standard error also where standard output goes to a file.
pub(crate) fn say(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// The whole of standard input, in memory that is wiped.
pub(crate) fn read_stdin() -> Result<WipedBuffer, Error> {
    let unreadable = |error: io::Error| {
        Error::with_message(ErrorKind::SourceUnavailable, format!("Standard input cannot be read: {error}."))
    };
    // The standard library's own handle reads into a buffer that nobody wipes.
    let mut stdin = unbuffered_stdin().map_err(unreadable)?;
    let mut text = WipedBuffer::with_capacity(LONGEST + 1);
    loop {
        match stdin.read(text.spare()) {
            Ok(0) if text.spare().is_empty() => {
                return Err(Error::invalid_argument("Standard input is far too long to be a pair.")
                    .with_hint("Give it key:secret, JSON or dotenv lines, and nothing else."));
            }
            Ok(0) => return Ok(text),
            Ok(count) => text.advance(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}

fn cancelled() -> Error {
    Error::with_message(ErrorKind::Cancelled, "It was ended before a pair was given. Nothing was changed.")
}

#[cfg(unix)]
pub(crate) use secret::Unechoed;

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

/// Here nothing can be kept from being shown.
#[cfg(not(unix))]
pub(crate) struct Unechoed(std::convert::Infallible);

#[cfg(not(unix))]
impl Unechoed {
    /// Is refused.
    pub fn start() -> Result<Self, Error> {
        Err(Error::invalid_argument("On this system the terminal would show what is typed.")
            .with_hint("Give the pair on standard input instead: justcall-auth rotate < FILE."))
    }

    /// Is never asked.
    pub fn ask(&mut self, _: &str) -> Result<WipedBuffer, Error> {
        match self.0 {}
    }
}

#[cfg(unix)]
mod secret {
    use std::fs::File;

    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

    use super::{Error, ErrorKind, LONGEST, WipedBuffer, cancelled, io, say, unbuffered_stdin};

    use std::io::Read as _;

    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    const BACKSPACE: u8 = 8;
    const CTRL_U: u8 = 21;
    const CTRL_BACKSLASH: u8 = 28;
    const DELETE: u8 = 127;

    /// A terminal that shows nothing of what is typed, and gives each key at once, Ctrl-C too: as a signal it would end
    /// this program with the terminal mute. It is as before when this is dropped.
    pub(crate) struct Unechoed {
        terminal: File,
        before: Termios,
    }

    impl Unechoed {
        /// Standard input, which is a terminal, muted.
        pub fn start() -> Result<Self, Error> {
            let refused = |error: io::Error| {
                let message = format!("The terminal cannot be kept from showing what is typed: {error}.");
                Error::with_message(ErrorKind::SourceUnavailable, message)
                    .with_hint("Give the pair on standard input instead: justcall-auth rotate < FILE.")
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
            // What was typed before was shown: it is none of the answer.
            tcsetattr(&terminal, OptionalActions::Flush, &mute).map_err(|error| refused(error.into()))?;
            Ok(Self { terminal, before })
        }

        /// Asks once. An answer that is too long loses its end, which the check of a pair will say.
        pub fn ask(&mut self, question: &str) -> Result<WipedBuffer, Error> {
            say(question);
            let mut answer = WipedBuffer::with_capacity(LONGEST);
            let mut key = WipedBuffer::with_capacity(1);
            loop {
                key.truncate(0);
                match self.terminal.read(key.spare()) {
                    Ok(1) => key.advance(1),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    // The terminal is gone.
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
            say("\n");
            Ok(answer)
        }

        /// The person has had enough.
        fn end() -> Error {
            say("
");
            cancelled()
        }
    }

    impl Drop for Unechoed {
        fn drop(&mut self) {
            // What was pasted beyond the answer may be half of a pair: a shell would show it and keep it in its history.
            // A terminal that is gone needs nothing any more.
            let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        }
    }
}
