//! Compiles the product: for packages with zig's C compiler, which knows the symbols of old versions of glibc, and for an
//! installation with the tools of this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use xtask_demo::run;
use xtask_demo::venv::Venv;

use crate::progress;
use crate::target::Target;

/// Where sources are, according to binaries. The real paths belong to the machine that compiled them.
const SOURCES: &str = "/usr/src";

/// The debug symbols are found by the build id, which zig's linker writes only if asked.
const BUILD_ID: &str = "link-arg=-Wl,--build-id=sha1";

/// Compiles for one target.
pub struct Compiler {
    root: PathBuf,
    /// The folder for what cargo and zig write.
    folder: PathBuf,
    target: &'static Target,
    toolchain: Toolchain,
}

/// The tools that compile and link.
enum Toolchain {
    /// cargo-zigbuild and zig, from this environment of Python.
    Zig(Venv),
    /// GCC and binutils. The binaries need the C library that these have, and hold paths of this machine.
    Gcc {
        /// Whether the target is another machine.
        is_cross: bool,
    },
}

/// The static library as rustc writes it.
pub struct Archive {
    /// The file.
    pub path: PathBuf,
    /// The libraries of the system that it needs, as `-lname`.
    pub system_libraries: Vec<String>,
}

impl Compiler {
    /// Prepares the compiler of packages, and installs cargo-zigbuild and zig from the Python package index unless they are
    /// there. The checkout is `root`, and `folder` is for what is written.
    pub fn portable(root: &Path, folder: &Path, target: &'static Target) -> Result<Self> {
        let venv = Venv::ensure(root, "package-venv", "packaging/requirements.txt")?;
        Self::new(root, folder.to_owned(), target, Toolchain::Zig(venv))
    }

    /// Prepares GCC's compiler. What `cargo build --release` has compiled is used, unless the target is another machine.
    pub fn gcc(root: &Path, target: &'static Target) -> Result<Self> {
        let is_cross = target.triple != Target::host_triple()?;
        Self::new(root, run::target_dir(root), target, Toolchain::Gcc { is_cross })
    }

    fn new(root: &Path, folder: PathBuf, target: &'static Target, toolchain: Toolchain) -> Result<Self> {
        let installed =
            run::output(Command::new("rustc").args(["--print", "target-libdir", "--target", target.triple]))?;
        ensure!(
            Path::new(installed.trim()).is_dir(),
            "Rust's standard library for {0} is missing; run: rustup target add {0}",
            target.triple
        );
        Ok(Self { root: root.to_owned(), folder, target, toolchain })
    }

    /// Returns true if the binaries are for packages: without paths of this machine, and with detached debug information.
    pub fn is_portable(&self) -> bool {
        matches!(self.toolchain, Toolchain::Zig(_))
    }

