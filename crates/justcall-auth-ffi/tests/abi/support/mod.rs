//! Shared by the tests: the library, the compilers, the header and the sandbox.

pub(crate) mod header;
pub(crate) mod library;
pub(crate) mod program;
pub(crate) mod sandbox;
pub(crate) mod sanitizer;

use std::path::{Path, PathBuf};

/// Returns the root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace is there")
}
