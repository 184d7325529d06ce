//! The faults of `servers`, `networks` and `clocks`: real servers, networks and clocks, and the calls of programs in three
//! languages. `README.md` describes the files.
//!
//! [`vector`] reads them. [`server`] starts nginx, haproxy or stunnel with the certificates of [`certificates`]. [`caller`]
//! starts a program that makes calls, [`clock`] lets the time of this program jump. [`network`] runs a vector in a network of
//! its process, with the name server of [`names`]. [`run`] makes the calls of a vector and compares the rows. [`storm`]
//! calls while a server reloads. [`report`] runs all of them.

pub mod caller;
pub mod certificates;
pub mod clock;
pub mod names;
pub mod network;
pub mod report;
pub mod run;
pub mod server;
pub mod storm;
pub mod vector;
