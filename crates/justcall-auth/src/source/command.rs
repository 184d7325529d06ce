//! `command:`: a program that prints the pair as JSON, such as `op`, `aws`, `gcloud` or `pass`.

use std::io::{self, Read};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::WipedBuffer;

use super::failure::{malformed_in, unavailable};
use super::running::Running;
use super::{LoadedSource, shown, text};
use crate::context::{CallContext, StopReason};

/// The time limit of a command. It may ask the user for a fingerprint, but must not block a call for ever.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a program that has printed a pair may take to exit. After that the pair is used without the exit status.
const GRACE: Duration = Duration::from_millis(500);
/// The largest accepted output, in bytes.
const MAX_OUTPUT: usize = 64 * 1024;

pub(super) fn load(words: &[String], context: &CallContext) -> Result<LoadedSource, Error> {
    let (program, arguments) = words.split_first().expect("the parser requires a program");
    // Without the arguments, which may contain a secret.
    let place = format!("The output of the command {}", shown(Path::new(program)));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // The program may print a secret, and the library must not write to the host's standard error.
        .stderr(Stdio::null());
    let mut running = Running::start(&mut command)
        .map_err(|error| unavailable(&place, format!("it cannot be started: {error}")))?;
    let context = context.at_most(LIMIT);
    let loaded = running.output(&context).and_then(|output| {
        let pair = text::parse_json(output.as_ref()).map_err(|error| malformed_in(&place, &error));
        // Without a pair, wait for the exit status, which may state the cause.
        let end = running.end(&if pair.is_ok() { context.at_most(GRACE) } else { context.clone() });
        match end {
            Ok(Some(status)) if !status.success() => Err(LoadFailure::Known(
                unavailable(&place, format!("the command failed with {status}"))
                    .with_hint("Run the command by hand, as the same user, and read its error message."),
            )),
            Err(StopReason::Interrupted) => Err(LoadFailure::Early(StopReason::Interrupted)),
            // The program runs on after its output, or the host reaps its children: only the output counts.
            Ok(_) | Err(StopReason::Deadline) => pair.map_err(LoadFailure::Known),
        }
    });
    match loaded {
        Ok(pair) => {
            running.detach();
            Ok(LoadedSource::new(pair, place))
        }
        Err(stopped) => {
            running.kill();
            Err(stopped.into_error(&place))
        }
    }
}

/// The reason why there is no pair.
enum LoadFailure {
    Early(StopReason),
    TooLarge,
    Failed(io::Error),
    Known(Error),
}

impl LoadFailure {
    fn into_error(self, place: &str) -> Error {
        match self {
            Self::Early(StopReason::Interrupted) => Error::new(ErrorKind::Cancelled),
            Self::Early(StopReason::Deadline) => {
                unavailable(place, "the command did not end within 10 seconds or the timeout of the call")
            }
            Self::TooLarge => unavailable(place, "it is larger than 64 KiB"),
            Self::Failed(error) => unavailable(place, error),
            Self::Known(error) => error,
        }
    }
}

impl Running {
    /// Returns the whole output, in memory that is wiped. The output ends with the pipe, or with the program if another
    /// process holds the pipe open.
    fn output(&mut self, context: &CallContext) -> Result<WipedBuffer, LoadFailure> {
        let mut pipe = self.take_output();
        let mut buffer = WipedBuffer::try_with_capacity(MAX_OUTPUT + 1)
            .map_err(|error| LoadFailure::Failed(error.into()))?;
        let mut has_ended = false;
        loop {
            let slice =
                if has_ended { Duration::ZERO } else { context.slice().map_err(LoadFailure::Early)? };
            if !is_readable(&pipe, slice).map_err(LoadFailure::Failed)? {
                if has_ended {
                    return Ok(buffer);
                }
                context.check_interrupt().map_err(LoadFailure::Early)?;
                has_ended = self.has_ended();
                continue;
            }
            match pipe.read(buffer.spare()) {
                Ok(0) if buffer.spare().is_empty() => return Err(LoadFailure::TooLarge),
                Ok(0) => return Ok(buffer),
                Ok(count) => buffer.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LoadFailure::Failed(error)),
            }
        }
    }
}

/// Waits for output or its end, at most for `slice`.
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

