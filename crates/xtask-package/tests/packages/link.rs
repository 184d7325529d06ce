//! Links: the static library beside other libraries, and every kind of program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;
use xtask_demo::run;
use xtask_package::binary;
use xtask_package::pkg_config::link_line;

use crate::support::{Installed, Service, fail, library, root, succeed};

const ACCOUNT: &str = "account: 12345\n";

/// Returns a compiler with the options of all tests.
fn compiler(name: &str) -> Command {
    let mut command = Command::new(name);
    command.args(["-Wall", "-Wextra", "-Werror", "-I"]).arg(root().join("include"));
    command
}

fn example() -> PathBuf {
    root().join("examples/c/verify.c")
}

fn system_libraries() -> Vec<String> {
    link_line(&library().system_libraries).split(' ').map(str::to_owned).collect()
}

/// Runs a program that was linked statically. It must verify the pair of the sandbox.
fn verifies(program: &Path) {
    let service = Service::start();
    let printed = succeed(Command::new(program).args(service.arguments()));
    assert!(printed.contains(ACCOUNT), "{printed}");
}

#[test]
fn it_links_into_dynamic_static_and_position_independent_programs_with_gcc_and_clang() {
    let folder = tempfile::tempdir().expect("a folder");
    for cc in ["gcc", "clang"] {
        for kind in ["-pie", "-no-pie", "-static", "-static-pie"] {
            let program = folder.path().join(format!("{cc}{kind}"));
            let mut link = compiler(cc);
            link.arg(kind).arg(example()).arg(&library().archive).args(system_libraries());
            succeed(link.args(["-Wl,-z,defs", "-Wl,--as-needed", "-o"]).arg(&program));
            verifies(&program);
        }
    }
}

#[test]
fn it_needs_each_option_of_the_link_line_that_glibc_has_a_library_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut link = compiler("gcc");
    // exp2() is in libm; glibc 2.34 and later have everything else in libc.
    link.arg(example()).arg(&library().archive).args(["-o"]).arg(folder.path().join("program"));
    let printed = fail(&mut link);
    assert!(printed.contains("undefined reference to `exp2'"), "{printed}");
}

/// A static library in Rust with the same crates inside, of one toolchain.
struct Neighbour {
    name: String,
    archive: PathBuf,
}

/// Builds the neighbour with the toolchain that runs this test, and with every other version that rustup has.
fn neighbours() -> &'static [Neighbour] {
    static NEIGHBOURS: OnceLock<Vec<Neighbour>> = OnceLock::new();
    NEIGHBOURS.get_or_init(|| {
        let listed = Command::new("rustup").args(["toolchain", "list", "--quiet"]).output();
        let listed =
            listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        let mut versions = vec![version(&mut Command::new("rustc"))];
        let mut found = vec![neighbour("own", None)];
        for toolchain in listed.lines().filter_map(|line| line.split_whitespace().next()) {
            let version = version(Command::new("rustup").args(["run", toolchain, "rustc"]));
            if !versions.contains(&version) {
                found.push(neighbour(toolchain, Some(toolchain)));
                versions.push(version);
            }
        }
        found
    })
}

fn version(rustc: &mut Command) -> String {
    succeed(rustc.arg("--version"))
}

fn neighbour(name: &str, toolchain: Option<&str>) -> Neighbour {
    let folder = run::target_dir(&root()).join("package/neighbour").join(name);
    let from = root().join("crates/xtask-package/tests/neighbour");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    fs::copy(from.join("Cargo.toml.in"), folder.join("Cargo.toml")).expect("a copy");
    fs::copy(from.join("src/lib.rs"), folder.join("src/lib.rs")).expect("a copy");
    // The versions of this checkout are downloaded already.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).expect("a copy");
    let mut cargo = match toolchain {
        Some(_) => Command::new("rustup"),
        None => Command::new(run::cargo_program()),
    };
    cargo.args(toolchain.map(|toolchain| ["run", toolchain, "cargo"]).iter().flatten());
    for variable in ["RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN", "RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO"] {
        cargo.env_remove(variable);
    }
    succeed(cargo.args(["build", "--quiet", "--release", "--offline"]).current_dir(&folder));
    Neighbour { name: name.to_owned(), archive: folder.join("target/release/libneighbour.a") }
}

/// Returns the command that links a program with `archive` and the neighbour, in this order or the other.
fn beside(archive: &Path, neighbour: &Neighbour, first: bool, program: &Path) -> Command {
    let mut link = compiler("gcc");
    link.arg(root().join("crates/xtask-package/tests/packages/neighbour.c"));
    let (one, other) = if first { (archive, &*neighbour.archive) } else { (&*neighbour.archive, archive) };
    link.arg(one).arg(other).args(system_libraries()).arg("-o").arg(program);
    link
}

#[test]
fn it_links_beside_static_libraries_of_every_toolchain_that_contain_ring() {
    let (service, folder) = (Service::start(), tempfile::tempdir().expect("a folder"));
    for neighbour in neighbours() {
        for first in [true, false] {
            let program = folder.path().join("program");
            succeed(&mut beside(&library().archive, neighbour, first, &program));
            let printed = succeed(Command::new(&program).args(service.arguments()));
            assert_eq!(printed, "ba verified ba\n", "{}, ours first: {first}", neighbour.name);
        }
    }
}

#[test]
fn it_would_not_link_beside_them_as_rustc_writes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let printed =
        fail(&mut beside(&library().unlocalised, &neighbours()[0], true, &folder.path().join("program")));
    assert!(printed.contains("multiple definition of `rust_eh_personality'"), "{printed}");
}

/// Compiles a shared library that contains the static one. Returns its exports.
fn exports_of_a_host(options: &[String]) -> Vec<String> {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let (source, host) = (folder.path().join("host.c"), folder.path().join("libhost.so"));
    let text = "#include <justcall_auth.h>\nconst char *host_version(void);\n\
                const char *host_version(void) { return justcall_version(); }\n";
    fs::write(&source, text).expect("a source");
    succeed(
        compiler("gcc")
            .args(["-shared", "-fPIC", "-Wl,-z,defs"])
            .arg(&source)
            .args(options)
            .arg("-o")
            .arg(&host),
    );
    binary::exports(&host).expect("nm reads it").into_iter().collect()
}

#[test]
fn a_shared_library_that_contains_it_exports_none_of_its_functions() {
    let installed = Installed::new("lib");
    assert_eq!(
        exports_of_a_host(&installed.pkg_config(&["--libs", "justcall_auth-static"])),
        ["host_version"]
    );
    let mut plain = vec![library().archive.display().to_string()];
    plain.extend(system_libraries());
    let control = exports_of_a_host(&plain);
    assert!(control.iter().any(|name| name == "justcall_version"), "control: {control:?}");
}
