//! The command as users run it: the real binary against a real server.

mod checks;
mod doctor;
mod doctor_network;
mod explain;
mod header;
mod request;
mod run;
mod secrecy;
mod terminal;
mod usage;
mod verify;
