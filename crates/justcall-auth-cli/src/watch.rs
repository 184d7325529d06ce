//! Waits until a source contains a certain pair.

use std::thread;
use std::time::{Duration, Instant};

use justcall_auth::source::{LoadedSource, ProcessEnvironment};
use justcall_auth::{Credentials, Error, ErrorKind, Source};

use crate::output::Output;
use crate::spinner::Spinner;

/// How long to wait by default for the user's manual steps.
const DEFAULT_LIMIT: Duration = Duration::from_secs(600);
/// The interval between two reads of a command, which may ask for a fingerprint each time, or of a server.
const COSTLY_INTERVAL: Duration = Duration::from_secs(2);
/// The interval between two reads of another source.
const INTERVAL: Duration = Duration::from_millis(250);

/// Waits until `source` contains `pair`, for at most `limit`. Zero means no limit; the default is 10 minutes.
///
/// # Errors
/// Fails with `timeout`. The message states the current content of the source.
pub(crate) fn wait_for_pair(
    source: &Source,
    pair: &Credentials,
    limit: Option<Duration>,
    output: &Output,
) -> Result<LoadedSource, Error> {
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let is_costly = matches!(source, Source::Command(_) | Source::Vault(_));
    let interval = if is_costly { COSTLY_INTERVAL } else { INTERVAL };
    let begun = Instant::now();
    let mut spinner = None;
    loop {
        let why = match source.load(&ProcessEnvironment) {
            Ok(loaded) if loaded.pair.credentials.same_pair(pair) => return Ok(loaded),
            Ok(loaded) => {
                format!(
                    "{} still contains the pair with the key {}.",
                    loaded.place,
                    loaded.pair.credentials.key_hint()
                )
            }
            Err(error) => error.message().to_owned(),
        };
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() && !limit.is_zero() {
            drop(spinner);
            return Err(Error::with_message(ErrorKind::Timeout, format!("The source does not contain the new pair yet: {why}"))
                .with_hint("Follow the steps above, then check the source with `justcall-auth verify`. --timeout sets how long this command waits."));
        }
        if output.has_live_terminal() {
            spinner.get_or_insert_with(|| {
                Spinner::start("waiting until the source contains the new pair".into())
            });
        }
        thread::sleep(if limit.is_zero() { interval } else { interval.min(left) });
    }
}
