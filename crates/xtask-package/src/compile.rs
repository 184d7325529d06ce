//! Compiles the product with zig's C compiler, which knows the symbols of old versions of glibc.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run;
use xtask_demo::venv::Venv;

use crate::target::Target;

/// The profile of Cargo.toml.
const PROFILE: &str = "ship";

/// Where sources are, according to binaries. The real paths belong to the machine that compiled them.
const SOURCES: &str = "/usr/src";

/// Compiles for one target.
pub struct Compiler {
    root: PathBuf,
    /// The folder for what cargo and zig write.
    folder: PathBuf,
    target: &'static Target,
    venv: Venv,
}

/// The static library as rustc writes it.
pub struct Archive {
    /// The file.
    pub path: PathBuf,
    /// The libraries of the system that it needs, as `-lname`.
    pub system_libraries: Vec<String>,
}

impl Compiler {
    /// Prepares the compiler, and installs cargo-zigbuild and zig from the Python package index unless they are there.
    /// The checkout is `root`, and `folder` is for what is written.
    pub fn new(root: &Path, folder: &Path, target: &'static Target) -> Result<Self> {
        let venv = Venv::ensure(root, "package-venv", "packaging/requirements.txt")?;
        let installed =
            run::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target.triple]))?;
        ensure!(
            Path::new(installed.trim()).is_dir(),
            "Rust's standard library for {0} is missing; run: rustup target add {0}",
            target.triple
        );
        Ok(Self { root: root.to_owned(), folder: folder.to_owned(), target, venv })
    }

    /// Compiles the static library.
    pub fn library(&self) -> Result<Archive> {
        let mut cargo = self.cargo("rustc")?;
        cargo.args([
            "-p",
            "justcall-auth-ffi",
            "--crate-type",
            "staticlib",
            "--",
            "--print",
            "native-static-libs",
        ]);
        let output = cargo.output().context("cannot start cargo-zigbuild")?;
        let printed = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "The library does not compile:\n{printed}");
        let line = printed.lines().find_map(|line| line.split_once("native-static-libs: "));
        let (_, libraries) = line.context("rustc did not print native-static-libs")?;
        Ok(Archive {
            path: self.output("libjustcall_auth.a"),
            system_libraries: libraries.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// Compiles the program `name` of `package`. Returns its path.
    pub fn program(&self, package: &str, name: &str) -> Result<PathBuf> {
        let mut cargo = self.cargo("rustc")?;
        // The debug symbols are found by the build id, which zig's linker writes only if asked.
        cargo.args(["--quiet", "-p", package, "--bin", name, "--", "-C", "link-arg=-Wl,--build-id=sha1"]);
        run::succeed(&mut cargo)?;
        Ok(self.output(name))
    }

    /// Returns zig's C compiler for the target.
    pub fn cc(&self) -> Command {
        // zig writes the current folder into the debug information of the code that it adds.
        let mut command = self.venv.command(Path::new("/"), "python", &["-m", "ziglang", "cc", "-target"]);
        command.arg(self.target.zig());
        self.set_caches(&mut command);
        command
    }

    fn output(&self, name: &str) -> PathBuf {
        self.folder.join(self.target.triple).join(PROFILE).join(name)
    }

    fn cargo(&self, subcommand: &str) -> Result<Command> {
        let mut command = self.venv.command(&self.root, "cargo-zigbuild", &[subcommand, "--locked"]);
        command.args([
            "--profile",
            PROFILE,
            "--target",
            &format!("{}.{}", self.target.triple, crate::target::GLIBC),
        ]);
        command.arg("--target-dir").arg(&self.folder);
        // A cargo that runs this program sets variables on which ring's build depends.
        let is_set_by_cargo = |name: &OsString| {
            name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME")
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_set_by_cargo(name)) {
            command.env_remove(name);
        }
        // cargo-zigbuild looks for Python's ziglang on the path.
        let mut path = OsString::from(self.venv.program(""));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path);
        self.set_caches(&mut command);
        let replaced = self.replaced_paths()?;
        let rust: Vec<String> =
            replaced.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect();
        let c: Vec<String> =
            replaced.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
        command.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}")).env_remove("RUSTFLAGS");
        command.env(format!("CFLAGS_{}", self.target.triple.replace('-', "_")), c.join(" "));
        Ok(command)
    }

    fn set_caches(&self, command: &mut Command) {
        command.env("ZIG_GLOBAL_CACHE_DIR", self.folder.join("zig"));
        command.env("CARGO_ZIGBUILD_CACHE_DIR", self.folder.join("zigbuild"));
    }

    /// Returns the paths of this machine, each with what stands for it in binaries.
    fn replaced_paths(&self) -> Result<Vec<(String, String)>> {
        let line = |command: &mut Command| run::output(command).map(|text| text.trim().to_owned());
        let sysroot = line(Command::new("rustc").args(["--print", "sysroot"]))?;
        let version = line(Command::new("rustc").arg("-vV"))?;
        let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
        let mut paths = vec![
            (self.root.display().to_string(), format!("{SOURCES}/justcall-auth")),
            (format!("{}/", self.folder.display()), format!("{SOURCES}/target/")),
            (format!("{sysroot}/lib/rustlib/src/rust"), format!("/rustc/{commit}")),
        ];
        let registry = cargo_home()?.join("registry/src");
        for folder in
            std::fs::read_dir(&registry).with_context(|| format!("cannot list {}", registry.display()))?
        {
            paths.push((folder?.path().display().to_string(), SOURCES.to_owned()));
        }
        Ok(paths)
    }
}

/// Returns the paths that belong to this machine, which no file of a package may contain.
pub fn paths_of_this_machine(root: &Path) -> Result<Vec<String>> {
    let home = std::env::var_os("HOME").map_or_else(|| "/root".into(), PathBuf::from);
    let home = format!("{}/", home.display());
    Ok(vec![root.display().to_string(), cargo_home()?.display().to_string(), home])
}

fn cargo_home() -> Result<PathBuf> {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    named.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo"))).context("HOME is not set")
}
