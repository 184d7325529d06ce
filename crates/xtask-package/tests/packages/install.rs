//! The installed tree, and programs that are built with it as users build them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_package::binary::Stripped;
use xtask_package::install::{self, Layout};

use crate::support::{Installed, Service, library, root, succeed, target};

const ACCOUNT: &str = "account: 12345\n";

#[test]
fn it_installs_the_listed_files() {
    let layout = Layout::new(Path::new("/usr"), Path::new("lib")).expect("below");
    let work = tempfile::tempdir().expect("a folder");
    let mut tree = install::libraries(&root(), library(), &layout).expect("a tree");
    // Only the names matter here.
    let program = Stripped { path: PathBuf::from("program"), debug: library().shared.debug.clone() };
    tree.extend(install::command(&program, work.path()).expect("a tree"));
    tree.extend(install::sandbox(&program, work.path()).expect("a tree"));
    tree.extend(install::licences(&root(), target(), &[]).expect("a tree"));
    // The names of debug files are the build ids.
    let listed: Vec<&str> =
        tree.keys().map(String::as_str).filter(|place| !place.starts_with("lib/debug/")).collect();
    assert_eq!(tree.len() - listed.len(), 1, "one debug file for each binary");
    let path = root().join("packaging/installed-files.txt");
    let expected = fs::read_to_string(&path).expect("the list");
    assert_eq!(listed, expected.lines().collect::<Vec<_>>(), "{}", path.display());
}

#[test]
fn it_installs_below_destdir_with_the_permissions_of_each_kind() {
    use std::os::unix::fs::PermissionsExt as _;
    let installed = Installed::new("lib64");
    let link = fs::read_link(installed.libdir().join("libjustcall_auth.so")).expect("a link");
    assert_eq!(link, Path::new("libjustcall_auth.so.0"));
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&installed.libdir().join("libjustcall_auth.so.0")), 0o644);
    assert_eq!(mode(&installed.prefix().join("include/justcall_auth.h")), 0o644);
}

/// Copies the sources and build files of a folder of examples.
fn copy_of_examples(language: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(root().join("examples").join(language)).expect("examples") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, copy.path().join(path.file_name().expect("a file"))).expect("a copy");
    }
    copy
}

/// Runs the commands in a copy of the examples for each language. The program `verify`, which they build in the folder
/// `built`, must verify the pair of the sandbox.
fn builds(installed: &Installed, commands: &[&[&str]], built: &str) {
    let service = Service::start();
    for language in ["c", "cpp"] {
        let copy = copy_of_examples(language);
        for words in commands {
            succeed(installed.prepare(Command::new(words[0]).args(&words[1..]).current_dir(copy.path())));
        }
        let program = copy.path().join(built).join("verify");
        let printed = succeed(installed.prepare(Command::new(program).args(service.arguments())));
        assert!(printed.contains(ACCOUNT), "{commands:?}: {printed}");
    }
}

#[test]
fn its_examples_build_with_make_and_pkg_config() {
    let installed = Installed::new("lib");
    builds(&installed, &[&["make"]], "");
    builds(&installed, &[&["make", "MODULE=justcall_auth-static"]], "");
}

#[test]
fn its_examples_build_with_cmake() {
    // A folder for libraries that is deeper, as on Debian.
    let installed = Installed::new("lib/x86_64-linux-gnu");
    for link in ["-DLINK=shared", "-DLINK=static"] {
        let configure: &[&str] =
            &["cmake", "-B", "build", "-DCMAKE_LIBRARY_ARCHITECTURE=x86_64-linux-gnu", link];
        builds(&installed, &[configure, &["cmake", "--build", "build"]], "build");
    }
}

#[test]
fn its_examples_build_with_meson() {
    let installed = Installed::new("lib");
    builds(&installed, &[&["meson", "setup", "build"], &["meson", "compile", "-C", "build"]], "build");
}

#[test]
fn it_links_a_fully_static_program_with_pkg_config() {
    let (installed, service) = (Installed::new("lib"), Service::start());
    for cc in ["gcc", "clang"] {
        let program = installed.prefix().join("verify");
        let mut link = Command::new(cc);
        link.arg("-static").arg(root().join("examples/c/verify.c"));
        link.args(installed.pkg_config(&["--static", "--cflags", "--libs", "justcall_auth"]));
        succeed(link.arg("-o").arg(&program));
        let printed = succeed(Command::new(&program).args(service.arguments()));
        assert!(printed.contains(ACCOUNT), "{printed}");
    }
}
