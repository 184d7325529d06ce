//! The wheel, installed as users install it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use xtask_package::binary;
use xtask_package::workspace::VERSION;

use crate::support::{Place, Venv, file, outcome, succeed};

/// The size of the wheel at most, in bytes: 4 MB.
const SIZE_MAX: u64 = 4_000_000;

/// The size of the module in the wheel at most, compressed, in bytes. It was 1.4 MiB without the source `vault:`.
const MODULE_MAX: u64 = 1_490_000;

/// A body for standard input.
const INPUT: &[u8] = b"{\"contact_number\":\"+15550100\",\"first_name\":\"From standard input\"}";

/// Both ways to start the command.
fn ways(venv: &Venv) -> [Command; 2] {
    let mut module = venv.program("python");
    module.args(["-m", "justcall_auth"]);
    [venv.program("justcall-auth"), module]
}

#[test]
fn it_installs_and_verifies_without_rust() {
    let place = Place::new();
    let venv = place.venv();
    venv.install(&file(".whl"));
    let find = |path: Option<&Path>| {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "command -v cargo || command -v rustc"]);
        path.map(|path| shell.env("PATH", path));
        outcome(&mut shell).status.success()
    };
    assert!(!find(Some(&venv.folder.join("bin"))), "the environment has no Rust");
    assert!(find(None), "control: this test has");
    assert_eq!(venv.verify(&place), "admin@yourcompany.com\n");
    for mut command in ways(&venv) {
        assert_eq!(succeed(command.arg("--version")), format!("justcall-auth {VERSION}\n"));
    }
    for mut command in ways(&venv) {
        let printed = succeed(place.reach(command.arg("verify")));
        assert!(printed.contains("admin@yourcompany.com"), "{printed}");
    }
}

