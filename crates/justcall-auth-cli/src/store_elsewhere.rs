//! Writing pairs on systems without owner, group and mode bits: nothing is written, and the user follows the manual
//! steps.

use std::convert::Infallible;

use justcall_auth::source::Content;
use justcall_auth::{Error, Source};

/// A place that can be written. On this system there is none.
#[derive(Debug)]
pub(crate) struct Target(Infallible);

impl Target {
    /// Returns `None`.
    pub fn of(_: &Source) -> Option<Result<Self, Error>> {
        None
    }

    /// Returns `None`.
    pub fn first(_: &Source) -> Option<Result<Self, Error>> {
        None
    }

    /// Returns the description of the place.
    pub fn place(&self) -> &str {
        match self.0 {}
    }

    /// Writes to the place.
    pub fn write(&self, _: &Content) -> Result<(), Error> {
        match self.0 {}
    }
}
