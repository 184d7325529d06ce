//! Installs the Debian packages that a command needs. Each command has a list.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

/// The list of the demo.
pub const DEMO: &str = "debian-packages-demo.txt";
/// The list of the tests.
pub const TESTS: &str = "debian-packages.txt";
/// The list of `cargo xtask test --full`, beside the list of the tests.
pub const FULL: &str = "debian-packages-full.txt";
/// The list of the bench.
pub const BENCH: &str = "debian-packages-bench.txt";
/// The list of `cargo xtask bench --gate`, beside the lists of the tests and of `cargo xtask package`.
pub const COUNTS: &str = "debian-packages-counts.txt";
/// The list of `cargo xtask package`, beside the list of the tests.
pub const PACKAGE: &str = "debian-packages-package.txt";
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

/// Returns true if a package is installed, or another one that provides it: some builds of Node.js contain npm.
fn is_installed(package: &str) -> bool {
    let format = "${db:Status-Status}\t${Package}, ${Provides}\n";
    run::output(Command::new("dpkg-query").args(["-W", "-f", format])).is_ok_and(|list| has(&list, package))
}

/// Looks a package up in lines of a status, a tab, and the names that the package has.
fn has(list: &str, package: &str) -> bool {
    let installed = |line: &str| {
        let names = line.strip_prefix("installed\t")?;
        names.split(',').any(|name| name.split_whitespace().next() == Some(package)).then_some(())
    };
    list.lines().any(|line| installed(line).is_some())
}

fn is_present(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[cfg(test)]
mod tests {
    use super::has;

    #[test]
    fn it_counts_a_package_that_an_installed_one_provides() {
        let list = "installed\tnodejs, npm, nodejs-doc (= 20)\nnot-installed\tgdb, \ninstalled\tcurl, \n";
        for package in ["nodejs", "npm", "nodejs-doc", "curl"] {
            assert!(has(list, package), "{package}");
        }
        for package in ["gdb", "node", "git", ""] {
            assert!(!has(list, package), "{package}");
        }
    }
}
