//! A TCP connection to the first address that answers (RFC 8305, "Happy Eyeballs", without its sorting). An unreachable
//! address costs a quarter of a second instead of the whole timeout.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use justcall_auth_protocol::error::{Error, ErrorKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto};

use super::call::{CallState, Phase};

/// How long an address is tried alone before the next one is tried in parallel (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to one of `addresses`, tried in order, from the address `local` of this machine if there is one. Addresses of
/// another family than `local` are skipped.
///
/// # Errors
/// Fails with the error of the last address if none answered, or at the deadline or by cancellation of the call.
pub(super) fn connect_any(
    addresses: &[SocketAddr],
    local: Option<IpAddr>,
    call: &CallState,
) -> io::Result<TcpStream> {
    let is_of_family = |address: &&SocketAddr| local.is_none_or(|own| own.is_ipv4() == address.is_ipv4());
    let usable: Vec<&SocketAddr> = addresses.iter().filter(is_of_family).collect();
    if let Some(own) = local.filter(|_| usable.is_empty() && !addresses.is_empty()) {
        return Err(call.fail(no_address_of_family(own)));
    }
    let mut untried = usable.into_iter();
    let mut trying: Vec<OwnedFd> = Vec::new();
    let mut next_start = Instant::now();
    let mut last_error = io::Error::new(io::ErrorKind::AddrNotAvailable, "there is no address to connect to");
    loop {
        let now = Instant::now();
        if trying.is_empty() || now >= next_start {
            if let Some(address) = untried.next() {
                match start(*address, local, call) {
                    Ok((socket, true)) => return finish(socket),
                    Ok((socket, false)) => trying.push(socket),
                    Err(error) => last_error = error,
                }
                next_start = now + HEAD_START;
            }
        }
        if trying.is_empty() {
            if untried.len() == 0 {
                return Err(last_error);
            }
            continue;
        }
        let mut wait = call.slice()?;
        if untried.len() > 0 {
            wait = wait.min(next_start.saturating_duration_since(now));
        }
        let ready = wait_writable(&trying, wait)?;
        if ready.is_empty() {
            call.check_interrupt()?;
        }
        for index in ready.into_iter().rev() {
            let socket = trying.swap_remove(index);
            match rustix::net::sockopt::socket_error(&socket)? {
                Ok(()) => return finish(socket),
                Err(error) => last_error = error.into(),
            }
        }
    }
}

/// Starts to connect. Returns true if the connection exists at once, as on loopback.
fn start(address: SocketAddr, local: Option<IpAddr>, call: &CallState) -> io::Result<(OwnedFd, bool)> {
    let socket =
        nonblocking_socket(if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 })?;
    if let Some(own) = local {
        bind(&socket, &SocketAddr::new(own, 0)).map_err(|why| call.fail(cannot_bind(own, why)))?;
    }
    match connect(&socket, &address) {
        Ok(()) => Ok((socket, true)),
        // An interrupted connect continues in the background, like one in progress.
        Err(Errno::INPROGRESS | Errno::INTR) => Ok((socket, false)),
        // Windows reports a connect in progress with this code.
        Err(Errno::WOULDBLOCK) if cfg!(windows) => Ok((socket, false)),
        Err(error) => Err(error.into()),
    }
}

fn no_address_of_family(own: IpAddr) -> Error {
    let family = if own.is_ipv4() { "IPv4" } else { "IPv6" };
    let message = format!("The local address {own} is {family}, but the host has no {family} address.");
    Error::with_message(ErrorKind::ConnectionFailed, message)
        .with_hint("Set local_address to an address of the same family as the host's address, or leave out local_address.")
        .with_reason(Phase::Connect.name())
}

fn cannot_bind(own: IpAddr, why: Errno) -> Error {
    let message = format!("No connection can be opened from the local address {own}: {why}.");
    Error::with_message(ErrorKind::ConnectionFailed, message)
        .with_hint("Set local_address to an address of this machine, or leave out local_address.")
        .with_reason(Phase::Connect.name())
}

#[cfg(not(any(target_vendor = "apple", windows)))]
fn nonblocking_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, socket_with};
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?)
}

/// Apple's systems cannot set the flags in the call that creates the socket.
#[cfg(target_vendor = "apple")]
fn nonblocking_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket(family, SocketType::STREAM, Some(ipproto::TCP))?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// On Windows no program inherits a socket by default, and sockets exist only after `WSAStartup`.
#[cfg(windows)]
fn nonblocking_socket(family: AddressFamily) -> io::Result<OwnedFd> {
    static BEGUN: std::sync::Once = std::sync::Once::new();
    BEGUN.call_once(|| {
        // If it fails, creating the socket fails too.
        let _started = rustix::net::wsa_startup();
    });
    let socket = rustix::net::socket(family, SocketType::STREAM, Some(ipproto::TCP))?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Returns the ascending indices of the sockets that are connected or have failed, or none after `wait`.
fn wait_writable(sockets: &[OwnedFd], wait: Duration) -> io::Result<Vec<usize>> {
    let mut polled: Vec<PollFd<'_>> =
        sockets.iter().map(|socket| PollFd::new(socket, PollFlags::OUT)).collect();
    let wait = Timespec::try_from(wait).expect("a slice is short");
    match poll(&mut polled, Some(&wait)) {
        Ok(_) => Ok((0..polled.len()).filter(|index| !polled[*index].revents().is_empty()).collect()),
        Err(Errno::INTR) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn finish(socket: OwnedFd) -> io::Result<TcpStream> {
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
