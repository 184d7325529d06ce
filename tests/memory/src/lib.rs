//! Looks, from outside, for plain copies of a secret in a process and in its core file.
//!
//! [`needles`] knows what to look for, [`process`] and [`core_file`] where, [`target`] drives a program that uses the
//! library, and [`rows`] are the moments at which it is looked at; [`matrix`] puts them together. The scanner is
//! another process than the one it looks at, and never holds the secret plain itself.
//!
//! Reading `/proc/PID/mem` needs no root for a process of the same user, unless Yama's `ptrace_scope` is 2 or 3; with
//! 1 the target must be a child, as those of these tests are. `gcore` needs what reading does.

pub mod core_file;
pub mod maps;
pub mod matrix;
pub mod needles;
pub mod pair;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod rows;
pub mod sandbox;
pub mod target;
