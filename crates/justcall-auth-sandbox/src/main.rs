//! The command `justcall-auth-sandbox`: a local JustCall-compatible server for tests.

mod browser;

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use browser::open_browser;
use clap::Parser;
use justcall_auth_sandbox::{Sandbox, SandboxArguments, SandboxConfig};
use serde::Serialize;
use tokio::sync::oneshot;

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
