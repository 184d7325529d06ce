//! `command:` — a program that prints the pair as JSON, such as `op`, `aws`, `gcloud` or `pass`.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::WipedBuffer;

use super::{Loaded, malformed_in, shown, text, unavailable};
use crate::patience::{Impatience, Patience};

/// How long a command may take. It may ask a person for a fingerprint, but not for ever.
const LIMIT: Duration = Duration::from_secs(10);
/// The largest output that can hold a pair, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;

pub(super) fn load(words: &[String], patience: &Patience) -> Result<Loaded, Error> {
    let (program, arguments) = words.split_first().expect("the spelling was checked to name a program");
    // Not its arguments: they may be what they should not.
    let place = format!("The output of the command {}", shown(Path::new(program)));
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // It may print what it should not, and this library leaves the host's own output alone.
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| unavailable(&place, format!("it cannot be started: {error}")))?;
    let output = read(&mut child, &patience.at_most(LIMIT));
    if output.is_err() {
        // What it holds open, it need not finish.
        let _gone_already = child.kill();
    }
    let status = child.wait();
    let output = output.map_err(|stopped| stopped.explain(&place))?;
    match status {
        Ok(status) if !status.success() => {
            return Err(unavailable(&place, format!("it ended with {status}"))
                .hint_is("Run the command by hand, as the same user, to see what it says."));
        }
        // A host that ignores or reaps its children leaves us no status: the output must speak for itself.
        Ok(_) | Err(_) => {}
    }
    let told = text::parse_json(output.as_ref()).map_err(|error| malformed_in(&place, &error))?;
    Ok(Loaded::new(told, place))
}

/// Why the output was not read to its end.
enum Stopped {
    Impatient(Impatience),
    TooLarge,
    Failed(io::Error),
}

impl Stopped {
    fn explain(self, place: &str) -> Error {
        match self {
            Self::Impatient(Impatience::Interrupted) => Error::new(ErrorKind::Cancelled),
            Self::Impatient(Impatience::Deadline) => {
                unavailable(place, "it did not end within 10 seconds, or within the call's timeout")
            }
            Self::TooLarge => unavailable(place, "it is larger than 64 KiB"),
            Self::Failed(error) => unavailable(place, error),
        }
    }
}

/// The whole output, in memory that is wiped.
fn read(child: &mut Child, patience: &Patience) -> Result<WipedBuffer, Stopped> {
    let mut pipe = child.stdout.take().expect("it was piped");
    let mut buffer = WipedBuffer::with_capacity(MAX_OUTPUT + 1);
    loop {
        let slice = patience.slice().map_err(Stopped::Impatient)?;
        if !is_readable(&pipe, slice).map_err(Stopped::Failed)? {
            patience.check_interrupt().map_err(Stopped::Impatient)?;
            continue;
        }
        match pipe.read(buffer.spare()) {
            Ok(0) if buffer.spare().is_empty() => return Err(Stopped::TooLarge),
            Ok(0) => return Ok(buffer),
            Ok(count) => buffer.advance(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Stopped::Failed(error)),
        }
    }
}

/// Waits for output or its end, for as long as `slice`.
#[cfg(unix)]
fn is_readable(pipe: &ChildStdout, slice: Duration) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let slice = Timespec::try_from(slice).expect("a slice is short");
    match poll(&mut [PollFd::new(pipe, PollFlags::IN)], Some(&slice)) {
        Ok(ready) => Ok(ready > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Windows cannot wait for a pipe: the read blocks until the program writes or ends.
#[cfg(not(unix))]
fn is_readable(_: &ChildStdout, _: Duration) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn run(script: &str, patience: &Patience) -> Result<Loaded, Error> {
        load(&["sh".to_owned(), "-c".to_owned(), script.to_owned()], patience)
    }

    #[test]
    fn it_reads_the_json_that_a_program_prints() {
        let script = r#"echo '{"api_key": "abc123def456", "api_secret": "sec789xyz000"}'"#;
        let loaded = run(script, &Patience::default()).expect("a pair");
        assert_eq!(loaded.credentials.key_hint(), "abc1…f456");
        assert_eq!(loaded.place, "The output of the command sh");
    }

    #[test]
    fn it_says_why_a_program_gave_no_pair_and_never_what_it_printed() {
        for (script, kind, why) in [
            ("echo canary; exit 3", ErrorKind::SourceUnavailable, "exit status: 3"),
            ("echo canary >&2; kill -9 $$", ErrorKind::SourceUnavailable, "signal: 9"),
            ("echo canary7f3a:sec789xyz000", ErrorKind::CredentialsMalformed, "not valid JSON"),
            ("true", ErrorKind::CredentialsMalformed, "not valid JSON"),
            ("yes canary", ErrorKind::SourceUnavailable, "64 KiB"),
        ] {
            let error = run(script, &Patience::default()).expect_err(script);
            assert_eq!(error.kind(), kind, "{script}");
            assert!(error.message().contains(why), "{script}: {error}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let error =
            load(&["/nonexistent/program".to_owned()], &Patience::default()).expect_err("no such program");
        assert!(error.message().contains("cannot be started"), "{error}");
    }

    #[test]
    fn it_gives_a_program_up_with_the_call_that_waits_for_it() {
        let soon = Patience::default().at_most(Duration::from_millis(50));
        assert_eq!(run("sleep 60", &soon).expect_err("too long").kind(), ErrorKind::SourceUnavailable);
        let stopped = Patience::new(Vec::new(), Some(Arc::new(|| true)));
        assert_eq!(run("sleep 60", &stopped).expect_err("stopped").kind(), ErrorKind::Cancelled);
    }
}
