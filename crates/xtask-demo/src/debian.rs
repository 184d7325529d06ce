//! Debian in a folder: another release, in which programs are built or run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run::output;

/// A release of Debian in a folder.
pub struct DebianRoot {
    folder: PathBuf,
}

impl DebianRoot {
    /// Installs `suite` with these packages, separated by commas, into a folder, unless that is complete. Needs root and
    /// debootstrap.
    pub fn ensure(folder: &Path, suite: &str, packages: &str) -> Result<Self> {
        let root = Self { folder: folder.to_owned() };
        let complete = folder.join("complete");
        if fs::read_to_string(&complete).is_ok_and(|installed| installed == packages) {
            return Ok(root);
        }
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", "--include", packages, suite]);
        output(debootstrap.arg(folder).arg("http://deb.debian.org/debian"))?;
        fs::write(&complete, packages)?;
        Ok(root)
    }

    /// Copies the trusted certificates of this machine, which may include private authorities. Needs `ca-certificates`.
    pub fn trust_certificates(&self) -> Result<()> {
        let certificates = "etc/ssl/certs/ca-certificates.crt";
        fs::copy(Path::new("/").join(certificates), self.folder.join(certificates))?;
        Ok(())
    }

    /// Returns its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the command that runs a script in it. It sees `shared` under the same path, and no variables of this process.
    pub fn script(&self, shared: Option<&Path>, script: &str) -> Command {
        const ENTER: &str = "mount -t proc proc \"$0/proc\" && mount --rbind /dev \"$0/dev\" && \
                             cp /etc/resolv.conf \"$0/etc/resolv.conf\" && \
                             if [ -n \"$1\" ]; then mkdir -p \"$0$1\" && mount --rbind \"$1\" \"$0$1\"; fi && \
                             exec chroot \"$0\" env --ignore-environment HOME=/root \
                             PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CARGO_TARGET_DIR=/target sh -euc \"$2\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER]);
        command.arg(&self.folder).arg(shared.unwrap_or(Path::new(""))).arg(script);
        command
    }
}
