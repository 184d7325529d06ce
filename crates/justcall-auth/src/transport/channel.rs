//! A request on its way out and its answer on its way in, encrypted or not.
//!
//! A service may refuse a request before it has read all of it, and read no more. So while a large request is being sent,
//! the channel looks for an answer; once there is one, or nothing more can be sent, it drops the rest of the request and
//! lets the answer be read.

use std::fmt;
use std::io::{self, Read, Write};
use std::mem;

use rustls::{ClientConnection, IoState};

use super::answer::{Beginning, beginning};
use super::call::{CallState, Phase};
use super::echo::EchoFilter;
use super::socket::{Socket, Waiting};

/// As much ciphertext as is kept for one system call: ureq hands over head and body apart, and a small request should
/// leave as one segment.
const MAX_SEALED: usize = 16 * 1024;
/// How much of a request is sent before the channel looks for an answer, in bytes. Looking is a system call.
const UNWATCHED: usize = MAX_SEALED;
/// How much of an answer is taken in while the request is being sent, in bytes.
const MAX_EARLY: usize = 16 * 1024;

/// The two directions of one connection.
pub(super) struct Channel {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    /// TLS records that have not been sent yet: ciphertext, so nothing to wipe.
    sealed: Vec<u8>,
    /// Masks the secret in what the service sends.
    filter: EchoFilter,
    outbound: Outbound,
}

/// How far a request has come.
#[derive(Default)]
struct Outbound {
    /// How many bytes of it were sent.
    sent: usize,
    /// What came of the answer meanwhile.
    early: Vec<u8>,
    /// The rest is not sent any more.
    is_cut: bool,
    /// Why the rest could not be sent: what the call ends with unless an answer came all the same.
    failure: Option<io::Error>,
}

impl Outbound {
    fn cut(&mut self, failure: Option<io::Error>) {
        self.is_cut = true;
        self.failure = failure;
    }
}

impl Channel {
    pub fn new(socket: Socket, tls: Option<Box<ClientConnection>>) -> Self {
        Self { socket, tls, sealed: Vec::new(), filter: EchoFilter::default(), outbound: Outbound::default() }
    }

    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Sends a piece of the request, unless the service has answered or takes no more. The end of a piece may be kept for
    /// the next one; it is sent when an answer is awaited.
    ///
    /// # Errors
    /// Only what ends the call: its deadline or a cancellation.
    pub fn send(&mut self, plain: &[u8], call: &CallState) -> io::Result<()> {
        if self.tls.is_none() {
            return self.write(plain, call);
        }
        // rustls takes no more than its buffer holds at a time, 64 KiB.
        for chunk in plain.chunks(MAX_SEALED) {
            if self.outbound.is_cut {
                break;
            }
            self.seal(chunk)?;
            if self.sealed.len() >= MAX_SEALED {
                self.flush(call)?;
            }
        }
        Ok(())
    }

    fn seal(&mut self, plain: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        tls.writer().write_all(plain)?;
        while tls.wants_write() {
            tls.write_tls(&mut self.sealed)?;
        }
        Ok(())
    }

    /// Sends what is kept.
    fn flush(&mut self, call: &CallState) -> io::Result<()> {
        let mut sealed = mem::take(&mut self.sealed);
        let result = self.write(&sealed, call);
        sealed.clear();
        self.sealed = sealed;
        result
    }

    /// Writes `bytes`; of a large request it looks before each write whether the answer has come.
    fn write(&mut self, mut bytes: &[u8], call: &CallState) -> io::Result<()> {
        while !bytes.is_empty() && !self.outbound.is_cut {
            if self.outbound.sent >= UNWATCHED {
                self.look(false, call)?;
                if self.outbound.is_cut {
                    break;
                }
            }
            match self.socket.write_for_a_slice(bytes) {
                Ok(0) => self.look(true, call)?,
                Ok(count) => {
                    self.outbound.sent += count;
                    bytes = &bytes[count..];
                }
                Err(error) => self.cut(error, call)?,
            }
        }
        Ok(())
    }

    /// Cuts the request if its answer has come: a refusal at once, a success only when the service reads no more, for one
    /// that goes on reading wants the rest.
    fn look(&mut self, is_stalled: bool, call: &CallState) -> io::Result<()> {
        if let Err(error) = self.take_in(call) {
            return self.cut(error, call);
        }
        let early = &mut self.outbound.early;
        while let Beginning::Interim(length) = beginning(early) {
            early.drain(..length);
        }
        let is_answer = match beginning(early) {
            Beginning::Refusal => true,
            Beginning::Success => is_stalled,
            Beginning::Unknown | Beginning::Interim(_) => early.len() >= MAX_EARLY,
        };
        if is_answer {
            self.outbound.cut(None);
        }
        Ok(())
    }

