//! The command as users run it: the real binary against a real server.

#[cfg(target_os = "linux")]
#[path = "../support/acl.rs"]
mod acl;
mod checks;
mod clock;
#[cfg(target_os = "linux")]
mod connection;
mod dialogue;
mod doctor;
mod doctor_network;
mod examples;
mod explain;
mod full_disk;
mod header;
#[cfg(target_os = "linux")]
mod out_of_memory;
mod practices;
mod request;
mod rotate;
mod rotate_files;
mod rotation;
mod run;
mod scan;
mod scan_corpus;
mod scan_encodings;
mod scan_history;
mod scan_hooks;
mod scan_hostile;
mod scan_reflog;
mod scan_secrecy;
mod scan_serialised;
mod secrecy;
mod setup;
mod snippets;
mod status;
mod terminal;
mod usage;
mod vault;
mod verify;
mod webhook;
mod webhook_overlap;
