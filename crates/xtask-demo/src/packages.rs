//! The Debian packages that a command needs: a list for each.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

/// What the demo needs.
pub const DEMO: &str = "debian-packages-demo.txt";
/// What the tests need.
pub const TESTS: &str = "debian-packages.txt";
/// What the bench needs.
pub const BENCH: &str = "debian-packages-bench.txt";
/// What compiling for other systems needs.
pub const PLATFORMS: &str = "debian-packages-platforms.txt";

/// Installs what `list` names and is missing, or says in one line what to install.
pub fn ensure(root: &Path, list: &str) -> Result<()> {
    let missing: Vec<String> =
        listed(&root.join(list))?.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    if !is_present("apt-get") {
        bail!("missing here, by their Debian names: {}", missing.join(" "));
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
