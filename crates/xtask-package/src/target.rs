//! The systems that packages are built for.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::output;

/// The C library that a binary needs at most: that of `CentOS` 7 and of Python's manylinux2014.
pub const GLIBC: &str = "2.17";

/// A system that packages are built for.
#[derive(Debug)]
pub struct Target {
    /// The name in file names and in the name of the multiarch folder.
    pub name: &'static str,
    /// The name that rustc uses.
    pub triple: &'static str,
    /// The architecture in names of Debian packages.
    pub debian: &'static str,
    /// The prefix of the names of GCC and binutils for this target.
    pub tools: &'static str,
}

/// The targets. The first is the default.
pub const TARGETS: &[Target] = &[
    Target {
        name: "x86_64-linux-gnu",
        triple: "x86_64-unknown-linux-gnu",
        debian: "amd64",
        tools: "x86_64-linux-gnu-",
    },
    Target {
        name: "aarch64-linux-gnu",
        triple: "aarch64-unknown-linux-gnu",
        debian: "arm64",
        tools: "aarch64-linux-gnu-",
    },
];

impl Target {
    /// Returns the target with this name. Fails if there is none.
    pub fn named(name: &str) -> Result<&'static Self> {
        let found = TARGETS.iter().find(|target| target.name == name);
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        ensure!(found.is_some(), "There is no target {name}. The targets are {}.", names.join(" and "));
        Ok(found.expect("checked above"))
    }

    /// Returns the name of the processor, as in the tags of wheels.
    pub fn architecture(&self) -> &'static str {
        self.triple.split('-').next().unwrap_or_default()
    }

    /// Returns the target that is this machine. Fails if there is none.
    pub fn host() -> Result<&'static Self> {
        let host = Self::host_triple()?;
        let found = TARGETS.iter().find(|target| target.triple == host);
        found.with_context(|| {
            let triples: Vec<&str> = TARGETS.iter().map(|target| target.triple).collect();
            format!("The library is installed on {} only, and this machine is {host}.", triples.join(" and "))
        })
    }

    /// Returns the name that rustc uses for this machine.
    pub fn host_triple() -> Result<String> {
        let version = output(Command::new("rustc").arg("-vV"))?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(host.context("rustc prints no host")?.to_owned())
    }

    /// Returns the name of this target that zig uses, with the version of the C library.
    pub fn zig(&self) -> String {
        format!("{}.{GLIBC}", self.name)
    }

    /// Returns the name of a tool of GCC or binutils for this target.
    pub fn tool(&self, name: &str) -> String {
        format!("{}{name}", self.tools)
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn it_names_the_targets_if_one_is_unknown() {
        assert_eq!(Target::named("x86_64-linux-gnu").expect("a target").debian, "amd64");
        let message = Target::named("sparc-sun-solaris").expect_err("not a target").to_string();
        assert!(message.starts_with("There is no target sparc-sun-solaris."), "{message}");
        assert!(message.contains("aarch64-linux-gnu") && !message.contains('\n'), "{message}");
    }
}
