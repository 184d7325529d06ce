//! Name look-ups while the name server does not answer: many calls share one thread.
#![cfg(target_os = "linux")]

use std::net::UdpSocket;
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use justcall_auth::{Client, Config, Credentials, ErrorKind};

/// The variable that is set in the process without a name server.
const ROLE: &str = "JUSTCALL_TEST_ROLE";
const CALLERS: usize = 300;

/// Returns how many threads of this process look names up.
fn look_ups() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the kernel's list");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    // The system cuts thread names at 15 bytes.
    names.filter(|name| name.trim() == "justcall-resolv").count()
}

#[test]
fn it_asks_a_slow_name_server_once_for_all_waiting_calls() {
    if std::env::var_os(ROLE).is_some() {
        return wait_for_a_slow_name_server();
    }
    assert!(rustix::process::geteuid().is_root(), "this test listens at port 53: run it as root");
    // A loopback address of this process, because port 53 of another may be in use.
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let server = UdpSocket::bind(format!("127.53.{high}.{low}:53")).expect("an address of this test");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("resolv.conf");
    let address = server.local_addr().expect("an address").ip();
    std::fs::write(&file, format!("nameserver {address}\noptions timeout:5 attempts:2\n")).expect("a file");
    let script = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(&file)
        .arg(std::env::current_exe().expect("this test's path"))
        .args(["it_asks_a_slow_name_server_once_for_all_waiting_calls", "--exact", "--nocapture"])
        .env(ROLE, "child")
        .output()
        .expect("unshare runs");
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    server.set_nonblocking(true).expect("a socket");
    assert!(server.recv(&mut [0; 512]).is_ok(), "the control: the name server was asked");
}

fn wait_for_a_slow_name_server() {
    let mut config = Config::new();
    config.set_base_url("https://slow.justcall-auth.test").expect("good").set_proxy("").expect("none");
    config.set_credentials(Credentials::new(b"abc123def456", b"sec789xyz000").expect("good"));
    config.set_timeout(Duration::from_secs(2)).set_max_retries(0);
    let client = Client::new(&config).expect("a client");
    let (together, over, most) = (Barrier::new(CALLERS + 1), AtomicUsize::new(0), AtomicUsize::new(0));
    for round in 1..=2 {
        over.store(0, Ordering::SeqCst);
        thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| {
                    together.wait();
                    // `verify` is not used, because calls of one client share the proof of the pair, but not their
                    // requests.
                    let request = justcall_auth::Request::new("GET", "/v2.1/calls").expect("good");
                    let error = client.request(request).expect_err("no server answers");
                    over.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(
                        (error.kind(), error.reason()),
                        (ErrorKind::Timeout, Some("resolve")),
                        "{error}"
                    );
                });
            }
            together.wait();
            while over.load(Ordering::SeqCst) < CALLERS {
                most.fetch_max(look_ups(), Ordering::SeqCst);
                thread::sleep(Duration::from_millis(20));
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 1, "round {round}");
    }
}
