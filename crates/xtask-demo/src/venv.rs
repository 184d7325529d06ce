//! Virtual environments of Python, under cargo's target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::run;

/// A virtual environment with pinned packages.
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// Creates the environment `name` with the packages of the file `requirements`, unless it exists.
    pub fn ensure(root: &Path, name: &str, requirements: &str) -> Result<Self> {
        let venv = Self { folder: run::target_dir(root).join(name) };
        if !venv.program("python").exists() {
            let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
            run::output(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&venv.folder))
                .context("Python 3.9 or newer with venv is needed (Debian: python3-venv)")?;
        }
        let requirements = root.join(requirements);
        let wanted = std::fs::read_to_string(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        // A copy of the requirements that were installed last: pip would need seconds to compare them.
        let stamp = venv.folder.join("requirements.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        println!("  installing the packages of {} into {}", requirements.display(), venv.folder.display());
        let mut pip = venv.command(root, "python", &["-m", "pip", "install", "--quiet", "--requirement"]);
        run::succeed(pip.arg(&requirements))?;
        std::fs::write(stamp, wanted)?;
        Ok(venv)
    }

    /// Returns the command that runs a program of the environment in `folder`.
    pub fn command(&self, folder: &Path, program: &str, arguments: &[&str]) -> Command {
        let mut command = run::command(folder, self.program(program), arguments);
        // maturin finds the environment with VIRTUAL_ENV.
        command.env("VIRTUAL_ENV", &self.folder).env_remove("PYTHONHOME").env_remove("PYTHONPATH");
        command
    }

    /// Returns the path of a program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }
}