    /// Ends the call with `error` if that is its own end; otherwise cuts the request and keeps the error.
    fn cut(&mut self, error: io::Error, call: &CallState) -> io::Result<()> {
        if call.failure().is_some() {
            return Err(error);
        }
        self.outbound.cut(Some(error));
        if let Some(tls) = &mut self.tls {
            // rustls sends what it has to send before it reads, which would fail again.
            while tls.wants_write() {
                tls.write_tls(&mut io::sink())?;
            }
        }
        Ok(())
    }

    /// Takes in what has come, without waiting. TLS messages that are no data, such as session tickets, end here.
    fn take_in(&mut self, call: &CallState) -> io::Result<()> {
        let mut buffer = [0_u8; 4096];
        while self.outbound.early.len() < MAX_EARLY {
            let count = match &mut self.tls {
                None if self.socket.peek() == Waiting::Bytes => self.socket.read(&mut buffer)?,
                None => 0,
                Some(tls) => read_arrived(tls, &mut self.socket, &mut buffer)?,
            };
            if count == 0 {
                break;
            }
            self.feed(&mut buffer[..count], call);
            self.outbound.early.extend_from_slice(&buffer[..count]);
        }
        Ok(())
    }

    /// Waits for the next bytes of the answer, once the request was sent as far as it could be; 0 at its end.
    pub fn receive(&mut self, input: &mut [u8], call: &CallState) -> io::Result<usize> {
        self.flush(call)?;
        call.enter(Phase::Receive);
        let early = &mut self.outbound.early;
        let received = if early.is_empty() {
            self.read(input, call)
        } else {
            let count = early.len().min(input.len());
            input[..count].copy_from_slice(&early[..count]);
            early.drain(..count);
            Ok(count)
        };
        match (received, self.outbound.failure.take()) {
            (Ok(0) | Err(_), Some(failure)) if call.failure().is_none() => {
                call.enter(Phase::Send);
                Err(failure)
            }
            (received, _) => received,
        }
    }

    fn read(&mut self, input: &mut [u8], call: &CallState) -> io::Result<usize> {
        let count = match &mut self.tls {
            Some(tls) => rustls::Stream::new(tls.as_mut(), &mut self.socket).read(input)?,
            None => self.socket.read(input)?,
        };
        self.feed(&mut input[..count], call);
        Ok(count)
    }

    fn feed(&mut self, piece: &mut [u8], call: &CallState) {
        if let Some(sent) = call.header() {
            if self.filter.feed(piece, sent) {
                call.mark_echoed();
            }
        }
    }

    /// Forgets the request and its answer; false if either is not complete, which ends the use of the connection.
    pub fn rest(&mut self) -> bool {
        self.filter.rest();
        self.outbound.sent = 0;
        !self.outbound.is_cut && self.outbound.early.is_empty() && self.sealed.is_empty()
    }

    /// Whether an idle connection is good for another request.
    pub fn is_alive(&mut self) -> bool {
        loop {
            match (self.socket.peek(), &mut self.tls) {
                (Waiting::Nothing, _) => return true,
                (Waiting::End, _) | (Waiting::Bytes, None) => return false,
                // A session ticket is welcome, a farewell or an answer to nothing is not.
                (Waiting::Bytes, Some(tls)) => match take_records(tls, &mut self.socket) {
                    Ok(Some(state)) if !state.peer_has_closed() && state.plaintext_bytes_to_read() == 0 => {}
                    _ => return false,
                },
            }
        }
    }
}

/// Takes in the TLS messages that have come; `None` at their end.
fn take_records(tls: &mut ClientConnection, socket: &mut Socket) -> io::Result<Option<IoState>> {
    if tls.read_tls(socket)? == 0 {
        return Ok(None);
    }
    tls.process_new_packets().map(Some).map_err(io::Error::other)
}

/// Reads data that has come already; 0 if there is none.
fn read_arrived(tls: &mut ClientConnection, socket: &mut Socket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match tls.reader().read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read,
        }
        if socket.peek() != Waiting::Bytes || take_records(tls, socket)?.is_none() {
            return Ok(0);
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("socket", &self.socket).finish_non_exhaustive()
    }
}
