//! `vault:` with a real server of OpenBao: the pair, the errors, the logins, the cluster, and writing.

mod cluster;
mod faults;
mod login;
mod reading;
mod support;
