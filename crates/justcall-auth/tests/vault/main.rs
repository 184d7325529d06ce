//! `vault:` with a real server of OpenBao: the pair, the errors, the logins, the cluster, and writing.

mod clients;
mod cluster;
mod faults;
mod login;
mod reading;
#[path = "../support/mod.rs"]
mod sandboxes;
mod support;
mod writing;
