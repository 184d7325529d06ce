//! The library as Debian 13's Rust compiles it, which is the oldest that the product supports: for this machine, and for
//! 64-bit ARM, for which Debian has a standard library. Debian has none for musl.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use xtask_demo::debian::DebianRoot;
use xtask_demo::run;
use xtask_package::{binary, symbols};

/// Debian 13 in a folder, with its own Rust.
struct Debian(DebianRoot);

impl Debian {
    /// Installs it into a folder under target/, once.
    fn ensure() -> Self {
        const INSTALLED: &str = "cargo,rustc,gcc,libc6-dev,binutils,pkg-config,ca-certificates";
        let folder = run::target_dir(&run::root()).join("package/roots/trixie-rust");
        let debian = Self(DebianRoot::ensure(&folder, "trixie", INSTALLED).expect("debootstrap"));
        debian.0.trust_certificates().expect("certificates");
        debian.copy_project();
        let complete = folder.join("complete-for-arm");
        if !complete.exists() {
            debian.output(
                "export DEBIAN_FRONTEND=noninteractive; dpkg --add-architecture arm64; apt-get update -q
                 apt-get install -y -q --no-install-recommends gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
                     libstd-rust-dev:arm64 qemu-user",
            );
            fs::write(complete, "").expect("a file");
        }
        debian
    }

    fn copy_project(&self) {
        let source = self.0.folder().join("src");
        fs::create_dir_all(&source).expect("a folder");
        let list = "git ls-files -z --cached --others --exclude-standard | \
                    tar --create --null --files-from=- | tar --extract --touch --directory=\"$0\"";
        let mut copy = Command::new("sh");
        run::succeed(copy.args(["-c", list]).arg(source).current_dir(run::root())).expect("a copy");
    }

    /// Runs a script in it. Returns its output.
    fn output(&self, script: &str) -> String {
        run::output(&mut self.0.script(None, &format!("cd /src; {script}"))).expect("the script succeeds")
    }

    /// Installs the library with these options of `cargo xtask install`. Checks its symbols.
    fn install(&self, options: &str) -> PathBuf {
        self.output(&format!(
            "rm -rf /opt/justcall; cargo xtask install --parts library --prefix /opt/justcall {options} 2>&1"
        ));
        let libraries = self.0.folder().join("opt/justcall/lib");
        assert_eq!(
            binary::exports(&libraries.join("libjustcall_auth.so.0")).expect("nm reads it"),
            versioned()
        );
        assert_eq!(
            binary::global_symbols(&libraries.join("libjustcall_auth.a")).expect("nm reads it"),
            symbols::exported(&run::root()).expect("the list")
        );
        libraries
    }

    /// Compiles `examples/c/verify.c` with the options that pkg-config prints, and runs it with the pair of a sandbox.
    fn verify(&self, cc: &str, module: &str, runner: &str) {
        let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
        fs::copy(sandbox.ca_file().expect("TLS is on"), self.0.folder().join("tmp/ca.pem")).expect("a copy");
        let printed = self.output(&format!(
            "export PKG_CONFIG_PATH=/opt/justcall/lib/pkgconfig; cd /tmp
             {cc} /src/examples/c/verify.c -o verify $(pkg-config --cflags --libs {module})
             export JUSTCALL_API_KEY={} JUSTCALL_API_SECRET={} LD_LIBRARY_PATH=/opt/justcall/lib
             {runner} ./verify env: {} /tmp/ca.pem",
            sandbox.api_key(),
            sandbox.api_secret(),
            sandbox.url(),
        ));
        assert!(printed.contains("account: 12345\n"), "{printed}");
    }
}

fn versioned() -> BTreeSet<String> {
    let nodes = symbols::nodes(&run::root()).expect("the lists agree with the header");
    let name = |node: &symbols::Node, symbol: &String| format!("{symbol}@@{}", node.name);
    nodes.iter().flat_map(|node| node.symbols.iter().map(|symbol| name(node, symbol))).collect()
}

#[test]
fn debian_13_builds_a_library_with_the_same_abi_for_itself_and_for_arm() {
    let debian = Debian::ensure();
    assert!(debian.output("rustc --version").starts_with("rustc 1.85."), "control: it is Debian's Rust");
    let machine = |libraries: &Path| {
        let header =
            run::output(Command::new("readelf").arg("-h").arg(libraries.join("libjustcall_auth.so.0")));
        header.expect("readelf reads it").lines().find(|line| line.contains("Machine:")).map(str::to_owned)
    };
    let own = debian.install("");
    debian.verify("cc", "justcall_auth", "");
    debian.verify("cc", "justcall_auth-static", "");
    assert!(machine(&own).is_some_and(|machine| machine.contains("X86-64")));

    let arm = debian.install("--target aarch64-linux-gnu");
    assert!(machine(&arm).is_some_and(|machine| machine.contains("AArch64")));
    let qemu = "qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=/opt/justcall/lib";
    debian.verify("aarch64-linux-gnu-gcc", "justcall_auth", qemu);
    debian.verify("aarch64-linux-gnu-gcc", "justcall_auth-static", qemu);
}
