#![doc = include_str!("../README.md")]
//!
//! ## Files
//!
//! | file | what it holds |
//! |---|---|
//! | `episode` | the settings that are drawn for an episode, with the rate of each fault |
//! | `world` | the queue of events and the clock |
//! | `changes` | resets, mistakes of sources, forks, new clients, shutdowns |
//! | `drive`, `read` | the drivers of exchanges, hosts that abandon them, and reads of the source |
//! | `network` | what becomes of requests and answers |
//! | `service`, `source` | what the service accepts and what each source gives |
//! | `checks` | the promises |
//! | `plant` | bugs to plant, one for each check |
//! | `violation` | what was found when a promise was not kept |
//! | `coverage` | how often each fault happened |

#![forbid(unsafe_code)]

mod call;
mod changes;
pub mod checks;
pub mod coverage;
mod drive;
mod episode;
mod machine;
mod network;
pub mod plant;
mod process;
mod queue;
mod random;
mod read;
mod run;
mod service;
mod source;
mod trace;
mod violation;
mod world;

pub use checks::Check;
pub use coverage::{Coverage, Seen};
pub use plant::Plant;
pub use run::{Options, Report, run};
pub use violation::Violation;
pub use world::World;
