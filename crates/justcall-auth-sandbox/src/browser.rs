//! Opening a page in the user's browser.

use std::io;
use std::process::{Command, Stdio};
use std::thread;

/// Opens a URL in the browser, or prints it if there is none. Does not wait for the browser.
pub(crate) fn open_browser(url: &str) {
    if let Err(error) = start(url) {
        print_by_hand(url, &error.to_string());
    }
}

fn start(url: &str) -> io::Result<()> {
    let mut child =
        opener().arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let url = url.to_owned();
    thread::Builder::new().name("browser".to_owned()).spawn(move || match child.wait() {
        Ok(status) if status.success() => {}
        Ok(status) => print_by_hand(&url, &status.to_string()),
        Err(error) => print_by_hand(&url, &error.to_string()),
    })?;
    Ok(())
}

fn print_by_hand(url: &str, why: &str) {
    eprintln!("justcall-auth-sandbox: cannot open a browser ({why}). Open this address in one: {url}");
}

#[cfg(target_os = "macos")]
fn opener() -> Command {
    Command::new("open")
}

#[cfg(windows)]
fn opener() -> Command {
    let mut command = Command::new("rundll32");
    command.arg("url.dll,FileProtocolHandler");
    command
}

#[cfg(not(any(target_os = "macos", windows)))]
fn opener() -> Command {
    Command::new("xdg-open")
}
