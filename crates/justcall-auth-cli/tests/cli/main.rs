//! The command as users run it: the real binary against a real server.

mod explain;
mod header;
mod run;
mod secrecy;
mod terminal;
mod usage;
mod verify;
