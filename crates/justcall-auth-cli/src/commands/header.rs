//! `header`: the only command that prints the secret. It writes to a pipe.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};

use justcall_auth::{Client, Credentials, Error, WipedBuffer};

use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

const NAME: &[u8] = b"Authorization: ";
const PIPE: &str = "Pipe it to the program that needs it: justcall-auth header | curl -H @- https://api.justcall.io/v2/account";

pub(super) fn run(global: &Global, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Err(refuse(
            "`header` does not accept --json, because JSON is often logged and would contain the secret.",
        ));
    }
    if io::stdout().is_terminal() {
        return Err(refuse(
            "`header` does not print the secret to a terminal, because other people could read the secret there later.",
        ));
    }
    let credentials = Client::new(&global.config()?)?.credentials()?;
    // The handle of the standard library has a buffer that is never wiped.
    Ok(unbuffered_stdout()?.write_all(line(&credentials).as_ref())?)
}

fn refuse(why: &str) -> Failure {
    Error::invalid_argument(why).with_hint(PIPE).into()
}

fn line(credentials: &Credentials) -> WipedBuffer {
    let mut line = WipedBuffer::with_capacity(NAME.len() + credentials.authorization_len() + 1);
    line.push(NAME);
    credentials.expose_authorization(|value| line.push(value));
    line.push(b"\n");
    line
}

#[cfg(unix)]
fn unbuffered_stdout() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn unbuffered_stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}
