//! A process with many calls, a source and a service under a simulated clock, with resets, late and wrong sources and
//! lost responses in random order.

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
