//! Many processes, calls, resets and faults under a simulated clock, and the promises that must hold in it.
//!
//! The product's exchange and keyring decide and do nothing themselves. Here a simulated world does it for them: drivers,
//! hosts, sources, a network and a service, whose every choice comes from a seed. A world runs one episode after another;
//! an episode is a few minutes of up to eight processes. [`checks`] holds the promises. The service's own record of
//! requests, and what was reported to each process and when, are the truth that they compare with.
//!
//! | file | what it holds |
//! |---|---|
//! | `episode` | the settings that are drawn for an episode, with the rate of each fault |
//! | `world` | the queue of events and the clock |
//! | `changes` | resets, mistakes of sources, forks, new clients, shutdowns |
//! | `drive` | the drivers of exchanges, and hosts that leave them alone |
//! | `network` | what becomes of requests and answers |
//! | `service`, `source` | what they are compared with |
//! | `plant` | bugs to plant, one for each check |
//! | `coverage` | how often each fault happened |

#![forbid(unsafe_code)]

mod call;
mod changes;
pub mod checks;
pub mod coverage;
mod drive;
mod episode;
mod network;
pub mod plant;
mod process;
mod queue;
mod random;
mod run;
mod service;
mod source;
mod trace;
mod world;

pub use checks::{Check, Violation};
pub use coverage::{Coverage, Seen};
pub use plant::Plant;
pub use run::{Options, Report, run};
pub use world::World;
