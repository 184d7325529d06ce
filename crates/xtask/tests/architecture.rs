//! Checks the architecture: which crate may use which, how many dependencies the library has, where unsafe code may be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates that each crate may use: "ffi, python, cli (and its scan) → justcall-auth → protocol → secret".
const MAY_USE: &[(&str, &[&str])] = &[
    ("justcall-auth-secret", &[]),
    ("justcall-auth-protocol", &["justcall-auth-secret"]),
    ("justcall-auth", &["justcall-auth-protocol", "justcall-auth-secret"]),
    ("justcall-auth-ffi", &["justcall-auth"]),
    ("justcall-auth-python", &["justcall-auth"]),
    ("justcall-auth-scan", &["justcall-auth"]),
    ("justcall-auth-cli", &["justcall-auth", "justcall-auth-scan"]),
    ("justcall-auth-sandbox", &[]),
    ("justcall-auth-abi", &["justcall-auth"]),
    ("justcall-auth-bench", &["justcall-auth", "xtask-demo", "xtask-package"]),
    ("justcall-auth-fault-tests", &["justcall-auth", "justcall-auth-sandbox"]),
    (
        "justcall-auth-fuzz-targets",
        &["justcall-auth", "justcall-auth-abi", "justcall-auth-protocol", "justcall-auth-scan"],
    ),
    ("justcall-auth-memory-tests", &["justcall-auth-vault-tests"]),
    ("justcall-auth-model", &["justcall-auth-secret"]),
    ("justcall-auth-platforms", &["xtask-demo"]),
    ("justcall-auth-rotation-tests", &["justcall-auth-sandbox"]),
    ("justcall-auth-second", &["justcall-auth-protocol"]),
    ("justcall-auth-simulation", &["justcall-auth-protocol"]),
    ("justcall-auth-vault-tests", &[]),
    ("xtask", &["xtask-demo"]),
    ("xtask-demo", &[]),
    ("xtask-generate", &["justcall-auth", "justcall-auth-protocol", "xtask-demo"]),
    ("xtask-house", &["xtask-demo"]),
    ("xtask-package", &["justcall-auth-cli", "xtask-demo"]),
];

/// The crates of the product. The sandbox and xtask are for developers.
const PRODUCT: &[&str] = &[
    "justcall-auth-secret",
    "justcall-auth-protocol",
    "justcall-auth",
    "justcall-auth-ffi",
    "justcall-auth-python",
    "justcall-auth-scan",
    "justcall-auth-cli",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders deep").to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO")).current_dir(root()).args(arguments).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn packages() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version=1", "--no-deps"])).expect("JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn sources(package: &Value) -> Vec<(PathBuf, String)> {
    // The folders of its library and its programs, which are not always `src/`.
    let targets = package["targets"].as_array().expect("targets");
    let is_own = |target: &&Value| {
        target["kind"]
            .as_array()
            .expect("kinds")
            .iter()
            .any(|kind| matches!(kind.as_str(), Some("lib" | "cdylib" | "staticlib" | "bin")))
    };
    let root =
        |target: &Value| Path::new(target["src_path"].as_str().expect("a path")).parent().map(Path::to_owned);
    let roots: BTreeSet<PathBuf> = targets.iter().filter(is_own).filter_map(root).collect();
    let mut folders: Vec<PathBuf> = roots.into_iter().collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a source folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                files.push((path, text));
            }
        }
    }
    assert!(!files.is_empty(), "{} has no sources", package["name"]);
    files
}

#[test]
fn its_dependencies_point_one_way() {
    let packages = packages();
    let names: BTreeSet<&str> =
        packages.iter().map(|package| package["name"].as_str().expect("a name")).collect();
    let listed: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, listed, "list a new crate in MAY_USE");
    let mut edges = 0;
    for package in &packages {
        let name = package["name"].as_str().expect("a name");
        let (_, allowed) = MAY_USE.iter().find(|(listed, _)| *listed == name).expect("listed above");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let used = dependency["name"].as_str().expect("a name");
            if names.contains(used) && dependency["kind"].is_null() {
                assert!(allowed.contains(&used), "{name} must not use {used}");
                edges += 1;
            }
        }
    }
    assert!(edges >= 6, "control: the test saw only {edges} dependencies between crates");
}

