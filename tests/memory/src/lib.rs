//! Searches the memory and the core file of a process for plain copies of a secret.
//!
//! [`needles`] are the byte sequences to find. [`process`] searches memory, and [`core_file`] searches a core file.
//! [`target`] controls a program that uses the library. [`rows`] are the moments at which a program is scanned, and
//! [`matrix`] scans it. The scanner is a separate process, and holds the secret only masked.
//!
//! Rights: without Yama (`/proc/sys/kernel/yama/ptrace_scope` absent or 0) a user may read the memory of all processes of
//! the same user. With 1, a process may read only that of its children, such as the targets; `gcore` is not their parent,
//! so core files need root. With 2, everything needs root.

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
pub mod vault;