/// Windows cannot wait for a pipe, so the read blocks until the program writes or ends.
#[cfg(not(unix))]
fn is_readable(_: &ChildStdout, _: Duration) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn run(script: &str, context: &CallContext) -> Result<LoadedSource, Error> {
        load(&["sh".to_owned(), "-c".to_owned(), script.to_owned()], context)
    }

    #[test]
    fn it_reads_the_json_that_a_program_prints() {
        let script = r#"echo '{"api_key": "abc123def456", "api_secret": "sec789xyz000"}'"#;
        let loaded = run(script, &CallContext::default()).expect("a pair");
        assert_eq!(loaded.pair.credentials.key_hint(), "abc1…f456");
        assert_eq!(loaded.place, "The output of the command sh");
    }

    #[test]
    fn it_reports_why_a_program_supplied_no_pair_but_never_its_output() {
        for (script, kind, why) in [
            ("echo canary; exit 3", ErrorKind::SourceUnavailable, "exit status: 3"),
            ("echo canary >&2; kill -9 $$", ErrorKind::SourceUnavailable, "signal: 9"),
            ("echo canary7f3a:sec789xyz000", ErrorKind::CredentialsMalformed, "not valid JSON"),
            ("true", ErrorKind::CredentialsMalformed, "not valid JSON"),
            ("yes canary", ErrorKind::SourceUnavailable, "64 KiB"),
        ] {
            let error = run(script, &CallContext::default()).expect_err(script);
            assert_eq!(error.kind(), kind, "{script}");
            assert!(error.message().contains(why), "{script}: {error}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
        let error =
            load(&["/nonexistent/program".to_owned()], &CallContext::default()).expect_err("no such program");
        assert!(error.message().contains("cannot be started"), "{error}");
    }

    const JSON: &str = r#"{"api_key": "abc123def456", "api_secret": "sec789xyz000"}"#;

    /// Runs `script`, with a pair in place of `JSON`, with a time limit of 2 seconds.
    fn run_within_2_seconds(script: &str) -> Result<LoadedSource, Error> {
        let begun = std::time::Instant::now();
        let soon = CallContext::default().at_most(Duration::from_secs(2));
        let loaded = run(&script.replace("JSON", &format!("'{JSON}'")), &soon);
        assert!(begun.elapsed() < Duration::from_secs(9), "{script} took {:?}", begun.elapsed());
        loaded
    }

    #[test]
    fn it_uses_the_pair_of_a_program_that_runs_on_after_its_output() {
        for script in ["echo JSON; exec >&-; sleep 60", "echo JSON; exec >/dev/null; sleep 60 & wait"] {
            run_within_2_seconds(script).expect(script);
        }
    }

    #[test]
    fn it_uses_the_pair_of_a_program_whose_output_another_process_holds_open() {
        for script in ["sleep 60 & echo JSON", "(sleep 60; echo more) & echo JSON; exit 0"] {
            run_within_2_seconds(script).expect(script);
        }
        let failed = run_within_2_seconds("sleep 60 & echo JSON; exit 3").expect_err("it failed");
        assert!(failed.message().contains("exit status: 3"), "{failed}");
    }

    #[test]
    fn it_never_uses_the_pair_of_a_program_that_failed_or_printed_half_of_it() {
        for (script, why) in [
            ("echo JSON; exit 3", "exit status: 3"),
            ("echo JSON; kill -9 $$", "signal: 9"),
            ("printf '{\"api_key\": \"abc123def456\",'; exec >&-; sleep 60", "not valid JSON"),
            ("printf '{\"api_key\": \"abc123def456\",'; sleep 60", "did not end"),
        ] {
            let error = run_within_2_seconds(script).expect_err(script);
            assert!(error.message().contains(why), "{script}: {error}");
        }
    }

    #[test]
    fn it_can_be_interrupted_at_any_time() {
        for script in ["sleep 60", "exec >&-; sleep 60", "sleep 60 & exit 0", "echo JSON; exec >&-; sleep 60"]
        {
            let script = script.replace("JSON", &format!("'{JSON}'"));
            let begun = std::time::Instant::now();
            let after_a_while = move || begun.elapsed() > Duration::from_millis(100);
            let stopped = CallContext::new(Vec::new(), Some(Arc::new(after_a_while)));
            match run(&script, &stopped) {
                Err(error) if error.kind() == ErrorKind::Cancelled => {}
                // The program has ended, and the process that it left prints nothing.
                Err(error) => assert!(script.contains("exit 0"), "{script}: {error}"),
                Ok(_) => panic!("{script} supplied a pair"),
            }
        }
    }

    #[test]
    fn it_kills_the_children_of_a_program_if_there_is_no_terminal() {
        if std::fs::File::open("/dev/tty").is_ok() {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("number");
        let script = format!("sleep 600 & echo $! > {}; wait", file.display());
        run(&script, &CallContext::default().at_most(Duration::from_secs(1))).expect_err("it prints no pair");
        let number = std::fs::read_to_string(&file).expect("the script wrote the number");
        let is_alive = || std::fs::read_to_string(format!("/proc/{}/stat", number.trim()));
        let begun = std::time::Instant::now();
        while is_alive().is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the child is alive");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn it_kills_a_program_when_its_call_ends() {
        let soon = CallContext::default().at_most(Duration::from_millis(50));
        assert_eq!(run("sleep 60", &soon).expect_err("too long").kind(), ErrorKind::SourceUnavailable);
        let stopped = CallContext::new(Vec::new(), Some(Arc::new(|| true)));
        assert_eq!(run("sleep 60", &stopped).expect_err("stopped").kind(), ErrorKind::Cancelled);
    }
}
