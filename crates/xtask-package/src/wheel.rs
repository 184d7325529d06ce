//! The Python packages: the wheel with the module and the command, and the source distribution.
//!
//! The module is compiled as the libraries are, not by maturin, which would compile all crates again with compilers of its
//! choice. maturin writes the metadata.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{command, output};

use crate::binary::Stripped;
use crate::build::{Builder, Built};
use crate::notices::{self, WHEEL};
use crate::sbom::{self, Bills};
use crate::standard_library::Notice;
use crate::target::Target;
use crate::workspace::VERSION;

/// The module inside the wheel.
const MODULE: &str = "justcall_auth/_native.abi3.so";

impl Builder {
    /// Builds the Python module.
    pub fn module(&self) -> Result<Stripped> {
        self.finish(&self.compiler.module()?, WHEEL[0])
    }

    /// Writes the wheel into `dist`. All files get the time `time`. `added` has the notices of what compilers add.
    pub fn wheel(
        &self,
        built: &Built,
        bills: &Bills,
        added: &[Notice],
        dist: &Path,
        time: u64,
    ) -> Result<()> {
        let work = tempfile::tempdir()?;
        let wheel = work.path();
        copy_package(&self.root.join("bindings/python/python"), wheel)?;
        put(&built.module.path, &wheel.join(MODULE), 0o755)?;
        let scripts = wheel.join(format!("justcall_auth-{VERSION}.data/scripts"));
        put(&built.programs.command.path, &scripts.join("justcall-auth"), 0o755)?;
        let information = self.information(wheel)?;
        fs::write(
            information.join("licenses/THIRD-PARTY"),
            notices::text(&notices::dependencies(bills.graph, &WHEEL)?, added)?,
        )?;
        fs::create_dir(information.join("sboms"))?;
        fs::write(information.join("sboms").join(sbom::FILE), bills.of(&WHEEL)?)?;
        // Not those of this process' umask.
        output(command(wheel, "chmod", &["--recursive", "u=rwX,go=rX"]).arg(wheel))?;
        let mut pack = self.compiler.python(dist, "python", &["-m", "wheel", "pack", "--dest-dir"])?;
        pack.arg(dist).arg(wheel).env("SOURCE_DATE_EPOCH", time.to_string());
        output(&mut pack).map(|_| ())
    }

    /// Writes the folder with the metadata into `wheel`. Returns its path.
    fn information(&self, wheel: &Path) -> Result<std::path::PathBuf> {
        let project = self.root.join("bindings/python");
        let arguments = ["pep517", "write-dist-info", "--interpreter", "python", "--metadata-directory"];
        output(self.compiler.python(&project, "maturin", &arguments)?.arg(wheel))?;
        let information = wheel.join(format!("justcall_auth-{VERSION}.dist-info"));
        for (name, change) in [("METADATA", with_notices as fn(&str, &Target) -> _), ("WHEEL", with_tags)] {
            let path = information.join(name);
            let text = fs::read_to_string(&path).with_context(|| format!("maturin wrote no {name}"))?;
            fs::write(&path, change(&text, self.compiler.target())?)?;
        }
        Ok(information)
    }

    /// Writes the source distribution into `dist`.
    pub fn source_distribution(&self, dist: &Path) -> Result<()> {
        let project = self.root.join("bindings/python");
        let mut maturin = self.compiler.python(&project, "maturin", &["sdist", "--out"])?;
        output(maturin.arg(dist)).map(|_| ())
    }
}

/// Adds the notices to the list of licence files in the metadata of a wheel.
fn with_notices(metadata: &str, _: &Target) -> Result<String> {
    let last = "License-File: LICENSE-MIT\n";
    ensure!(metadata.contains(last), "The wheel's metadata names no LICENSE-MIT.");
    Ok(metadata.replace(last, &format!("{last}License-File: THIRD-PARTY\n")))
}

/// Replaces the tag for this machine by those for every system with the glibc that the binaries need.
fn with_tags(wheel: &str, target: &Target) -> Result<String> {
    let (before, _) = wheel.split_once("Tag: cp39-abi3-").context("maturin wrote no tag for abi3")?;
    let tag = |platform: &str| format!("Tag: cp39-abi3-{platform}_{}\n", target.architecture());
    Ok([before, &tag("manylinux_2_17"), &tag("manylinux2014")].concat())
}

/// Copies the files of the package, without what Python and maturin left there.
fn copy_package(from: &Path, to: &Path) -> Result<()> {
    let mut list = command(from, "git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    for name in output(&mut list)?.lines().filter(|name| from.join(name).is_file()) {
        put(&from.join(name), &to.join(name), 0o644)?;
    }
    Ok(())
}

/// Copies a file, and gives it these permissions.
fn put(file: &Path, place: &Path, mode: u32) -> Result<()> {
    fs::create_dir_all(place.parent().context("it is in a folder")?)?;
    fs::copy(file, place).with_context(|| format!("cannot write {}", place.display()))?;
    Ok(fs::set_permissions(place, fs::Permissions::from_mode(mode))?)
}

#[cfg(test)]
mod tests {
    use super::{with_notices, with_tags};
    use crate::target::TARGETS;

    #[test]
    fn it_lists_the_notices_after_the_licences() {
        let metadata = "License-File: LICENSE-APACHE\nLicense-File: LICENSE-MIT\nSummary: x\n";
        let expected = metadata.replace("Summary", "License-File: THIRD-PARTY\nSummary");
        assert_eq!(with_notices(metadata, &TARGETS[0]).expect("metadata"), expected);
        assert!(with_notices("Summary: x\n", &TARGETS[0]).is_err());
    }

    #[test]
    fn it_tags_the_wheel_for_the_target() {
        let wheel = "Root-Is-Purelib: false\nTag: cp39-abi3-linux_x86_64\n";
        assert_eq!(
            with_tags(wheel, &TARGETS[1]).expect("tags"),
            "Root-Is-Purelib: false\nTag: cp39-abi3-manylinux_2_17_aarch64\nTag: cp39-abi3-manylinux2014_aarch64\n"
        );
        assert!(with_tags("Tag: cp311-cp311-linux_x86_64\n", &TARGETS[0]).is_err());
    }
}
