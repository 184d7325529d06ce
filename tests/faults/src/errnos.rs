//! The system calls of the library, and the errors with which each one may fail.

/// What a system call is about. It decides which errors of the library fit the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallClass {
    /// Files: the source, the certificate authorities, the file that `rotate` writes.
    File,
    /// Sockets.
    Network,
    /// Memory that the library protects, or that the allocator asks for.
    Memory,
    /// Processes, threads, time and random numbers.
    Process,
}

/// A system call that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FallibleCall {
    /// Its name, as strace prints it.
    pub name: &'static str,
    /// What it is about.
    pub class: CallClass,
    /// The errors that its manual page lists and that a working machine can meet.
    pub errnos: &'static [&'static str],
}

const fn call(name: &'static str, class: CallClass, errnos: &'static [&'static str]) -> FallibleCall {
    FallibleCall { name, class, errnos }
}

use CallClass::{File, Memory, Network, Process};

/// Every call that can fail.
pub const FALLIBLE: &[FallibleCall] = &[
    call("access", File, &["EACCES", "EIO"]),
    call("chmod", File, &["EPERM", "EIO"]),
    call("close", File, &["EIO", "EINTR"]),
    call("copy_file_range", File, &["EIO", "ENOSPC"]),
    call("dup", File, &["EMFILE"]),
    call("dup2", File, &["EBUSY"]),
    call("dup3", File, &["EBUSY"]),
    call("epoll_create1", File, &["EMFILE"]),
    call("eventfd2", File, &["EMFILE"]),
    call("faccessat2", File, &["EACCES"]),
    call("fadvise64", File, &["EINVAL"]),
    call("fallocate", File, &["ENOSPC", "EOPNOTSUPP", "EIO"]),
    call("fchmod", File, &["EPERM", "EIO"]),
    call("fchown", File, &["EPERM", "EIO"]),
    call("fcntl", File, &["EINVAL"]),
    call("fgetxattr", File, &["EOPNOTSUPP", "EIO"]),
    call("flistxattr", File, &["EOPNOTSUPP", "EIO"]),
    call("flock", File, &["ENOLCK", "EINTR"]),
    call("fremovexattr", File, &["EIO"]),
    call("fsetxattr", File, &["EOPNOTSUPP", "ENOSPC"]),
    call("fstat", File, &["EIO", "ENOMEM"]),
    call("fstatfs", File, &["EIO"]),
    call("fsync", File, &["EIO", "ENOSPC"]),
    call("fdatasync", File, &["EIO", "ENOSPC"]),
    call("ftruncate", File, &["EIO", "ENOSPC"]),
    call("getcwd", File, &["ENOENT"]),
    call("getdents64", File, &["EIO", "ENOENT"]),
    call("getxattr", File, &["EOPNOTSUPP"]),
    call("ioctl", File, &["EIO"]),
    call("link", File, &["EIO", "EMLINK"]),
    call("linkat", File, &["EIO", "EMLINK"]),
    call("listxattr", File, &["EOPNOTSUPP"]),
    call("lseek", File, &["EINVAL"]),
    call("lstat", File, &["EACCES", "EIO"]),
    call("mkdir", File, &["ENOSPC", "EACCES"]),
    call("mkdirat", File, &["ENOSPC", "EACCES"]),
    call("newfstatat", File, &["EACCES", "EIO"]),
    call("open", File, &["EMFILE", "EACCES", "EIO"]),
    call("openat", File, &["EMFILE", "EACCES", "EIO"]),
    call("openat2", File, &["ENOSYS", "EACCES"]),
    call("pipe2", File, &["EMFILE", "ENFILE"]),
    call("pread64", File, &["EIO", "EINTR"]),
    call("read", File, &["EIO", "EINTR"]),
    call("readlink", File, &["EIO", "ENOENT"]),
    call("readlinkat", File, &["EIO", "ENOENT"]),
    call("rename", File, &["ENOSPC", "EACCES"]),
    call("renameat", File, &["ENOSPC", "EACCES"]),
    call("renameat2", File, &["ENOSPC", "EACCES"]),
    call("rmdir", File, &["EBUSY"]),
    call("sendfile", File, &["EIO"]),
    call("stat", File, &["EACCES", "EIO"]),
    call("statfs", File, &["EIO"]),
    call("statx", File, &["EACCES", "EIO", "ENOSYS"]),
    call("symlink", File, &["ENOSPC", "EACCES"]),
    call("symlinkat", File, &["ENOSPC", "EACCES"]),
    call("unlink", File, &["EBUSY", "EIO"]),
    call("unlinkat", File, &["EBUSY", "EIO"]),
    call("write", File, &["EIO", "ENOSPC", "EINTR"]),
    call("writev", File, &["EIO", "ENOSPC"]),
    call("bind", Network, &["EADDRINUSE", "EACCES"]),
    call("connect", Network, &["ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL"]),
    call("getpeername", Network, &["ENOTCONN"]),
    call("getsockname", Network, &["ENOBUFS"]),
    call("getsockopt", Network, &["ENOBUFS"]),
    call("poll", Network, &["EINTR", "ENOMEM"]),
    call("ppoll", Network, &["EINTR", "ENOMEM"]),
    call("recvfrom", Network, &["ECONNRESET", "EINTR", "EAGAIN"]),
    call("recvmsg", Network, &["ECONNRESET", "ENOMEM"]),
    call("sendmmsg", Network, &["ENOBUFS"]),
    call("sendmsg", Network, &["ECONNRESET", "ENOBUFS"]),
    call("sendto", Network, &["ECONNRESET", "EPIPE", "EINTR", "EAGAIN"]),
    call("setsockopt", Network, &["ENOBUFS"]),
    call("shutdown", Network, &["ENOTCONN"]),
    call("socket", Network, &["EMFILE", "ENOBUFS", "EACCES"]),
    call("socketpair", Network, &["EMFILE"]),
    call("madvise", Memory, &["EINVAL", "ENOMEM"]),
    call("memfd_create", Memory, &["ENOSYS", "EMFILE"]),
    call("memfd_secret", Memory, &["ENOSYS", "EMFILE"]),
    call("mlock", Memory, &["ENOMEM", "EPERM"]),
    call("mlock2", Memory, &["ENOMEM", "EPERM"]),
    call("mmap", Memory, &["ENOMEM"]),
    call("mprotect", Memory, &["ENOMEM"]),
    call("mremap", Memory, &["ENOMEM"]),
    call("munlock", Memory, &["ENOMEM"]),
    call("munmap", Memory, &["ENOMEM"]),
    call("clock_nanosleep", Process, &["EINTR"]),
    call("clone", Process, &["EAGAIN", "ENOMEM"]),
    call("clone3", Process, &["EAGAIN", "ENOMEM"]),
    call("execve", Process, &["ENOENT", "ENOMEM"]),
    call("fork", Process, &["EAGAIN"]),
    call("getrandom", Process, &["ENOSYS", "EINTR"]),
    call("kill", Process, &["ESRCH"]),
    call("membarrier", Process, &["ENOSYS"]),
    call("pidfd_open", Process, &["ENOSYS", "EMFILE"]),
    call("pidfd_send_signal", Process, &["ESRCH"]),
    call("prctl", Process, &["EINVAL"]),
    call("prlimit64", Process, &["EPERM"]),
    call("sched_getaffinity", Process, &["EINVAL"]),
    call("setpgid", Process, &["EPERM"]),
    call("sysinfo", Process, &["EINVAL"]),
    call("tgkill", Process, &["ESRCH"]),
    call("vfork", Process, &["EAGAIN"]),
    call("wait4", Process, &["EINTR", "ECHILD"]),
    call("waitid", Process, &["EINTR", "ECHILD"]),
];

/// Calls that cannot fail with valid arguments, or do not return. `brk` reports a failure by the address that it returns,
/// which strace does not know; the allocations that need it fail by `targets/failing_malloc.c`.
const INFALLIBLE: &[&str] = &[
    "arch_prctl",
    "brk",
    "clock_gettime",
    "close_range",
    "exit",
    "exit_group",
    "futex",
    "getegid",
    "geteuid",
    "getgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getresgid",
    "getresuid",
    "gettid",
    "getuid",
    "restart_syscall",
    "rseq",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigsuspend",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "umask",
    "uname",
];

/// Returns the row of the call, or `None` for one that cannot fail.
///
/// # Panics
/// If neither list has the call, so that its errors are added first.
pub fn fallible(name: &str) -> Option<&'static FallibleCall> {
    let found = FALLIBLE.iter().find(|call| call.name == name);
    assert!(found.is_some() || INFALLIBLE.contains(&name), "{name} is in neither list of src/errnos.rs");
    found
}
