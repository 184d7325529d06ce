//! Tests of processes in which one system call fails, or one allocation, and of calls through real servers.
//!
//! [`programs`] finds and compiles the programs: `targets/target.c`, `targets/target.py` and the command. [`scenario`]
//! prepares what a program does between two markers. [`strace`] lists its system calls and lets one of them fail, with an
//! error of [`errnos`]. [`run`] runs a program and collects what it did, [`judge`] checks that against the promises, and
//! [`sweep`] does so for every call. [`allocations`] does the same with an allocator that fails once. [`planted`] checks that
//! the judge notices bugs.
//!
//! [`soak`] lets programs call for long. [`vectors`] has the faults of real servers, networks and clocks.

pub mod allocations;
pub mod errnos;
pub mod judge;
pub mod piped;
pub mod planted;
pub mod programs;
pub mod run;
pub mod scenario;
pub mod soak;
pub mod strace;
pub mod sweep;
pub mod vectors;
