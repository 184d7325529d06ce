//! What must hold for any input: one target for each kind of input, as a function of bytes.
//!
//! A target panics if something does not hold. Two programs run the same targets: the command of this crate, with stable
//! Rust and a simple mutator, and the programs in `fuzz/`, with libFuzzer. Both start with the seeds of a target, which
//! come from `tests/vectors`, and with its corpus in `fuzz/corpus`, which also holds every input that once failed.
//!
//! | module | contents |
//! |---|---|
//! | `targets` | one file for each target |
//! | `target` | the list of the targets |
//! | `input` | splits the bytes of an input |
//! | `disclosure` | checks that a text discloses nothing of a secret |
//! | `json` | `serde_json` as the model of a JSON object |
//! | `seeds` | the inputs to start with |
//! | `mutator`, `runner` | the run on stable Rust |

mod disclosure;
mod input;
mod json;
mod mutator;
pub mod runner;
mod seeds;
mod target;
mod targets;

pub use target::{PLANTED, TARGETS, Target};
