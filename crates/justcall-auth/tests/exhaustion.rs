//! Exhausted file descriptors and threads. The message names the limit, and blames neither the network nor the service.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use justcall_auth::{Client, Config, Credentials, Error};
use rustix::process::{Resource, Rlimit, setrlimit};

/// The variable with the role of a child process.
const ROLE: &str = "JUSTCALL_TEST_ROLE";

/// Runs the test `name` as `role` in a process of a user without privileges. Returns its output.
fn run_test_as(name: &str, role: &str) -> String {
    assert!(rustix::process::geteuid().is_root(), "this test drops its privileges: run it as root");
    let folder = tempfile::tempdir().expect("a folder");
    let set_mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    let program = folder.path().join("test");
    // Another process writes the file. If it were open for writing here, a child that another test starts would keep it
    // open.
    let this = std::env::current_exe().expect("this test's path");
    assert!(Command::new("cp").arg(this).arg(&program).status().expect("cp runs").success());
    set_mode(folder.path(), 0o755);
    set_mode(&program, 0o755);
    // A separate user, because the system counts threads by user.
    let user = (100_000 + std::process::id() % 900_000).to_string();
    let output = Command::new("setpriv")
        .args([
            "--reuid",
            &user,
            "--regid",
            &user,
            "--clear-groups",
            "--inh-caps=-all",
            "--bounding-set=-all",
        ])
        .arg(program)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .output()
        .expect("setpriv runs");
    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && printed.contains("1 passed"), "{role}: {printed}");
    printed
}

fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

fn verify(base_url: &str) -> Error {
    let mut config = Config::new();
    config.set_base_url(base_url).expect("good").set_proxy("").expect("none");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    config.set_timeout(Duration::from_secs(20)).set_max_retries(0);
    Client::new(&config).and_then(|client| client.verify()).expect_err("there is no service")
}

#[track_caller]
fn assert_message(error: &Error, words: &str, hint: &str) {
    let shown = format!("{error} {}", error.hint());
    assert!(error.message().contains(words) && error.hint().contains(hint), "{shown}");
    for misleading in ["DNS", "firewall", "base URL", "CA certificates", "eport this"] {
        assert!(!shown.contains(misleading), "{misleading}: {shown}");
    }
    assert!(!error.request_sent() && error.retryable() && error.message().len() < 300, "{shown}");
}

#[test]
fn it_reports_exhausted_file_descriptors() {
    if role().is_none() {
        run_test_as("it_reports_exhausted_file_descriptors", "child");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let refused = verify(&format!("https://127.0.0.2:{port}"));
    assert!(refused.message().contains("refused"), "the control: {refused}");
    let limit = Rlimit { current: Some(32), maximum: Some(32) };
    setrlimit(Resource::Nofile, limit).expect("a lower limit");
    let mut open_files: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let bites = File::open("/dev/null").expect_err("the limit bites");
    assert_eq!(bites.raw_os_error(), Some(rustix::io::Errno::MFILE.raw_os_error()));
    assert_message(&verify(&format!("https://127.0.0.1:{port}")), "limit of open files", "ulimit -n");
    assert_message(&verify("https://service.invalid"), "limit of open files", "ulimit -n");
    // One descriptor suffices for the connection, but not for the certificate authorities.
    drop(open_files.pop());
    assert_message(&verify(&format!("https://127.0.0.1:{port}")), "limit of open files", "ulimit -n");
}

#[test]
fn it_reports_that_no_thread_can_be_started() {
    if role().is_none() {
        run_test_as("it_reports_that_no_thread_can_be_started", "child");
        return;
    }
    let unknown = verify("https://service.invalid");
    assert!(unknown.message().contains("could not be found"), "the control: {unknown}");
    // The limit equals the current number of threads, although the thread of the look-up may be about to end.
    let limit = Rlimit { current: Some(1), maximum: Some(1) };
    setrlimit(Resource::Nproc, limit).expect("a lower limit");
    let bites = thread::Builder::new().spawn(|| ()).expect_err("the limit bites");
    assert_eq!(bites.raw_os_error(), Some(rustix::io::Errno::AGAIN.raw_os_error()));
    let error = verify("https://other.invalid");
    assert_message(&error, "No thread can be started", "ulimit -u");
    assert_eq!(error.reason(), Some("resolve"));
}
