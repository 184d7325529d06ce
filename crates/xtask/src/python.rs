//! The virtual environment for the tests of the Python module.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

/// A virtual environment under target/, in which the module is installed.
pub struct Venv {
    folder: PathBuf,
}

impl Venv {
    /// Creates the environment with the pinned tools, unless it exists.
    pub fn ensure(root: &Path) -> Result<Self> {
        let folder = run::target_dir(root).join("venv");
        let venv = Self { folder };
        if !venv.program("python").exists() {
            let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
            run::output(Command::new(&python).args(["-m", "venv", "--clear"]).arg(&venv.folder))
                .context("Python 3.9 or newer with venv is needed (Debian: python3-venv)")?;
        }
        let requirements = root.join("bindings/python/requirements-dev.txt");
        let wanted = std::fs::read_to_string(&requirements).context("cannot read requirements-dev.txt")?;
        // A copy of the requirements that were installed last: pip would need seconds to compare them.
        let stamp = venv.folder.join("requirements-dev.txt");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(venv);
        }
        println!("  installing maturin, pytest, mypy, ruff and codespell into {}", venv.folder.display());
        let mut pip = venv.command(root, "python", &["-m", "pip", "install", "--quiet", "--requirement"]);
        run::succeed(pip.arg(&requirements))?;
        std::fs::write(stamp, wanted)?;
        Ok(venv)
    }

    /// Builds the module and installs it.
    pub fn install_module(&self, root: &Path) -> Result<()> {
        let project = root.join("bindings/python");
        let mut maturin = self.command(&project, "maturin", &["develop", "--quiet"]);
        run::succeed(maturin.env("CARGO_TARGET_DIR", run::target_dir(root)))
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

/// Fails if pytest's `report` lists a skipped test that `tests/allowed-skips.txt` does not list.
pub fn refuse_skips(root: &Path, report: &str) -> Result<()> {
    let allowed =
        std::fs::read_to_string(root.join("tests/allowed-skips.txt")).context("tests/allowed-skips.txt")?;
    let is_allowed = |line: &str| {
        allowed
            .lines()
            .any(|allowed| !allowed.starts_with('#') && !allowed.is_empty() && line.contains(allowed))
    };
    match report.lines().find(|line| line.starts_with("SKIPPED") && !is_allowed(line)) {
        Some(line) => bail!("a test was skipped that tests/allowed-skips.txt does not list: {line}"),
        None => Ok(()),
    }
}
