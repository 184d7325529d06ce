//! Threads of the library in a program whose signals they must leave alone.

use std::io;
use std::thread;

/// Starts a thread that runs `work` and receives no signal that the process gets: those are for the program's own
/// threads, and a handler may expect to run on one of them. Signals that a fault of the thread itself raises stay.
///
/// # Errors
/// The system's, if it can start no more threads.
pub fn spawn_without_signals(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // A thread starts with the mask of the thread that starts it.
    let _blocked = BlockedSignals::begin();
    thread::Builder::new().name(name.into()).spawn(work).map(drop)
}

/// Keeps signals from this thread until it is dropped.
#[cfg(unix)]
struct BlockedSignals {
    before: libc::sigset_t,
}

#[cfg(unix)]
impl BlockedSignals {
    fn begin() -> Self {
        let faults = [
            libc::SIGABRT,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGSEGV,
            libc::SIGSYS,
            libc::SIGTRAP,
        ];
        // SAFETY: a set of signals is plain data, for which zero is a value; all calls get sets of this function.
        unsafe {
            let (mut blocked, mut before) = std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>();
            libc::sigfillset(&raw mut blocked);
            for fault in faults {
                libc::sigdelset(&raw mut blocked, fault);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, &raw mut before);
            Self { before }
        }
    }
}

#[cfg(unix)]
impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set was written by the call that `begin` made.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}

/// Other systems have no signals that choose a thread.
#[cfg(not(unix))]
struct BlockedSignals;

#[cfg(not(unix))]
impl BlockedSignals {
    fn begin() -> Self {
        Self
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// The signals that this thread blocks, as bits.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("the kernel's own");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("hexadecimal")
    }

    fn bit(signal: i32) -> u64 {
        1 << (signal - 1)
    }

    #[test]
    fn it_blocks_signals_in_the_new_thread_alone() {
        let before = blocked();
        let (send, receive) = mpsc::channel();
        spawn_without_signals("test", move || send.send(blocked()).expect("awaited")).expect("a thread");
        assert_eq!(blocked(), before);
        let inside = receive.recv().expect("it ran");
        let chosen = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGALRM, libc::SIGCHLD, libc::SIGPROF];
        for signal in chosen.into_iter().chain([libc::SIGUSR1, libc::SIGUSR2, libc::SIGIO, libc::SIGRTMIN()])
        {
            assert!(before & bit(signal) == 0, "the control: {signal} is not blocked here");
            assert!(inside & bit(signal) != 0, "{signal}");
        }
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGABRT] {
            assert!(inside & bit(fault) == 0, "{fault}");
        }
    }
}
