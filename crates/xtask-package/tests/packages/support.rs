//! The release build, its installed tree, and a service for programs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use tempfile::TempDir;
use xtask_demo::run;
use xtask_package::build::{Builder, Library};
use xtask_package::install::{self, Layout};
use xtask_package::target::{TARGETS, Target};

/// Returns the checkout.
pub(crate) fn root() -> PathBuf {
    run::root()
}

/// Returns the target of the tests.
pub(crate) fn target() -> &'static Target {
    &TARGETS[0]
}

/// Returns the libraries as they ship, built once.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        Builder::new(&root(), target())
            .expect("the tools are installed")
            .library()
            .expect("the library builds")
    })
}

/// The libraries, installed below a temporary prefix.
pub(crate) struct Installed {
    folder: TempDir,
    layout: Layout,
}

impl Installed {
    /// Installs into `libdir`, and moves the tree: it must not know where it was.
    pub(crate) fn new(libdir: &str) -> Self {
        let layout = Layout::new(Path::new("/usr/local"), Path::new(libdir)).expect("below the prefix");
        let tree = install::libraries(&root(), library(), &layout).expect("a tree");
        let folder = tempfile::tempdir().expect("a folder");
        let written =
            install::write(&tree, &folder.path().join("destination"), &layout).expect("it is written");
        std::fs::rename(written, folder.path().join("moved")).expect("it is moved");
        Self { folder, layout }
    }

    pub(crate) fn prefix(&self) -> PathBuf {
        self.folder.path().join("moved")
    }

    pub(crate) fn libdir(&self) -> PathBuf {
        self.prefix().join(&self.layout.libdir)
    }

    /// Sets where pkg-config, `CMake` and the dynamic linker look.
    pub(crate) fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("PKG_CONFIG_PATH", self.libdir().join("pkgconfig"));
        command.env("CMAKE_PREFIX_PATH", self.prefix()).env("LD_LIBRARY_PATH", self.libdir())
    }

    /// Returns what pkg-config prints, as words.
    pub(crate) fn pkg_config(&self, arguments: &[&str]) -> Vec<String> {
        let printed = succeed(self.prepare(Command::new("pkg-config").args(arguments)));
        printed.split_whitespace().map(str::to_owned).collect()
    }
}

/// A sandbox, and its pair in a file.
pub(crate) struct Service {
    sandbox: Sandbox,
    folder: TempDir,
}

impl Service {
    pub(crate) fn start() -> Self {
        let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox starts");
        let folder = tempfile::tempdir().expect("a folder");
        let pair = format!("{}:{}\n", sandbox.api_key(), sandbox.api_secret());
        std::fs::write(folder.path().join("pair"), pair).expect("the pair's file");
        Self { sandbox, folder }
    }

    /// Returns the arguments of the examples: the source, the URL, and the authority.
    pub(crate) fn arguments(&self) -> [String; 3] {
        let authority = self.sandbox.ca_file().and_then(Path::to_str).expect("TLS is on");
        let source = format!("file:{}", self.folder.path().join("pair").display());
        [source, self.sandbox.url().to_owned(), authority.to_owned()]
    }
}

/// Runs a command that must succeed. Returns its output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let (good, text) = outcome(command);
    assert!(good, "{command:?} failed:\n{text}");
    text
}

/// Runs a command that must fail. Returns its output.
pub(crate) fn fail(command: &mut Command) -> String {
    let (good, text) = outcome(command);
    assert!(!good, "{command:?} succeeded:\n{text}");
    text
}

fn outcome(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot run: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
