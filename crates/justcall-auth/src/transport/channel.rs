//! The two directions of a connection, request and response, with or without TLS.
//!
//! A service may refuse a request before it has read all of it, and then stop reading. Therefore the channel checks for
//! a response while it sends a large request. Once there is a response, or nothing more can be sent, it drops the rest
//! of the request and lets the response be read.

use std::fmt;
use std::io::{self, Read, Write};
use std::mem;

use rustls::{ClientConnection, IoState};

use super::beginning::{Beginning, beginning};
use super::call::{CallState, Phase};
use super::echo::EchoFilter;
use super::socket::{Socket, Waiting};

/// The most ciphertext that is buffered for one system call. ureq passes head and body separately, but a small request
/// should leave as one segment.
const MAX_SEALED: usize = 16 * 1024;
/// How much memory an idle connection keeps for the ciphertext of the next request, in bytes.
const MAX_IDLE_SEALED: usize = 4 * 1024;
/// How much of a request is sent before the channel checks for a response, in bytes. Each check is a system call.
const UNCHECKED: usize = MAX_SEALED;
/// The most bytes of a response that are read while the request is being sent.
const MAX_EARLY: usize = 16 * 1024;

/// The two directions of one connection.
pub(super) struct Channel {
    socket: Socket,
    tls: Option<Box<ClientConnection>>,
    /// TLS records that have not been sent yet. They are ciphertext, so they need no wiping.
    sealed: Vec<u8>,
    /// Masks the secret in received data.
    filter: EchoFilter,
    outbound: Outbound,
}

/// The progress of a request.
#[derive(Default)]
struct Outbound {
    /// The number of bytes sent.
    sent: usize,
    /// The bytes of the response that came meanwhile.
    early: Vec<u8>,
    /// True if the rest is no longer sent.
    is_cut: bool,
    /// The reason why the rest could not be sent. The call fails with it if no response came.
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

    /// Sends a piece of the request, unless the service has answered or accepts no more. The end of a piece may be
    /// buffered for the next one; waiting for a response sends it.
    ///
    /// # Errors
    /// Fails only if the call ends: at its deadline, or by cancellation.
    pub fn send(&mut self, plain: &[u8], call: &CallState) -> io::Result<()> {
        if self.tls.is_none() {
            return self.write(plain, call);
        }
        // The buffer of rustls accepts at most 64 KiB at a time.
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

    /// Sends the buffered records.
    fn flush(&mut self, call: &CallState) -> io::Result<()> {
        let mut sealed = mem::take(&mut self.sealed);
        let result = self.write(&sealed, call);
        sealed.clear();
        self.sealed = sealed;
        result
    }

    /// Writes `bytes`. In a large request, checks for a response before each write.
    fn write(&mut self, mut bytes: &[u8], call: &CallState) -> io::Result<()> {
        while !bytes.is_empty() && !self.outbound.is_cut {
            if self.outbound.sent >= UNCHECKED {
                self.check_for_response(false, call)?;
                if self.outbound.is_cut {
                    break;
                }
            }
            match self.socket.write_for_a_slice(bytes) {
                Ok(0) => self.check_for_response(true, call)?,
                Ok(count) => {
                    self.outbound.sent += count;
                    bytes = &bytes[count..];
                }
                Err(error) => self.cut(error, call)?,
            }
        }
        Ok(())
    }

    /// Cuts the request if its response has come. A refusal cuts at once. A success cuts only if the service has
    /// stopped reading, because otherwise it still expects the rest.
    fn check_for_response(&mut self, is_stalled: bool, call: &CallState) -> io::Result<()> {
        if let Err(error) = self.read_available(call) {
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

    /// Fails with `error` if the call itself has ended. Otherwise cuts the request and stores the error.
    fn cut(&mut self, error: io::Error, call: &CallState) -> io::Result<()> {
        if call.failure().is_some() {
            return Err(error);
        }
        self.outbound.cut(Some(error));
        if let Some(tls) = &mut self.tls {
            // rustls writes pending records before it reads, and that write would fail again.
            while tls.wants_write() {
                tls.write_tls(&mut io::sink())?;
            }
        }
        Ok(())
    }

    /// Reads the data that has arrived, without waiting. TLS messages without data, such as session tickets, are
    /// processed here.
    fn read_available(&mut self, call: &CallState) -> io::Result<()> {
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

    /// Waits for the next bytes of the response, after the request was sent as far as possible. Returns 0 at its end.
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
        match received {
            Ok(0) | Err(_) if call.failure().is_none() => match self.outbound.failure.take() {
                Some(failure) => {
                    call.enter(Phase::Send);
                    Err(failure)
                }
                None => received,
            },
            Ok(count) => {
                // An interim response does not answer the request, so the failure still counts.
                let is_interim =
                    || matches!(beginning(&input[..count]), Beginning::Interim(length) if length == count);
                self.outbound.failure.take_if(|_| !is_interim());
                Ok(count)
            }
            received => received,
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

    /// Resets the state of the request and the response. Returns false if either is not complete; then the connection
    /// must not be reused.
    pub fn rest(&mut self) -> bool {
        self.filter.rest();
        self.outbound.sent = 0;
        let is_complete = !self.outbound.is_cut && self.outbound.early.is_empty() && self.sealed.is_empty();
        if self.sealed.capacity() > MAX_IDLE_SEALED {
            self.sealed = Vec::new();
        }
        is_complete
    }

    /// Returns true if an idle connection can carry another request.
    pub fn is_alive(&mut self) -> bool {
        loop {
            match (self.socket.peek(), &mut self.tls) {
                (Waiting::Nothing, _) => return true,
                (Waiting::End, _) | (Waiting::Bytes, None) => return false,
                // A session ticket is allowed. A closing message, or data without a request, is not.
                (Waiting::Bytes, Some(tls)) => match take_records(tls, &mut self.socket) {
                    Ok(Some(state)) if !state.peer_has_closed() && state.plaintext_bytes_to_read() == 0 => {}
                    _ => return false,
                },
            }
        }
    }
}

/// Reads the TLS messages that have arrived. Returns `None` at their end.
fn take_records(tls: &mut ClientConnection, socket: &mut Socket) -> io::Result<Option<IoState>> {
    if tls.read_tls(socket)? == 0 {
        return Ok(None);
    }
    tls.process_new_packets().map(Some).map_err(io::Error::other)
}

/// Reads the data that has arrived. Returns 0 if there is none.
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
