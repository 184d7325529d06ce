//! How soon a call ends that is cancelled, whatever it is waiting for.

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

/// What a call waited for, and how long it went on after it was cancelled.
pub struct Row {
    pub phase: &'static str,
    /// Milliseconds: the median, the soonest, the latest.
    pub took: Ratio,
}

/// Makes the request of a call.
type Make<'a> = &'a dyn Fn() -> Result<Request, justcall_auth::Error>;

/// What the other end does with a connection.
#[derive(Clone, Copy)]
enum Service {
    /// Takes it and says nothing.
    Silent,
    /// Reads and never answers.
    Deaf,
    /// Answers, a byte at a time.
    Drips,
    /// Rejects every pair.
    Rejects,
}

/// Cancels calls in every phase, so many times.
///
/// # Errors
/// When a call does not end as it should.
pub fn measure(rounds: u32) -> Result<Vec<Row>> {
    let get = || Request::new("GET", "/v2.1/calls");
    let large_post = || {
        let mut request = Request::new("POST", "/v2/texts")?;
        request.set_body(vec![b'x'; 64 << 20]);
        Ok(request)
    };
    let phases: [(&'static str, Service, &str, Make<'_>); 5] = [
        ("handshake: the service does not answer", Service::Silent, "https", &get),
        ("sending: the service does not read", Service::Silent, "http", &large_post),
        ("receiving: no answer comes", Service::Deaf, "http", &get),
        ("receiving: the answer drips without pause", Service::Drips, "http", &get),
        ("waiting for the source to give another pair", Service::Rejects, "http", &get),
    ];
    let mut rows = vec![resolving(rounds)?, connecting(rounds)?];
    for (phase, service, scheme, request) in phases {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::spawn(move || serve(&listener, service));
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

/// The queue of a socket that accepts nothing is full: the kernel answers no more.
fn connecting(rounds: u32) -> Result<Row> {
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

/// The name server does not answer: the process that [`resolve`] measures in has its own network and settings.
fn resolving(rounds: u32) -> Result<Row> {
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
    Ok(Row { phase: "resolving: the name server does not answer", took: spread(took) })
}

/// Cancels calls that look up a name, and prints how many milliseconds each went on.
///
/// # Errors
/// When a call does not end as it should.
pub fn resolve(rounds: u32) -> Result<()> {
    let hears = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).context("the name server cannot be had")?;
    hears.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut config = Config::new();
    config.set_base_url("https://no-such-service.example")?;
    let get = || Request::new("GET", "/v2.1/calls");
    for took in cancelled("resolving", rounds, &config, &get)? {
        println!("{took}");
    }
    // The control: it was asked.
    hears.recv(&mut [0; 512]).context("the name server was not asked")?;
    Ok(())
}

fn row(phase: &'static str, rounds: u32, config: &Config, request: Make<'_>) -> Result<Row> {
    Ok(Row { phase, took: spread(cancelled(phase, rounds, config, request)?) })
}

fn spread(mut took: Vec<f64>) -> Ratio {
    took.sort_unstable_by(f64::total_cmp);
    Ratio { median: took[took.len() / 2], low: took[0], high: took[took.len() - 1] }
}

/// How many milliseconds each call went on.
fn cancelled(phase: &str, rounds: u32, config: &Config, request: Make<'_>) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for round in 0..rounds {
        let mut config = config.clone();
        if !phase.starts_with("reading") {
            let secret = format!("sec789xyz{round:03}");
            config.set_credentials(Credentials::new(b"abc123def456", secret.as_bytes())?);
        }
        let client = Client::new(&config)?;
        let cancel = Cancel::new();
        let (given, request) = (cancel.clone(), request()?);
        let call = thread::spawn(move || {
            let result = client.call().with_cancel(given).request(request);
            (Instant::now(), result)
        });
        // At another moment of its waiting each time.
        thread::sleep(Duration::from_millis(150 + u64::from(round) * 7 % 50));
        ensure!(!call.is_finished(), "{phase}: the call did not wait");
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
fn serve(listener: &TcpListener, service: Service) {
    let mut kept = Vec::new();
    while let Ok((mut connection, _)) = listener.accept() {
        match service {
            Service::Silent => kept.push(connection),
            Service::Deaf => drop(thread::spawn(move || while has_read(&mut connection) {})),
            Service::Drips => drop(thread::spawn(move || {
                if has_read(&mut connection) {
                    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
                    let mut is_open = connection.write_all(head.as_bytes()).is_ok();
                    while is_open {
                        thread::sleep(Duration::from_millis(2));
                        is_open = connection.write_all(b"x").is_ok();
                    }
                }
            })),
            Service::Rejects => drop(thread::spawn(move || {
                while has_read(&mut connection) {
                    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
                    if connection.write_all(answer.as_bytes()).is_err() {
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
