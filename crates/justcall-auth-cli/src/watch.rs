//! Looks at a source until it gives a certain pair.

use std::thread;
use std::time::{Duration, Instant};

use justcall_auth::source::{Loaded, ProcessEnvironment};
use justcall_auth::{Credentials, Error, ErrorKind, Source};

use crate::output::Output;
use crate::spinner::Spinner;

/// How long somebody may take to change by hand what this command cannot write.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often a source is looked at: a program may ask for a fingerprint each time, a file costs nothing.
const COMMAND_INTERVAL: Duration = Duration::from_secs(2);
const INTERVAL: Duration = Duration::from_millis(250);

/// Waits until `source` gives `pair`: as long as `limit` says, zero for ever, 10 minutes unless it is given.
///
/// # Errors
/// `timeout`, with what the source gives instead.
pub(crate) fn until_served(
    source: &Source,
    pair: &Credentials,
    limit: Option<Duration>,
    output: &Output,
) -> Result<Loaded, Error> {
    let limit = limit.unwrap_or(PATIENCE);
    let interval = if matches!(source, Source::Command(_)) { COMMAND_INTERVAL } else { INTERVAL };
    let begun = Instant::now();
    let mut spinner = None;
    loop {
        let why = match source.load(&ProcessEnvironment) {
            Ok(loaded) if loaded.pair.credentials.same_pair(pair) => return Ok(loaded),
            Ok(loaded) => {
                format!(
                    "{} still gives the pair with the key {}.",
                    loaded.place,
                    loaded.pair.credentials.key_hint()
                )
            }
            Err(error) => error.message().to_owned(),
        };
        let left = limit.saturating_sub(begun.elapsed());
        if left.is_zero() && !limit.is_zero() {
            drop(spinner);
            return Err(Error::with_message(ErrorKind::Timeout, format!("The source does not serve the new pair yet: {why}"))
                .with_hint("Change it as told above; `justcall-auth verify` shows when it is done. --timeout sets how long this command waits."));
        }
        if output.is_watched() {
            spinner
                .get_or_insert_with(|| Spinner::start("waiting until the source serves the new pair".into()));
        }
        thread::sleep(if limit.is_zero() { interval } else { interval.min(left) });
    }
}
