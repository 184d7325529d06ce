//! The files of `dist/` in a Debian that holds no Rust and nothing of the checkout.

mod lintian;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_demo::debian::DebianRoot;
use xtask_demo::run;

/// What users of the packages have installed.
const INSTALLED: &str = "gcc,g++,libc6-dev,make,pkg-config,python3-venv,xz-utils";

/// Installs the Debian `suite` into a folder under target/, once.
fn debian(suite: &str) -> PathBuf {
    let folder = run::target_dir(&run::root()).join("package/roots").join(suite);
    DebianRoot::ensure(&folder, suite, INSTALLED).expect("debootstrap");
    folder
}

/// Copies the files of `from` into the folder `to`, which is new.
fn copy(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("an old copy");
    }
    run::succeed(Command::new("cp").arg("--recursive").arg(from).arg(to)).expect("a copy");
}

fn install_use_and_purge(suite: &str) {
    let (root, debian) = (run::root(), debian(suite));
    copy(&root.join("dist"), &debian.join("packages"));
    copy(&root.join("examples"), &debian.join("examples"));
    fs::write(debian.join("script"), include_str!("script.sh")).expect("the script");
    let enter = "mount -t proc proc \"$0/proc\" && mount --rbind /dev \"$0/dev\" && ip link set lo up 2>/dev/null; exec chroot \"$0\" \
                 env --ignore-environment HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 sh -eu /script";
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", enter]);
    let printed = run::output(unshare.arg(&debian)).expect("the script succeeds");
    // Each line stands for one use that the script checked.
    for done in ["hashes", "command", "dynamic", "static", "embedded", "c++", "archive", "wheel", "purged"] {
        assert!(printed.lines().any(|line| line == done), "{suite}: {done} is missing:\n{printed}");
    }
}

#[test]
fn it_installs_works_and_is_purged_in_debian_12() {
    install_use_and_purge("bookworm");
}

#[test]
fn it_installs_works_and_is_purged_in_debian_13() {
    install_use_and_purge("trixie");
}
