//! The packages of justcall-auth: one file for each thing that ships.
//!
//! [`compile`] builds the code, for packages with zig's C compiler. [`static_library`] and [`shared_library`] turn it into libraries whose
//! only symbols are those of [`symbols`]. [`install`] places every file below a prefix, and the archives are that tree.

pub mod abi;
pub mod archive;
pub mod audit;
pub mod binary;
pub mod build;
pub mod cmake;
pub mod compile;
pub mod debian;
pub mod dist;
pub mod gate;
pub mod graph;
pub mod install;
pub mod manual;
pub mod notices;
pub mod pkg_config;
pub mod progress;
pub mod reference;
pub mod release;
pub mod report;
pub mod rust_api;
pub mod rust_types;
pub mod sandbox;
pub mod sbom;
pub mod shared_library;
pub mod source;
pub mod standard_library;
pub mod static_library;
pub mod symbols;
pub mod target;
pub mod tools;
pub mod verify;
pub mod wheel;
pub mod workspace;