#[test]
fn python_m_has_the_exit_status_the_output_and_the_input_of_the_command() {
    let place = Place::new();
    let venv = place.venv();
    venv.install(&file(".whl"));
    let results = ways(&venv).map(|mut command| {
        place.reach(command.arg("verify"));
        let output = outcome(command.env("JUSTCALL_API_SECRET", "0".repeat(40)));
        (output.status.code(), String::from_utf8(output.stdout), String::from_utf8(output.stderr))
    });
    assert_eq!(results[0].0, Some(4), "rejected: {results:?}");
    assert_eq!(results[0], results[1]);
    for mut command in ways(&venv) {
        place.reach(command.args(["request", "POST", "/v2.1/contacts", "--body-file", "-"]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut input = child.stdin.take().expect("it was piped");
        input.write_all(INPUT).expect("it reads");
        drop(input);
        child.wait().expect("it ends");
    }
    let requests = place.sandbox.control("GET", "requests", &serde_json::Value::Null).expect("requests");
    assert_eq!(
        requests.to_string().matches(&format!("\"body_bytes\":{}", INPUT.len())).count(),
        2,
        "{requests}"
    );
}

#[test]
fn python_m_becomes_the_command_so_that_signals_reach_it() {
    let place = Place::new();
    let venv = place.venv();
    venv.install(&file(".whl"));
    for mut command in ways(&venv) {
        place.reach(command.args(["request", "POST", "/v2.1/contacts", "--body-file", "-"]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        let program = Path::new("/proc").join(child.id().to_string()).join("exe");
        while !fs::read_link(&program).expect("it runs").ends_with("bin/justcall-auth") {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        succeed(Command::new("kill").args(["-TERM", &child.id().to_string()]));
        assert_eq!(child.wait().expect("it ends").signal(), Some(15));
    }
}

#[test]
fn python_m_finds_the_command_of_an_installation_in_a_folder() {
    let place = Place::new();
    let venv = place.venv();
    let folder = place.path().join("target");
    let mut pip = venv.program("pip");
    succeed(pip.args(["install", "--quiet", "--no-index", "--target"]).arg(&folder).arg(file(".whl")));
    let mut module = venv.program("python");
    module.args(["-m", "justcall_auth", "--version"]).env("PYTHONPATH", &folder);
    assert_eq!(succeed(&mut module), format!("justcall-auth {VERSION}\n"));
}

#[test]
fn python_m_names_the_remedy_if_there_is_no_command() {
    let place = Place::new();
    let venv = place.venv();
    venv.install(&file(".whl"));
    fs::remove_file(venv.folder.join("bin/justcall-auth")).expect("the command");
    let output = outcome(venv.program("python").args(["-m", "justcall_auth", "--version"]));
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(message.starts_with("This installation of justcall-auth has no command"), "{message}");
}

#[test]
fn it_is_for_every_python_from_3_9_on_manylinux2014() {
    let wheel = file(".whl");
    let name = wheel.file_name().expect("a name").to_string_lossy().into_owned();
    let expected =
        format!("justcall_auth-{VERSION}-cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl");
    assert_eq!(name, expected);
    let unpacked = unpack(&wheel);
    let text = fs::read_to_string(information(unpacked.path()).join("WHEEL")).expect("WHEEL");
    for tag in ["manylinux_2_17_x86_64", "manylinux2014_x86_64"] {
        assert!(text.contains(&format!("Tag: cp39-abi3-{tag}\n")), "{text}");
    }
    let module = unpacked.path().join("justcall_auth/_native.abi3.so");
    assert!(binary::highest_glibc(&module).expect("readelf reads it") <= vec![2, 17]);
    let needed = binary::needed(&module).expect("readelf reads it");
    assert!(!needed.iter().any(|name| name.contains("python")), "{needed:?}");
    // What others check: the policy manylinux2014, and the stable ABI.
    let place = Place::new();
    let venv = place.venv();
    succeed(venv.program("pip").args(["install", "--quiet", "auditwheel==6.8.2", "abi3audit==0.0.26"]));
    let policy = succeed(venv.program("auditwheel").arg("show").arg(&wheel));
    assert!(policy.contains("platform tag:\n\"manylinux_2_17_x86_64\""), "{policy}");
    succeed(venv.program("abi3audit").arg("--strict").arg(&wheel));
    let mut older = venv.program("abi3audit");
    let control = outcome(older.args(["--strict", "--assume-minimum-abi3", "3.2"]).arg(&module));
    assert!(!control.status.success(), "control: it needs Python 3.9, and not 3.2");
}

#[test]
fn it_is_small() {
    let wheel = file(".whl");
    let code = "import sys, zipfile\nfor entry in zipfile.ZipFile(sys.argv[1]).infolist():\n    print(entry.compress_size, entry.filename)";
    let listed = succeed(Command::new("python3").args(["-c", code]).arg(&wheel));
    let compressed = |ending: &str| -> u64 {
        let line = listed.lines().find(|line| line.ends_with(ending)).expect("it is in the wheel");
        line.split(' ').next().and_then(|size| size.parse().ok()).expect("a size")
    };
    let (module, command) = (compressed("_native.abi3.so"), compressed("scripts/justcall-auth"));
    let size = fs::metadata(&wheel).expect("a file").len();
    assert!(size <= SIZE_MAX && module <= MODULE_MAX, "wheel {size}, module {module}, command {command}");
    assert!(module + command > size * 9 / 10, "control: they are nearly all of the wheel");
}

#[test]
fn it_contains_licences_notices_a_bill_of_materials_and_types() {
    let unpacked = unpack(&file(".whl"));
    let information = information(unpacked.path());
    let metadata = fs::read_to_string(information.join("METADATA")).expect("METADATA");
    for licence in ["LICENSE-APACHE", "LICENSE-MIT", "THIRD-PARTY"] {
        let text = fs::read_to_string(information.join("licenses").join(licence)).expect("a licence");
        assert!(text.len() > 500 && metadata.contains(&format!("License-File: {licence}\n")), "{licence}");
    }
    let notices = fs::read_to_string(information.join("licenses/THIRD-PARTY")).expect("notices");
    for name in ["\npyo3 ", "\nrustls ", "\nclap "] {
        assert!(notices.contains(name), "{name}");
    }
    assert!(!notices.contains("\ntokio "), "the sandbox is not in the wheel");
    let bill = fs::read_to_string(information.join("sboms/sbom.cdx.json")).expect("the bill");
    assert!(bill.contains("pkg:cargo/pyo3@") && bill.contains("pkg:cargo/clap@"));
    assert!(unpacked.path().join("justcall_auth/py.typed").is_file());
    assert!(unpacked.path().join("justcall_auth/_native.pyi").is_file());
}

#[test]
fn it_states_classifiers_links_and_extras() {
    let unpacked = unpack(&file(".whl"));
    let metadata = fs::read_to_string(information(unpacked.path()).join("METADATA")).expect("METADATA");
    for line in [
        "Metadata-Version: 2.4",
        "License-Expression: MIT OR Apache-2.0",
        "Requires-Python: >=3.9",
        "Classifier: Operating System :: POSIX :: Linux",
        "Classifier: Programming Language :: Python :: 3 :: Only",
        "Classifier: Typing :: Typed",
        "Project-URL: Changelog, https://github.com/justcall-auth/justcall-auth/blob/main/CHANGELOG.md",
        "Project-URL: Repository, https://github.com/justcall-auth/justcall-auth",
        "Provides-Extra: flask",
        "Provides-Extra: django",
        "Provides-Extra: starlette",
        "Requires-Dist: flask>=2.3 ; extra == 'flask'",
        "Requires-Dist: django>=4.2 ; extra == 'django'",
        "Requires-Dist: starlette>=0.27 ; extra == 'starlette'",
    ] {
        assert!(metadata.lines().any(|found| found == line), "{line} is missing:\n{metadata}");
    }
}

/// The oldest versions that the extras permit, each with the newest version of what it needs.
const OLDEST: [(&str, &str); 3] =
    [("flask", "Flask==2.3.0"), ("django", "Django==4.2"), ("starlette", "starlette==0.27.0")];

#[test]
fn its_helpers_receive_a_webhook_in_the_oldest_frameworks_of_the_extras() {
    let place = Place::new();
    let venv = place.venv();
    let mut pip = venv.program("pip");
    let extras = OLDEST.map(|(extra, _)| extra).join(",");
    pip.args(["install", "--quiet"]).arg(format!("{}[{extras}]", file(".whl").display()));
    succeed(pip.args(OLDEST.map(|(_, version)| version)));
    for (framework, version) in OLDEST {
        let mut python = venv.python(include_str!("frameworks.py"));
        assert_eq!(succeed(python.arg(framework)), "200 call.completed, 401 webhook_mismatch\n", "{version}");
    }
}

/// Copies the wheel of the first argument to the second, with another byte at the end of `__main__.py`.
const APPEND: &str = r"
import sys, zipfile
source, target = zipfile.ZipFile(sys.argv[1]), zipfile.ZipFile(sys.argv[2], 'w')
for entry in source.infolist():
    data = source.read(entry)
    target.writestr(entry, data + b'#' if entry.filename.endswith('__main__.py') else data)
target.close()
";

#[test]
fn its_list_of_files_has_the_hash_of_each() {
    let wheel = file(".whl");
    let folder = tempfile::tempdir().expect("a folder");
    let unpack = |wheel: &Path| {
        let mut unpack = Command::new(package_python());
        outcome(unpack.args(["-m", "wheel", "unpack", "--dest"]).arg(folder.path()).arg(wheel))
    };
    assert!(unpack(&wheel).status.success());
    let changed = folder.path().join(wheel.file_name().expect("a name"));
    succeed(Command::new("python3").args(["-c", APPEND]).arg(&wheel).arg(&changed));
    let refused = unpack(&changed);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("Hash mismatch"), "control: {message}");
}

#[test]
fn it_leaves_nothing_when_it_is_uninstalled() {
    let place = Place::new();
    let venv = place.venv();
    let before = venv.files();
    venv.install(&file(".whl"));
    let installed: BTreeSet<_> = venv.files().into_iter().collect();
    assert!(installed.contains(&venv.folder.join("bin/justcall-auth")), "control: it is installed");
    venv.verify(&place);
    succeed(venv.program("pip").args(["uninstall", "--quiet", "--yes", "justcall-auth"]));
    assert_eq!(venv.files(), before);
}

#[test]
fn the_debug_archive_has_the_symbols_of_the_module() {
    let (unpacked, debug) = (unpack(&file(".whl")), tempfile::tempdir().expect("a folder"));
    let module = unpacked.path().join("justcall_auth/_native.abi3.so");
    let id = binary::build_id(&module).expect("an id");
    succeed(
        Command::new("tar")
            .args(["--strip-components=1", "--extract", "--file"])
            .arg(file("-debug.tar.xz"))
            .arg("--directory")
            .arg(debug.path()),
    );
    let path = debug.path().join("lib/debug/.build-id").join(&id[..2]).join(format!("{}.debug", &id[2..]));
    let symbols = succeed(Command::new("nm").arg(&path));
    assert!(symbols.contains("PyInit__native"), "{}", path.display());
    assert!(
        !succeed(Command::new("readelf").args(["--sections", "--wide"]).arg(&module)).contains(".debug_line")
    );
}

/// Returns the Python with the tools of `packaging/requirements.txt`.
fn package_python() -> std::path::PathBuf {
    xtask_demo::run::target_dir(&xtask_demo::run::root()).join("package-venv/bin/python")
}

fn unpack(wheel: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    succeed(Command::new("python3").args(["-m", "zipfile", "--extract"]).arg(wheel).arg(folder.path()));
    folder
}

fn information(unpacked: &Path) -> std::path::PathBuf {
    unpacked.join(format!("justcall_auth-{VERSION}.dist-info"))
}