    /// Returns the target.
    pub fn target(&self) -> &'static Target {
        self.target
    }

    /// Returns the checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Compiles the static library, with these additional options of cargo.
    pub fn library(&self, options: &[&str]) -> Result<Archive> {
        let mut cargo = self.cargo("rustc")?;
        cargo.args(["-p", "justcall-auth-ffi", "--crate-type", "staticlib"]).args(options);
        cargo.args(["--", "--print", "native-static-libs"]);
        let printed = progress::messages(&mut cargo)?;
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
        cargo.args(["-p", package, "--bin", name, "--", "-C", BUILD_ID]);
        progress::messages(&mut cargo)?;
        Ok(self.output(name))
    }

    /// Compiles the Python module. Returns its path.
    pub fn module(&self) -> Result<PathBuf> {
        let mut cargo = self.cargo("rustc")?;
        // No interpreter is asked: the module uses the stable ABI of every one, and takes its symbols from the program.
        cargo.env("PYO3_NO_PYTHON", "1").env("PYO3_BUILD_EXTENSION_MODULE", "1");
        cargo.args(["-p", "justcall-auth-python", "--lib", "--", "-C", BUILD_ID]);
        progress::messages(&mut cargo)?;
        Ok(self.output("libjustcall_auth_python.so"))
    }

    /// Returns a program of the environment of Python, such as maturin, to be run in `folder`. Fails for the compiler of
    /// this machine.
    pub fn python(&self, folder: &Path, name: &str, arguments: &[&str]) -> Result<Command> {
        let Toolchain::Zig(venv) = &self.toolchain else { bail!("this build has no environment of Python") };
        Ok(venv.command(folder, name, arguments))
    }

    /// Returns the C compiler for the target.
    pub fn cc(&self) -> Result<Command> {
        let venv = match &self.toolchain {
            Toolchain::Zig(venv) => venv,
            Toolchain::Gcc { is_cross: true } => return Ok(Command::new(self.target.tool("gcc"))),
            Toolchain::Gcc { is_cross: false } => return Ok(Command::new("cc")),
        };
        let mut command = venv.command(&self.root, "python", &["-m", "ziglang", "cc", "-target"]);
        command.arg(self.target.zig());
        self.set_environment(&mut command)?;
        Ok(command)
    }

    /// Returns the folder of zig. Fails for GCC.
    pub fn zig(&self) -> Result<PathBuf> {
        let Toolchain::Zig(venv) = &self.toolchain else { bail!("this build does not use zig") };
        let print = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
        Ok(run::output(&mut venv.command(&self.root, "python", &["-c", print]))?.trim().into())
    }

    /// Returns a tool of binutils for the target.
    pub fn tool(&self, name: &str) -> Command {
        let is_host = matches!(self.toolchain, Toolchain::Gcc { is_cross: false });
        Command::new(if is_host { name.to_owned() } else { self.target.tool(name) })
    }

    /// Returns the options that link GCC's unwinder.
    pub fn unwinder(&self) -> Result<OsString> {
        if !self.is_portable() {
            return Ok("-lgcc_s".into());
        }
        // By its path: zig has its own unwinder, and a program must have one only.
        let gcc = self.target.tool("gcc");
        let path = run::output(Command::new(&gcc).arg("-print-file-name=libgcc_s.so.1"))?;
        let path = Path::new(path.trim()).canonicalize();
        Ok(path.with_context(|| format!("{gcc} has no libgcc_s.so.1"))?.into())
    }

    fn output(&self, name: &str) -> PathBuf {
        match self.toolchain {
            Toolchain::Zig(_) => self.folder.join(self.target.triple).join("ship").join(name),
            Toolchain::Gcc { is_cross: true } => {
                self.folder.join(self.target.triple).join("release").join(name)
            }
            Toolchain::Gcc { is_cross: false } => self.folder.join("release").join(name),
        }
    }

    /// Returns the command that compiles. It has the profile and the target.
    fn cargo(&self, subcommand: &str) -> Result<Command> {
        let mut command = match &self.toolchain {
            Toolchain::Zig(venv) => self.zigbuild(venv, subcommand)?,
            Toolchain::Gcc { .. } => without_outer_cargo(run::cargo(&self.root, &[subcommand, "--release"])),
        };
        if let Toolchain::Gcc { is_cross: true } = self.toolchain {
            let triple = self.target.triple.to_uppercase().replace('-', "_");
            command.env(format!("CARGO_TARGET_{triple}_LINKER"), self.target.tool("gcc"));
            command.args(["--target", self.target.triple]);
        }
        command.arg("--locked").arg("--target-dir").arg(&self.folder);
        Ok(command)
    }

    fn zigbuild(&self, venv: &Venv, subcommand: &str) -> Result<Command> {
        let arguments = [subcommand, "--profile", "ship"];
        let mut command = without_outer_cargo(venv.command(&self.root, "cargo-zigbuild", &arguments));
        command.args(["--target", &format!("{}.{}", self.target.triple, crate::target::GLIBC)]);
        // cargo-zigbuild looks for Python's ziglang on the path.
        let mut path = OsString::from(venv.program(""));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        command.env("PATH", path);
        self.set_environment(&mut command)?;
        let replaced = self.replaced_paths()?;
        let options: Vec<String> =
            replaced.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect();
        command.env("CARGO_ENCODED_RUSTFLAGS", options.join("\u{1f}")).env_remove("RUSTFLAGS");
        Ok(command)
    }

    /// Sets where zig keeps what it compiles, and which paths its clang replaces.
    fn set_environment(&self, command: &mut Command) -> Result<()> {
        command.env("ZIG_GLOBAL_CACHE_DIR", self.folder.join("zig-cache"));
        command.env("CARGO_ZIGBUILD_CACHE_DIR", self.folder.join("zigbuild"));
        let mut replaced = self.replaced_paths()?;
        // zig compiles parts of the C library when it links. It names its files relative to the current folder, if it can.
        let zig = self.zig()?;
        if let Ok(below) = zig.strip_prefix(&self.root) {
            replaced.push((below.display().to_string(), format!("{SOURCES}/zig")));
        }
        replaced.push((zig.display().to_string(), format!("{SOURCES}/zig")));
        // The only way to give clang options for the files that zig adds. `#`: clang does not print what it was given.
        let options: Vec<String> =
            replaced.iter().map(|(from, to)| format!("+-ffile-prefix-map={from}={to}")).collect();
        command.env("CCC_OVERRIDE_OPTIONS", format!("# {}", options.join(" ")));
        Ok(())
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

/// Removes the variables of a cargo that runs this program, because the build of ring depends on them.
fn without_outer_cargo(mut command: Command) -> Command {
    let is_set_by_cargo = |name: &OsString| {
        name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME")
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_set_by_cargo(name)) {
        command.env_remove(name);
    }
    command
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
