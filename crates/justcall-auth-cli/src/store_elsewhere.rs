//! Where a pair is written: nowhere on this system, whose rights are no matter of owner, group and mode. It is changed by
//! hand.

use std::convert::Infallible;

use justcall_auth::source::Content;
use justcall_auth::{Error, Source};

/// A place that can be written, of which there is none.
#[derive(Debug)]
pub(crate) struct Target(Infallible);

impl Target {
    /// None.
    pub fn of(_: &Source) -> Option<Result<Self, Error>> {
        None
    }

    /// None either.
    pub fn first(_: &Source) -> Option<Result<Self, Error>> {
        None
    }

    /// Where it is, in words.
    pub fn place(&self) -> &str {
        match self.0 {}
    }

    /// Writes to it.
    pub fn write(&self, _: &Content) -> Result<(), Error> {
        match self.0 {}
    }
}
