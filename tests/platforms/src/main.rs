//! `cargo xtask platforms`: compiles the product for other systems and with the oldest Rust, and runs it where possible.
//!
//! Debian 13 has Rust 1.85 with the source of the standard library, which is built for the other systems. It has Wine,
//! which runs programs for Windows, and QEMU, which runs programs for ARM. It is installed into a folder and used by chroot,
//! so that this machine does not change. Nothing in Debian runs programs for macOS, so the product is only compiled for it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, ensure};

use xtask_demo::packages;
use xtask_demo::run::{self, cargo, command, step, succeed};
use xtask_demo::sandbox::RunningSandbox;

/// The packages that are installed into that Debian.
const INSIDE: &str = "ca-certificates cargo rustc rust-src libstd-rust-dev gcc libc6-dev gcc-mingw-w64-x86-64 wine wine64 \
                      gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3-venv";
/// The crates for users. The sandbox and the developer's commands may need a newer Rust.
const PRODUCT: &str = "-p justcall-auth-secret -p justcall-auth-protocol -p justcall-auth -p justcall-auth-ffi -p justcall-auth-scan \
                       -p justcall-auth-cli";
/// The crates whose unit tests compile with Debian's Rust.
const TESTED: &str = "-p justcall-auth-secret -p justcall-auth-protocol";
/// An emulator is too slow for it.
const ABOUT_SPEED: &str = "it_takes_linear_time_for_a_mebibyte_of_any_input";
/// Calls Zig's C compiler, which has the headers of macOS, as Apple's is called.
const CC_FOR_MACOS: &str = r#"#!/bin/bash
arguments=()
while [ $# -gt 0 ]; do
    case "$1" in
    --target=* | -m*-version-min=*) ;;
    -target | -isysroot | -arch) shift ;;
    *) arguments+=("$1") ;;
    esac
    shift
done
exec /opt/zig/bin/python -m ziglang cc -target aarch64-macos "${arguments[@]}"
"#;

/// A row of the report.
struct PlatformRow {
    system: &'static str,
    what: String,
    how: &'static str,
}

fn main() -> ExitCode {
    run::exit_code(platforms(&run::root()))
}

/// Compiles and runs the product for every system, and writes docs/evidence/platforms.md if everything succeeds.
///
/// Fails if a crate does not compile, or a program does not work as on this machine.
fn platforms(root: &Path) -> Result<()> {
    let is_root = run::output(Command::new("id").arg("-u"))?.trim() == "0";
    ensure!(is_root, "only root can use chroot: run this command as root, or on a separate machine");
    step("Debian packages", || packages::ensure(root, packages::PLATFORMS))?;
    let debian = step("Debian 13 in a folder (once, 3 GB)", || Debian::ensure(root))?;
    step("the sandbox", || succeed(&mut cargo(root, &["build", "--quiet", "-p", "justcall-auth-sandbox"])))?;
    let sandbox = RunningSandbox::start(&run::target_dir(root).join("debug"))?;
    fs::copy(sandbox.member("ca_file"), debian.folder.join("tmp/ca.pem"))?;
    let mut rows = Vec::new();
    step("the oldest Rust", || oldest_rust(&debian, &mut rows))?;
    step("Windows", || windows(&debian, &sandbox, &mut rows))?;
    step("64-bit ARM", || arm(&debian, &sandbox, &mut rows))?;
    step("macOS", || macos(&debian, &mut rows))?;
    fs::write(root.join("docs/evidence/platforms.md"), report(root, &debian, &rows)?)?;
    println!("\nwritten to docs/evidence/platforms.md");
    Ok(())
}

fn oldest_rust(debian: &Debian, rows: &mut Vec<PlatformRow>) -> Result<()> {
    debian.show(&format!("cargo check --locked --quiet {PRODUCT} -p justcall-auth-python"))?;
    let what = "compiled: library, C ABI, command, Python module".to_owned();
    rows.push(PlatformRow { system: "Linux, x86-64, Rust 1.85", what, how: "`cargo check`" });
    Ok(())
}

fn windows(debian: &Debian, sandbox: &RunningSandbox, rows: &mut Vec<PlatformRow>) -> Result<()> {
    const SYSTEM: &str = "Windows, x86-64";
    const TARGET: &str = "x86_64-pc-windows-gnu";
    const WINE: &str = "WINEDEBUG=-all WINEPREFIX=/tmp/wine wine";
    // Rust's packages include these compiled objects, Debian's packages do not.
    debian.show(&format!(
        "cd /usr/src/rustc-*/library/rtstartup && mkdir -p /usr/lib/rustlib/{TARGET}/lib && for part in rsbegin rsend; do
         RUSTC_BOOTSTRAP=1 rustc --target {TARGET} --emit=obj -o /usr/lib/rustlib/{TARGET}/lib/$part.o $part.rs; done"
    ))?;
    compile(debian, "build", TARGET, PRODUCT)?;
    let passed = test(debian, TARGET, WINE)?;
    rows.push(PlatformRow { system: SYSTEM, what: passed, how: "run under Wine" });
    let programs = format!("/target/{TARGET}/debug");
    let ca_file = r"Z:\\tmp\\ca.pem";
    verify(debian, sandbox, &format!("{WINE} {programs}/justcall-auth.exe"), ca_file)?;
    rows.push(PlatformRow { system: SYSTEM, what: COMMAND.to_owned(), how: "run under Wine" });
    debian.show(&format!(
        "x86_64-w64-mingw32-gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -Iinclude examples/c/verify.c \
         -L{programs} -ljustcall_auth -o {programs}/verify.exe"
    ))?;
    let call = format!("{WINE} {programs}/verify.exe env: {} {ca_file}", sandbox.member("url"));
    let printed = debian.output(&with_pair(sandbox, &call))?;
    ensure!(printed.contains("account: 12345"), "the C program printed: {printed}");
    let what = "`justcall_auth.dll` with `examples/c/verify.c`: a verified pair over TLS";
    rows.push(PlatformRow { system: SYSTEM, what: what.to_owned(), how: "run under Wine" });
    Ok(())
}

