//! Looks, from outside, for plain copies of a secret in a process and in its core file.
//!
//! [`needles`] knows what to look for, [`process`] and [`core_file`] where, [`target`] drives a program that uses the
//! library, and [`rows`] are the moments at which it is looked at; [`matrix`] puts them together. The scanner is
//! another process than the one it looks at, and never holds the secret plain itself.
//!
//! Rights: without Yama (`/proc/sys/kernel/yama/ptrace_scope` absent or 0) a user may read the memory of processes of the
//! same user. With 1 only of children, as the targets are; but `gcore` is no parent of theirs, so core files then need
//! root, as everything does with 2.

pub mod cli;
pub mod core_file;
pub mod maps;
pub mod matrix;
pub mod needles;
pub mod pair;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod rights;
pub mod rows;
pub mod sandbox;
pub mod target;
