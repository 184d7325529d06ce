//! One run of one program, measured by the launcher `once`.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run::output;

use crate::build::Programs;
use crate::server::pinned;

/// One run of one program.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall_ns: f64,
    pub cpu_ns: f64,
    pub peak_kib: f64,
}

/// Runs a program, given with its arguments, and measures it.
pub fn launch(programs: &Programs, arguments: &[String]) -> Result<Cost> {
    let mut launcher: Command = pinned(programs.workers.join("once"));
    let said = output(launcher.args(arguments))?;
    let figures: Value =
        serde_json::from_str(&said).with_context(|| format!("the launcher said {said:?}"))?;
    let figure = |name: &str| figures[name].as_f64().with_context(|| format!("no {name} from the launcher"));
    Ok(Cost { wall_ns: figure("wall_ns")?, cpu_ns: figure("cpu_ns")?, peak_kib: figure("peak_kib")? })
}
