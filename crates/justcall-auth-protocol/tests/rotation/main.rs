//! A process with many calls, a source and a service, all under one clock that is not the machine's: resets, late and
//! wrong sources, lost answers, in random order.

mod adversaries;
mod calls;
mod edges;
mod forgetting;
mod leases;
mod limits;
mod one_pair;
#[path = "../property/mod.rs"]
mod property;
mod resets;
mod rules;
mod world;
