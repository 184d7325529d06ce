//! What was found when a promise was not kept.

use std::fmt;

use crate::checks::Check;
use crate::plant::Plant;

/// A promise that was not kept.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which promise.
    pub check: Check,
    /// What happened instead.
    pub message: String,
    /// The seed of the episode.
    pub seed: u64,
    /// The bug that was planted in it.
    pub plant: Option<Plant>,
    /// The events before it.
    pub trace: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.trace)?;
        writeln!(f, "not kept: {} ({:?})", self.check.promise(), self.check)?;
        writeln!(f, "{}", self.message)?;
        write!(f, "again: cargo xtask simulate --seed {} --episodes 1", self.seed)?;
        self.plant.map_or(Ok(()), |plant| write!(f, " --plant {plant:?}"))
    }
}
