//! The files of `dist/`, environments of Python without Rust, and a service.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;
use xtask_demo::run;

/// Returns the folder with the packages. Fails if there is none.
pub(crate) fn dist() -> PathBuf {
    let dist = run::root().join("dist");
    assert!(dist.join("SHA256SUMS").is_file(), "first run: cargo xtask package");
    dist
}

/// Returns the only file of `dist/` whose name ends with `ending`.
pub(crate) fn file(ending: &str) -> PathBuf {
    let entries = fs::read_dir(dist()).expect("dist").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    assert_eq!(found.len(), 1, "files that end with {ending}: {found:?}");
    found.remove(0)
}

/// A folder that is removed at the end, and a service.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) sandbox: Sandbox,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, sandbox: Sandbox::start(SandboxConfig::default()).expect("a sandbox starts") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds the variables and arguments with which the command reaches the service.
    pub(crate) fn reach<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("JUSTCALL_API_KEY", self.sandbox.api_key());
        command.env("JUSTCALL_API_SECRET", self.sandbox.api_secret());
        command.args(["--base-url", self.sandbox.url()]).arg("--ca-file").arg(self.ca_file())
    }

    pub(crate) fn ca_file(&self) -> &Path {
        self.sandbox.ca_file().expect("TLS is on")
    }

    /// Makes an environment of Python. Programs of it find no cargo, no rustc and no other program.
    pub(crate) fn venv(&self) -> Venv {
        let folder = self.path().join("venv");
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        Venv { folder }
    }
}

/// An environment of Python.
pub(crate) struct Venv {
    pub(crate) folder: PathBuf,
}

impl Venv {
    /// Returns a program of the environment. Its PATH has nothing else.
    pub(crate) fn program(&self, name: &str) -> Command {
        let bin = self.folder.join("bin");
        let mut command = Command::new(bin.join(name));
        command.env("PATH", bin).current_dir(&self.folder).env_remove("PYTHONPATH");
        command
    }

    pub(crate) fn python(&self, code: &str) -> Command {
        let mut command = self.program("python");
        command.args(["-c", code]);
        command
    }

    /// Installs a wheel from the file, without the package index.
    pub(crate) fn install(&self, wheel: &Path) {
        let mut pip = self.program("pip");
        succeed(pip.args(["install", "--quiet", "--no-index", "--no-deps"]).arg(wheel));
    }

    /// Returns the files of the environment, without compiled Python code.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let listed = succeed(Command::new("find").arg(&self.folder).args(["!", "-name", "*.pyc"]));
        let mut files: Vec<PathBuf> = listed.lines().map(PathBuf::from).collect();
        files.retain(|path| !path.ends_with("__pycache__"));
        files.sort();
        files
    }

    /// Verifies the pair of the service in `place` with the module.
    pub(crate) fn verify(&self, place: &Place) -> String {
        let code = "import justcall_auth, sys\n\
                    client = justcall_auth.Client(base_url=sys.argv[1], ca_file=sys.argv[2])\n\
                    print(client.verify().email)";
        let mut python = self.python(code);
        python.arg(place.sandbox.url()).arg(place.ca_file());
        python.env("JUSTCALL_API_KEY", place.sandbox.api_key());
        succeed(python.env("JUSTCALL_API_SECRET", place.sandbox.api_secret()))
    }
}

/// Runs a command. Returns its result.
pub(crate) fn outcome(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"))
}

/// Runs a command that must succeed. Returns its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = outcome(command);
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{command:?} ended with {}:\n{out}{err}", output.status);
    out
}
