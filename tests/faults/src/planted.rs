//! The positive control: wrong reactions of `targets/target.c` to a failed call, each of which the judge must notice.

use anyhow::{Result, ensure};

use crate::programs::{Program, Programs};
use crate::run::Case;
use crate::scenario::Scenario;
use crate::sweep::{Extent, sweep};

/// A planted bug, the scenario in which a failed `openat` reveals it, and a part of the broken promise.
const BUGS: [(&str, Scenario, &str); 7] = [
    ("print", Scenario::LoadFile, "a part of a secret"),
    ("tear", Scenario::LoadFile, "neither pair is whole"),
    ("descriptor", Scenario::LoadFile, "descriptors are open"),
    ("abort", Scenario::LoadFile, "signal 6"),
    ("row", Scenario::LoadFile, "internal does not fit"),
    ("hang", Scenario::LoadFile, "it did not end"),
    ("ignore", Scenario::Verify, "the service answered no request"),
];

/// Plants each bug and checks that it is noticed. Returns their names.
///
/// # Errors
/// If a bug is not noticed, or a program cannot be run.
pub fn check(programs: &Programs) -> Result<Vec<&'static str>> {
    for (bug, scenario, noticed) in BUGS {
        let case = Case { program: Program::C, scenario };
        let broken = sweep(programs, &[case], &Extent::First("openat"), bug)?.broken();
        ensure!(
            broken.iter().any(|promise| promise.contains(noticed)),
            "the planted bug {bug} is not noticed: {broken:?}"
        );
    }
    Ok(BUGS.map(|(bug, ..)| bug).to_vec())
}
