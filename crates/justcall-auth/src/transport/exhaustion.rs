//! Local limits that a call can reach: file descriptors, threads, ports. They concern neither the network nor the
//! service, and the message of the system rarely names them.

use std::io;

use justcall_auth_protocol::error::{Error, ErrorKind};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};

/// The exhausted resource, with a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exhausted {
    what: String,
    hint: &'static str,
}

impl Exhausted {
    /// Returns the error of a call that needed the resource.
    pub fn error(&self) -> Error {
        Error::with_message(ErrorKind::ConnectionFailed, format!("{}.", self.what)).with_hint(self.hint)
    }
}

/// Returns the resource that is exhausted according to `error`, if any.
pub(super) fn of(error: &io::Error) -> Option<Exhausted> {
    let (what, hint) = match Errno::from_io_error(error)? {
        Errno::MFILE => (
            "This process has reached its limit of open files, so no connection can be opened",
            "Close unused files and connections, or raise the limit of open files (ulimit -n).",
        ),
        #[cfg(not(windows))]
        Errno::NFILE => (
            "This system has reached its limit of open files, so no connection can be opened",
            "Find the program that has too many open files, or raise the system's limit (fs.file-max).",
        ),
        Errno::NOBUFS => (
            "This system has no memory left for network buffers, so no connection can be opened",
            "Find the program that has too many connections, or raise the system's limits.",
        ),
        Errno::ADDRNOTAVAIL => (
            "This machine has no local address or port for a connection to the host",
            "Close unused connections and retry after a minute, when their ports are free again. If the host has only IPv6 addresses, check that this machine has IPv6.",
        ),
        _ => return None,
    };
    Some(Exhausted { what: what.to_owned(), hint })
}

/// Returns the report that no thread could be started. `error` is the reason of the system.
pub(super) fn threads(error: &io::Error) -> Exhausted {
    Exhausted {
        what: format!("No thread can be started to look up the host's address: {error}"),
        hint: "Run fewer threads, or raise the limit of threads (ulimit -u, or the container's limit of processes) or of memory.",
    }
}

/// Returns the report that file descriptors are exhausted now, for failures that do not state it.
pub(super) fn descriptors() -> Option<Exhausted> {
    let failure = socket(AddressFamily::INET, SocketType::DGRAM, None).err()?;
    of(&failure.into()).filter(|_| failure != Errno::ADDRNOTAVAIL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reports_exhausted_resources_and_nothing_else() {
        for (errno, words) in [
            (Errno::MFILE, "This process has reached its limit of open files"),
            #[cfg(not(windows))]
            (Errno::NFILE, "This system has reached its limit of open files"),
            (Errno::NOBUFS, "network buffers"),
            (Errno::ADDRNOTAVAIL, "local address or port"),
        ] {
            let exhausted = of(&errno.into()).expect(words);
            assert!(exhausted.error().message().contains(words), "{:?}", exhausted.error());
        }
        for other in [Errno::CONNREFUSED, Errno::TIMEDOUT, Errno::HOSTUNREACH, Errno::ACCESS] {
            assert_eq!(of(&other.into()), None, "{other:?}");
        }
        assert_eq!(of(&io::Error::other("EMFILE")), None);
        assert_eq!(descriptors(), None, "there are some left");
    }
}