fn arm(debian: &Debian, sandbox: &RunningSandbox, rows: &mut Vec<PlatformRow>) -> Result<()> {
    const SYSTEM: &str = "Linux, 64-bit ARM";
    const TARGET: &str = "aarch64-unknown-linux-gnu";
    const QEMU: &str = "qemu-aarch64 -L /usr/aarch64-linux-gnu";
    compile(debian, "build", TARGET, PRODUCT)?;
    rows.push(PlatformRow { system: SYSTEM, what: test(debian, TARGET, QEMU)?, how: "run under QEMU" });
    verify(debian, sandbox, &format!("{QEMU} /target/{TARGET}/debug/justcall-auth"), "/tmp/ca.pem")?;
    rows.push(PlatformRow { system: SYSTEM, what: COMMAND.to_owned(), how: "run under QEMU" });
    Ok(())
}

fn macos(debian: &Debian, rows: &mut Vec<PlatformRow>) -> Result<()> {
    compile(debian, "check", "aarch64-apple-darwin", PRODUCT)?;
    let what = "compiled: library, C ABI, command".to_owned();
    rows.push(PlatformRow {
        system: "macOS, 64-bit ARM",
        what,
        how: "`cargo check`; neither linked nor run",
    });
    Ok(())
}

/// Compiles crates together with the standard library, for a target that Debian has no standard library for.
fn compile(debian: &Debian, command: &str, target: &str, crates: &str) -> Result<()> {
    debian.show(&build_std(command, target, crates))
}

fn build_std(command: &str, target: &str, arguments: &str) -> String {
    format!(
        "RUSTC_BOOTSTRAP=1 SDKROOT=/ CC_aarch64_apple_darwin=/opt/cc-for-macos \
         CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
         cargo {command} --locked --quiet -Zbuild-std=std,panic_unwind,proc_macro,test --target {target} {arguments}"
    )
}

/// Runs the unit tests under the emulator `with`. Returns a description with their number.
fn test(debian: &Debian, target: &str, with: &str) -> Result<String> {
    let built = debian.output(&build_std(
        "test",
        target,
        &format!("--no-run --message-format=json --lib {TESTED}"),
    ))?;
    let mut passed = 0;
    for program in built.lines().filter_map(executable) {
        let printed = debian.output(&format!(
            "{with} {program} --skip {ABOUT_SPEED} >/tmp/tests 2>&1 || {{ cat /tmp/tests >&2; exit 1; }}; cat /tmp/tests"
        ))?;
        let count = printed.split("test result: ok. ").nth(1).and_then(|rest| rest.split(' ').next());
        let count: u32 = count.and_then(|count| count.parse().ok()).with_context(|| printed.clone())?;
        passed += count;
    }
    ensure!(passed > 100, "only {passed} tests ran");
    Ok(format!("{passed} unit tests of memory and protocol, all but the one that is about speed"))
}

/// Returns the program that a message of cargo names, if any.
fn executable(line: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    Some(message["executable"].as_str()?.to_owned())
}

const COMMAND: &str = "`justcall-auth verify`, `doctor`: a verified pair over TLS, kept in locked memory; a wrong pair rejected";

fn verify(debian: &Debian, sandbox: &RunningSandbox, program: &str, ca_file: &str) -> Result<()> {
    let call =
        |what: &str| format!("{program} {what} --base-url {} --ca-file {ca_file}", sandbox.member("url"));
    let printed = debian.output(&with_pair(sandbox, &call("verify")))?;
    ensure!(printed.contains("accepts the API key and secret"), "verify printed: {printed}");
    let printed = debian.output(&with_pair(sandbox, &call("doctor")))?;
    ensure!(
        printed.contains("memory of the kind locked") && printed.contains("All checks passed"),
        "doctor printed: {printed}"
    );
    // Control: a wrong pair is rejected.
    let wrong = format!(
        "JUSTCALL_API_KEY=abc123def456 JUSTCALL_API_SECRET=sec789xyz000 {}; test $? = 4 && echo rejected",
        call("verify")
    );
    ensure!(debian.output(&wrong)?.contains("rejected"), "a wrong pair was not rejected");
    Ok(())
}

