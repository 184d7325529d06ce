//! Threads of the library that leave the signals of the program alone.

use std::io;
use std::thread;

/// Starts a thread that runs `work` and receives no signal sent to the process: the handlers of the program may expect
/// to run on its own threads. Signals raised by a fault of the thread itself are not blocked.
///
/// # Errors
/// Fails if the system cannot start another thread.
pub fn spawn_without_signals(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // A new thread inherits the signal mask of the thread that starts it.
    let _blocked = BlockedSignals::begin();
    thread::Builder::new().name(name.into()).spawn(work).map(drop)
}

/// Blocks signals on the current thread until it is dropped.
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
        // SAFETY: a signal set is plain data and may be zero; all calls receive sets of this function.
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

/// Other systems have no signal masks for threads.
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

    /// Returns the signals that the current thread blocks, as bits.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("the kernel has this file");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("hexadecimal")
    }

    fn bit(signal: i32) -> u64 {
        1 << (signal - 1)
    }

    #[test]
    fn it_blocks_signals_in_the_new_thread_only() {
        let before = blocked();
        let (send, receive) = mpsc::channel();
        spawn_without_signals("test", move || send.send(blocked()).expect("the test receives"))
            .expect("a thread");
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
