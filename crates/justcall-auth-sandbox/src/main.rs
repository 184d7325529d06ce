//! The command `justcall-auth-sandbox`: a local JustCall-compatible server for tests.
#![expect(clippy::doc_markdown, reason = "the comments on the arguments are the text of --help")]

mod browser;

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use browser::open_browser;
use clap::Parser;
use justcall_auth_sandbox::{Dialect, Sandbox, SandboxConfig};
use serde::Serialize;
use tokio::sync::oneshot;

/// A local server that answers as the JustCall API does, for tests.
///
/// When it is ready, it prints one line of JSON with "url", "ca_file" (the authority that clients must trust;
/// null with --http), "api_key", "api_secret", "control_url" and "console_url" (null without --console or
/// --open), and serves until SIGTERM or SIGINT.
/// Pair, token and authority are new at each start. The private keys are in memory only.
///
/// Tests control it at control_url: POST pairs creates an account, POST reset replaces a pair immediately or after
/// an overlap in which both pairs work, POST faults makes answers fail, GET requests lists the requests.
/// For example:
///
///   curl --cacert "$ca_file" -H "Authorization: $api_key:$api_secret" "$url/v2/account"
///   curl --cacert "$ca_file" -d '{"fault":"answer","status":503,"times":1}' "${control_url}faults"
///   curl --cacert "$ca_file" -d '{"overlap_ms":60000}' "${control_url}reset"
#[derive(Parser)]
#[command(version, verbatim_doc_comment)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct SandboxArguments {
    /// Serve the API at this loopback address. Port 0 chooses a free port. May be repeated: another address with
    /// port 0 gets the port of the first, so that 127.0.0.1:0 and [::1]:0 are localhost in both families.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: Vec<SocketAddr>,

    /// Serve plain HTTP instead of HTTPS.
    #[arg(long, conflicts_with = "ca_file")]
    http: bool,

    /// Write the authority's certificate to this file and keep it [default: a new temporary file, removed at the
    /// end].
    #[arg(long, value_name = "PATH")]
    ca_file: Option<PathBuf>,

    /// The description of the service to follow: the help article, or measurements of the live service.
    #[arg(long, value_enum, default_value = "article")]
    dialect: Dialect,

    /// Serve the console: a page that shows requests as they arrive, and resets pairs, adds faults and sends
    /// webhooks. It listens on loopback only, and its URL contains a random token.
    #[arg(long)]
    console: bool,

    /// Serve the console and open it in a browser.
    #[arg(long)]
    open: bool,

    /// Also exit when standard input ends, so that no server outlives the test that started it.
    #[arg(long)]
    until_stdin_closes: bool,
}

/// The line with the values that a client needs.
#[derive(Serialize)]
struct Announcement<'a> {
    url: &'a str,
    ca_file: Option<&'a Path>,
    api_key: &'a str,
    api_secret: &'a str,
    control_url: &'a str,
    console_url: Option<&'a str>,
}

fn main() -> ExitCode {
    match run(SandboxArguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("justcall-auth-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: SandboxArguments) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before the line is printed, since its reader may send the signal immediately.
    let signals = {
        let _context = runtime.enter();
        signals()?
    };
    let sandbox = Sandbox::start(SandboxConfig {
        listen: arguments.listen,
        http: arguments.http,
        ca_file: arguments.ca_file,
        dialect: arguments.dialect,
        console: arguments.console || arguments.open,
    })?;
    announce(&sandbox)?;
    if let (true, Some(console_url)) = (arguments.open, sandbox.console_url()) {
        open_browser(console_url);
    }
    let stdin_closed = arguments.until_stdin_closes.then(stdin_closed).transpose()?;
    runtime.block_on(async {
        tokio::select! {
            () = signals => {}
            () = async { drop(stdin_closed.expect("the branch is disabled without it").await) },
                if arguments.until_stdin_closes => {}
        }
    });
    Ok(())
}

fn announce(sandbox: &Sandbox) -> io::Result<()> {
    let announcement = Announcement {
        url: sandbox.url(),
        ca_file: sandbox.ca_file(),
        api_key: sandbox.api_key(),
        api_secret: sandbox.api_secret(),
        control_url: sandbox.control_url(),
        console_url: sandbox.console_url(),
    };
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, &announcement)?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Catches SIGTERM and SIGINT from now on, and resolves at the first of them.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the signature of the function for Unix")]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// Resolves when standard input ends. A separate thread waits for it and ends with the process.
fn stdin_closed() -> io::Result<oneshot::Receiver<()>> {
    let (ended, end) = oneshot::channel();
    thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut scrap = [0; 1024];
        let mut stdin = io::stdin().lock();
        while matches!(stdin.read(&mut scrap), Ok(1..)) {}
        let _ = ended.send(());
    })?;
    Ok(end)
}
