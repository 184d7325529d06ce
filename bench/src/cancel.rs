//! Measures how soon a cancelled call ends, in every phase in which a call waits.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use justcall_auth::{Cancel, Client, Config, Credentials, ErrorKind, Request};

use crate::statistics::Ratio;
use xtask_demo::run;

/// The phase in which a call was cancelled, and the time until it ended.
pub struct CancelRow {
    pub phase: &'static str,
    /// In milliseconds: the median, the shortest, the longest.
    pub took: Ratio,
}

/// Creates the request of a call.
type MakeRequest<'a> = &'a dyn Fn() -> Result<Request, justcall_auth::Error>;

/// What the service does with a connection.
#[derive(Clone, Copy)]
enum ServiceBehaviour {
    /// Accepts it, and neither reads nor writes.
    AcceptsOnly,
    /// Reads and never responds.
    ReadsOnly,
    /// Responds one byte at a time.
    RespondsSlowly,
    /// Responds 401 to every request.
    RejectsPairs,
}

/// Cancels `rounds` calls in every phase.
///
/// # Errors
/// If a call ends before it is cancelled, or with another result than `Cancelled`.
pub fn measure(rounds: u32) -> Result<Vec<CancelRow>> {
    let get = || Request::new("GET", "/v2.1/calls");
    let large_post = || {
        let mut request = Request::new("POST", "/v2/texts")?;
        request.set_body(vec![b'x'; 64 << 20]);
        Ok(request)
    };
    let phases: [(&'static str, ServiceBehaviour, &str, MakeRequest<'_>); 5] = [
        ("handshake: the service does not answer", ServiceBehaviour::AcceptsOnly, "https", &get),
        ("sending: the service does not read", ServiceBehaviour::AcceptsOnly, "http", &large_post),
        ("receiving: no response comes", ServiceBehaviour::ReadsOnly, "http", &get),
        ("receiving: the response comes one byte at a time", ServiceBehaviour::RespondsSlowly, "http", &get),
        ("waiting for another pair from the source", ServiceBehaviour::RejectsPairs, "http", &get),
    ];
    let mut rows = vec![resolving(rounds)?, connecting(rounds)?];
    for (phase, behaviour, scheme, request) in phases {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || serve(&listener, behaviour));
        let mut config = Config::new();
        config
            .set_base_url(&format!("{scheme}://127.0.0.1:{port}"))?
            .set_rotation_wait(Duration::from_secs(20));
        rows.push(row(phase, rounds, &config, request)?);
    }
    let mut config = Config::new();
    config.set_source("command:sleep 60")?;
    rows.push(row("reading a source: the command does not end", rounds, &config, &get)?);
    Ok(rows)
}

/// Fills the queue of a socket that never accepts, so that the kernel does not answer further connections.
fn connecting(rounds: u32) -> Result<CancelRow> {
    let full = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = full.local_addr()?;
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queued.push(stream);
    }
    let mut config = Config::new();
    config.set_base_url(&format!("http://{address}"))?;
    let get = || Request::new("GET", "/v2.1/calls");
    row("connecting: the host does not answer", rounds, &config, &get)
}

/// Runs [`resolve`] in a process with a separate network and resolver settings, whose name server does not answer.
fn resolving(rounds: u32) -> Result<CancelRow> {
    let folder = tempfile::tempdir()?;
    let settings = folder.path().join("resolv.conf");
    std::fs::write(&settings, "nameserver 127.0.0.1\n")?;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "--net", "sh", "-c"]);
    let script = "ip link set lo up && mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    command.args([script, "sh"]).arg(&settings);
    command.arg(env::current_exe()?).args(["--resolving", &rounds.to_string()]);
    let printed = run::output(&mut command)?;
    let took = printed.lines().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    ensure!(took.len() == rounds as usize, "{} of {rounds} calls were cancelled", took.len());
    Ok(CancelRow { phase: "resolving: the name server does not answer", took: spread(took) })
}

/// Cancels calls that resolve a name, and prints the milliseconds until each ended.
///
/// # Errors
/// If a call ends before it is cancelled, or with another result than `Cancelled`.
pub fn resolve(rounds: u32) -> Result<()> {
    let name_server =
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).context("cannot bind the name server's port")?;
    name_server.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut config = Config::new();
    config.set_base_url("https://no-such-service.example")?;
    let get = || Request::new("GET", "/v2.1/calls");
    for took in cancelled("resolving", rounds, &config, &get)? {
        println!("{took}");
    }
    // Positive control: the calls did query the name server.
    name_server.recv(&mut [0; 512]).context("no call queried the name server")?;
    Ok(())
}

fn row(phase: &'static str, rounds: u32, config: &Config, request: MakeRequest<'_>) -> Result<CancelRow> {
    Ok(CancelRow { phase, took: spread(cancelled(phase, rounds, config, request)?) })
}

fn spread(mut took: Vec<f64>) -> Ratio {
    took.sort_unstable_by(f64::total_cmp);
    Ratio { median: took[took.len() / 2], low: took[0], high: took[took.len() - 1] }
}

/// Cancels `rounds` calls. Returns the milliseconds from each cancellation to the end of the call.
fn cancelled(phase: &str, rounds: u32, config: &Config, request: MakeRequest<'_>) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for round in 0..rounds {
        let mut config = config.clone();
        if !phase.starts_with("reading") {
            let secret = format!("sec789xyz{round:03}");
            config.set_credentials(Credentials::new(b"abc123def456", secret.as_bytes())?);
        }
        let client = Client::new(&config)?;
        let cancel = Cancel::new();
        let (handle, request) = (cancel.clone(), request()?);
        let call = thread::spawn(move || {
            let result = client.call().with_cancel(handle).request(request);
            (Instant::now(), result)
        });
        // Each round cancels at another moment of the wait.
        thread::sleep(Duration::from_millis(150 + u64::from(round) * 7 % 50));
        ensure!(!call.is_finished(), "{phase}: the call ended before it was cancelled");
        let fired = Instant::now();
        cancel.fire();
        let (ended, result) = call.join().ok().context("the call panicked")?;
        match result {
            Err(error) if error.kind() == ErrorKind::Cancelled => {}
            other => bail!("{phase}: the call was not cancelled: {other:?}"),
        }
        took.push(ended.duration_since(fired).as_secs_f64() * 1e3);
    }
    Ok(took)
}

/// Serves until the process ends.
fn serve(listener: &TcpListener, behaviour: ServiceBehaviour) {
    let mut open = Vec::new();
    while let Ok((mut connection, _)) = listener.accept() {
        match behaviour {
            ServiceBehaviour::AcceptsOnly => open.push(connection),
            ServiceBehaviour::ReadsOnly => {
                drop(thread::spawn(move || while has_read(&mut connection) {}));
            }
            ServiceBehaviour::RespondsSlowly => drop(thread::spawn(move || {
                if has_read(&mut connection) {
                    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
                    let mut is_open = connection.write_all(head.as_bytes()).is_ok();
                    while is_open {
                        thread::sleep(Duration::from_millis(2));
                        is_open = connection.write_all(b"x").is_ok();
                    }
                }
            })),
            ServiceBehaviour::RejectsPairs => drop(thread::spawn(move || {
                while has_read(&mut connection) {
                    let response = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
                    if connection.write_all(response.as_bytes()).is_err() {
                        return;
                    }
                }
            })),
        }
    }
}

fn has_read(connection: &mut TcpStream) -> bool {
    connection.read(&mut [0; 4096]).is_ok_and(|read| read > 0)
}
