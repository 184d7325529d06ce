//! Installs the Debian packages that a command needs. Each command has a list.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

/// The list of the demo.
pub const DEMO: &str = "debian-packages-demo.txt";
/// The list of the tests.
pub const TESTS: &str = "debian-packages.txt";
/// The list of the bench.
pub const BENCH: &str = "debian-packages-bench.txt";
/// The list of `cargo xtask platforms`.
pub const PLATFORMS: &str = "debian-packages-platforms.txt";

/// Installs the missing packages of `list`. Fails with the command to run if this process is not root or has no apt-get.
pub fn ensure(root: &Path, list: &str) -> Result<()> {
    let missing: Vec<String> =
        listed(&root.join(list))?.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    if !is_present("apt-get") {
        bail!("packages are missing, by their Debian names: {}", missing.join(" "));
    }
    if run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() != "0") {
        bail!("packages are missing; run: sudo {install}");
    }
    println!("  installing {}", missing.join(" "));
    for arguments in [vec!["update", "-q"], install.split(' ').skip(1).collect()] {
        run::succeed(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
    }
    Ok(())
}

fn listed(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    Ok(text.lines().map(name).filter(|name| !name.is_empty()).collect())
}

fn is_installed(package: &str) -> bool {
    run::output(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]))
        .is_ok_and(|status| status == "installed")
}

fn is_present(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