fn with_pair(sandbox: &RunningSandbox, call: &str) -> String {
    let (key, secret) = (sandbox.member("api_key"), sandbox.member("api_secret"));
    format!("JUSTCALL_API_KEY={key} JUSTCALL_API_SECRET={secret} {call}")
}

/// Debian 13 in a folder, with this project's files in `/src`.
struct Debian {
    folder: PathBuf,
}

impl Debian {
    fn ensure(root: &Path) -> Result<Self> {
        let debian = Self { folder: run::target_dir(root).join("platforms/debian-13") };
        let complete = debian.folder.join("complete");
        if !complete.exists() {
            if debian.folder.exists() {
                fs::remove_dir_all(&debian.folder)?;
            }
            fs::create_dir_all(&debian.folder)?;
            let mut debootstrap = Command::new("debootstrap");
            debootstrap.args(["--variant=minbase", "trixie"]).arg(&debian.folder);
            run::output(debootstrap.arg("http://deb.debian.org/debian"))?;
            fs::create_dir_all(debian.folder.join("src"))?;
            debian.show(&format!(
                "export DEBIAN_FRONTEND=noninteractive; apt-get update -q >/dev/null &&
                 apt-get install -y -q --no-install-recommends {INSIDE} >/dev/null 2>/tmp/apt || {{ cat /tmp/apt; exit 1; }}"
            ))?;
            fs::write(complete, "")?;
        }
        // Copies the trusted certificates of this machine, which may include private authorities.
        let certificates = "etc/ssl/certs/ca-certificates.crt";
        fs::copy(Path::new("/").join(certificates), debian.folder.join(certificates))?;
        fs::write(debian.folder.join("opt/cc-for-macos"), CC_FOR_MACOS)?;
        debian.show(
            "chmod +x /opt/cc-for-macos; /opt/zig/bin/python -c 'import ziglang' 2>/dev/null ||
             { python3 -m venv /opt/zig && /opt/zig/bin/pip install --quiet ziglang; }",
        )?;
        debian.copy_project(root)?;
        Ok(debian)
    }

    fn copy_project(&self, root: &Path) -> Result<()> {
        let source = self.folder.join("src");
        fs::remove_dir_all(&source)?;
        fs::create_dir_all(&source)?;
        // Cargo compares modification times. An old file may be new here, so every file gets the current time.
        let script =
            "git ls-files -z | tar --create --null --files-from=- | tar --extract --touch --directory=\"$0\"";
        succeed(command(root, "sh", &["-c", script]).arg(source))
    }

    /// Runs a script in the Debian and shows its output. Fails if the script fails.
    fn show(&self, script: &str) -> Result<()> {
        succeed(&mut self.command(script))
    }

    /// Runs a script in the Debian. Returns its output. Fails if the script fails.
    fn output(&self, script: &str) -> Result<String> {
        run::output(&mut self.command(script))
    }

    /// Returns the command that runs a script in the Debian. Its mounts and processes end with it.
    fn command(&self, script: &str) -> Command {
        const INTO: &str = "mount -t proc proc \"$0/proc\" && mount --rbind /dev \"$0/dev\" && \
                            cp /etc/resolv.conf \"$0/etc/resolv.conf\" && exec chroot \"$0\" env --ignore-environment \
                            HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CARGO_TARGET_DIR=/target \
                            XDG_RUNTIME_DIR=/tmp sh -c \"cd /src; $1\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INTO]);
        command.arg(&self.folder).arg(script);
        command
    }
}

fn report(root: &Path, debian: &Debian, rows: &[PlatformRow]) -> Result<String> {
    let line = |command: &mut Command| run::output(command).map(|text| text.trim().to_owned());
    let mut text = String::from(
        "# Platforms other than Linux on x86-64\n\n\
         Written by `cargo xtask platforms`: change that, not this file. Everything that is not listed was only run on Linux \
         on\nx86-64, where `cargo xtask test` runs all tests and `--full` searches memory ([report.md](report.md)).\n\n\
         | system | what | how |\n|---|---|---|\n",
    );
    for row in rows {
        writeln!(text, "| {} | {} | {} |", row.system, row.what, row.how)?;
    }
    text.push_str("\n| with | which |\n|---|---|\n");
    let commit = line(&mut command(root, "git", &["describe", "--always", "--dirty"]))?;
    let date = line(Command::new("date").args(["--utc", "+%F %H:%M UTC"]))?;
    for (name, which) in [
        ("commit", commit),
        ("date", date),
        ("Rust", line(&mut debian.command("rustc --version"))?),
        ("Wine", line(&mut debian.command("wine --version"))?),
        ("QEMU", line(&mut debian.command("qemu-aarch64 --version | head -n 1"))?),
        (
            "Zig, whose C compiler has the headers of macOS",
            line(&mut debian.command("/opt/zig/bin/python -m ziglang version"))?,
        ),
    ] {
        writeln!(text, "| {name} | {which} |")?;
    }
    Ok(text)
}
