//! The socket under HTTP and TLS. It blocks, but never longer than the call allows.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::call::{self, CallState, Phase};
use crate::cancel::Sleeper;
use crate::context::Watch;

/// A connected socket. Reads and writes end at the deadline or by the interrupt of the current call.
#[derive(Debug)]
pub(super) struct Socket {
    /// Shared with the cancel handles of a call that waits for long.
    stream: Arc<TcpStream>,
    /// The current timeout of the socket. Setting it is a system call.
    slice: Duration,
}

/// The state of an idle socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    Nothing,
    Bytes,
    End,
}

impl Socket {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream: Arc::new(stream), slice: Duration::ZERO }
    }

    /// Returns the addresses of this end and of the other.
    pub fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.stream.local_addr()?, self.stream.peer_addr()?))
    }

    /// Returns the state of the socket, without waiting and without consuming bytes.
    pub fn peek(&self) -> Waiting {
        match peek_now(&self.stream) {
            Ok((_, 0)) => Waiting::End,
            Ok(_) => Waiting::Bytes,
            Err(Errno::WOULDBLOCK) => Waiting::Nothing,
            Err(_) => Waiting::End,
        }
    }

    /// Writes a part of `bytes`. Returns 0 if one slice was not enough.
    pub fn write_for_a_slice(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let call = call::current();
        let written = self.attempt(&call, None, |mut stream| stream.write(bytes))?.unwrap_or(0);
        if written > 0 && call.phase() == Phase::Send {
            call.mark_sent();
        }
        Ok(written)
    }

    /// Runs `attempt` once, for at most one slice. Returns `None` if nothing happened in that time.
    fn attempt(
        &mut self,
        call: &CallState,
        watch: Option<&Watch<'_>>,
        attempt: impl FnOnce(&TcpStream) -> io::Result<usize>,
    ) -> io::Result<Option<usize>> {
        self.block_for(call.slice_with(watch)?)?;
        match attempt(&self.stream) {
            Err(error) if is_pause(&error) => call.check_interrupt().map(|()| None),
            done => {
                // A cancel handle ends the wait by shutting the socket down.
                if watch.is_some() {
                    call.check_cancelled()?;
                }
                done.map(Some)
            }
        }
    }

    fn block_for(&mut self, slice: Duration) -> io::Result<()> {
        // The system counts in milliseconds or coarser, and zero means no timeout.
        let slice = slice.max(Duration::from_millis(1));
        if slice != self.slice {
            self.stream.set_read_timeout(Some(slice))?;
            self.stream.set_write_timeout(Some(slice))?;
            self.slice = slice;
        }
        Ok(())
    }
}

#[cfg(not(windows))]
fn peek_now(stream: &TcpStream) -> rustix::io::Result<(usize, usize)> {
    recv(stream, &mut [0_u8; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT)
}

/// Windows has only blocking and non-blocking sockets.
#[cfg(windows)]
fn peek_now(stream: &TcpStream) -> rustix::io::Result<(usize, usize)> {
    rustix::io::ioctl_fionbio(stream, true)?;
    let peeked = recv(stream, &mut [0_u8; 1], RecvFlags::PEEK);
    rustix::io::ioctl_fionbio(stream, false)?;
    peeked
}

/// Returns true if a slice passed without data, or if a signal came.
fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
        // A connection that the system timed out has ended, although std uses the same kind. Windows does not
        // distinguish it from a passed slice; there it ends at the deadline.
        && (cfg!(windows) || error.raw_os_error() != Some(Errno::TIMEDOUT.raw_os_error()))
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let call = call::current();
        if let Some(count) = self.attempt(&call, None, |mut stream| stream.read(buffer))? {
            return Ok(count);
        }
        let stream = self.stream.clone();
        loop {
            let watch = call.watch(Sleeper::Socket(stream.clone()));
            if let Some(count) = self.attempt(&call, watch.as_ref(), |mut stream| stream.read(buffer))? {
                return Ok(count);
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.write_for_a_slice(bytes)? {
                0 if !bytes.is_empty() => {}
                count => return Ok(count),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