#[test]
fn it_keeps_the_embedded_tree_small() {
    let tree =
        cargo(&["tree", "--package=justcall-auth-ffi", "--edges=normal", "--prefix=none", "--format={p}"]);
    let crates: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).collect();
    assert!(crates.contains("rustls") && crates.contains("ureq"), "{crates:?}");
    assert!(crates.len() < 60, "{} crates: {crates:?}", crates.len());
}

#[test]
fn it_keeps_unsafe_code_in_two_crates_and_one_file_of_the_python_module() {
    let mut homes = BTreeSet::new();
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        for (path, text) in sources(&package) {
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
            let is_unsafe = |line: &str| {
                line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "unsafe")
            };
            // The header's generator writes C and Rust code, so the word occurs in its literals.
            if name == "xtask-generate" || code.filter(|line| is_unsafe(line)).count() == 0 {
                continue;
            }
            // This target calls the C ABI, as C programs do.
            if path.starts_with(root().join("tests/fuzz/src/targets/abi")) {
                continue;
            }
            homes.insert(match name {
                "justcall-auth-secret" | "justcall-auth-ffi" => name.to_owned(),
                // The same files as a Rust library.
                "justcall-auth-abi" => "justcall-auth-ffi".to_owned(),
                _ => path.strip_prefix(root()).expect("it is in the workspace").display().to_string(),
            });
        }
    }
    assert_eq!(
        homes.into_iter().collect::<Vec<_>>(),
        ["bindings/python/src/capi.rs", "justcall-auth-ffi", "justcall-auth-secret"],
        "unsafe code is in other places, or this test does not see it"
    );
}

#[test]
fn it_keeps_the_facts_about_the_service_in_one_file() {
    let mut homes = BTreeSet::new();
    for package in packages() {
        if !PRODUCT.contains(&package["name"].as_str().expect("a name")) {
            continue;
        }
        for (path, text) in sources(&package) {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let facts =
                ["\"https://api.justcall.io", "\"/v2/account\"", "\"/v2.1/users", "\"x-rate", "\"x-justcall"];
            if code.filter(|line| facts.iter().any(|fact| line.contains(fact))).count() > 0 {
                homes.insert(path.file_name().expect("a name").to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(homes, BTreeSet::from(["service.rs".to_owned()]));
}

#[test]
fn it_keeps_io_clocks_and_threads_out_of_the_protocol() {
    let doings = [
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "ToSocketAddrs",
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "Instant::now",
        "SystemTime::now",
    ];
    let users = |package: &str| -> BTreeSet<String> {
        let packages = packages();
        let package = packages.iter().find(|one| one["name"] == package).expect("it is in the workspace");
        let mut users = BTreeSet::new();
        for (path, text) in sources(package) {
            let is_test =
                path.to_string_lossy().ends_with("_tests.rs") || path.ends_with("diagnose/properties.rs");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let mut code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            if !is_test && code.any(|line| doings.iter().any(|doing| line.contains(doing))) {
                users.insert(path.display().to_string());
            }
        }
        users
    };
    assert_eq!(users("justcall-auth-protocol"), BTreeSet::new());
    assert!(users("justcall-auth").len() > 5, "this test looks at nothing");
}

/// The files that hold the whole `impl` of a type with many states. They may have up to 600 lines.
/// pyo3 accepts the methods of a Python class only in one `impl`.
const LARGE_TYPES: [&str; 2] =
    ["crates/justcall-auth-protocol/src/exchange/mod.rs", "bindings/python/src/client.rs"];

#[test]
fn it_keeps_files_short() {
    for package in packages() {
        for (path, text) in sources(&package) {
            let limit = if LARGE_TYPES.iter().any(|large| path.ends_with(large)) { 600 } else { 450 };
            assert!(text.lines().count() <= limit, "{} is longer than {limit} lines", path.display());
        }
    }
}
