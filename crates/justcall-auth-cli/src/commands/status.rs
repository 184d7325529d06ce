//! `status`: the age and the last use of the pair.

use std::time::Duration;

use justcall_auth::source::{LoadedSource, ProcessEnvironment};
use justcall_auth::{Error, Remembered, Source, StateFile, unix_time};
use serde_json::{Value, json};

use crate::arguments::{Global, StatusArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::help::table;
use crate::lines;
use crate::output::Output;
use crate::time::rfc3339;

const DAY: u64 = 24 * 60 * 60;

/// The steps to replace a pair, in the words of the dashboard.
const ROTATE: &str = "Run `justcall-auth rotate`. Then, in JustCall under Settings → API & Webhooks, click Revoke next to your current key \
                      and Generate API Key. `rotate` asks for the new pair, verifies it and replaces the old one.";

/// The steps to revoke a pair, in the words of the dashboard.
const REVOKE: &str = "Log in to JustCall as an Admin, go to Settings → API & Webhooks and click Revoke next to the key. JustCall also signs webhooks with the secret of this pair. If a program still needs the API, click Generate API Key and run `justcall-auth rotate`.";

pub(super) fn run(global: &Global, arguments: &StatusArguments, output: &Output) -> Result<(), Failure> {
    let loaded = Source::parse(&global.source)?.load(&ProcessEnvironment)?;
    let unix = unix_time();
    let file = match &arguments.state_file {
        Some(path) => Some(StateFile::at(std::path::absolute(path).unwrap_or_else(|_| path.clone()))),
        None => StateFile::usual(&ProcessEnvironment),
    };
    let remembered = file.as_ref().map(|file| file.seen(&loaded.pair.credentials, unix)).transpose();
    let status = Status::new(&loaded, file.as_ref(), remembered, arguments, unix);
    let is_well = status.is_well();
    if output.is_json() {
        let mut object = status.json();
        object["ok"] = is_well.into();
        Output::print_json(&object)?;
    } else {
        output.print(&status.text())?;
    }
    if is_well { Ok(()) } else { Err(Failure::Reported(Exit::Failure)) }
}

/// The status of a pair at a certain time. Times are since the epoch.
struct Status<'a> {
    place: &'a str,
    key_hint: &'a str,
    unix: Duration,
    created_at: Option<Duration>,
    remembered: Option<Remembered>,
    state_file: Option<&'a StateFile>,
    /// The reason why the state file has no record.
    last_error: Option<Error>,
    max_age: Duration,
    max_unused: Duration,
}

impl<'a> Status<'a> {
    fn new(
        loaded: &'a LoadedSource,
        state_file: Option<&'a StateFile>,
        remembered: Result<Option<Remembered>, Error>,
        arguments: &StatusArguments,
        unix: Duration,
    ) -> Self {
        let (remembered, last_error) = match remembered {
            Ok(remembered) => (remembered, None),
            Err(error) => (None, Some(error)),
        };
        Self {
            place: &loaded.place,
            key_hint: loaded.pair.credentials.key_hint(),
            unix,
            created_at: loaded.pair.created_at,
            remembered,
            state_file,
            last_error,
            max_age: arguments.max_age,
            max_unused: arguments.max_unused,
        }
    }

    /// Returns the minimum age of the pair.
    fn age(&self) -> Option<Duration> {
        let since = self.created_at.or(self.remembered.map(|remembered| remembered.first_seen))?;
        Some(self.unix.saturating_sub(since))
    }

    /// Returns how long no use is recorded.
    fn unused(&self) -> Option<Duration> {
        let remembered = self.remembered?;
        Some(self.unix.saturating_sub(remembered.last_used.unwrap_or(remembered.first_seen)))
    }

    fn is_due(&self) -> bool {
        !self.max_age.is_zero() && self.age().is_some_and(|age| age >= self.max_age)
    }

    fn is_unused(&self) -> bool {
        !self.max_unused.is_zero() && self.unused().is_some_and(|unused| unused >= self.max_unused)
    }

    /// Returns true if nothing is due. An unknown time counts as due, so that a monitor reports it.
    fn is_well(&self) -> bool {
        let is_within = |limit: Duration, time: Option<Duration>| {
            limit.is_zero() || time.is_some_and(|time| time < limit)
        };
        is_within(self.max_age, self.age()) && is_within(self.max_unused, self.unused())
    }

    /// Returns the reason why there is no record, with a hint.
    fn last_error(&self) -> Option<(&str, &str)> {
        match (&self.last_error, self.state_file) {
            (Some(last_error), _) => Some((last_error.message(), last_error.hint())),
            (None, None) => Some((
                "No state file records when the pair was first seen and last used.",
                "Set HOME or XDG_STATE_HOME, or pass --state-file. If the source contains the creation time, you can pass --max-unused 0 instead of a state file.",
            )),
            _ => None,
        }
    }

    fn is_from_the_future(&self) -> bool {
        self.created_at.is_some_and(|created| created > self.unix)
    }

    fn text(&self) -> String {
        let age = match (self.age(), self.created_at) {
            (None, _) => "not known".to_owned(),
            (Some(age), Some(created)) => format!("{}, created on {}", days(age), date(created)),
            (Some(age), None) => {
                format!("{} or more, first seen on {}", days(age), date(self.unix.saturating_sub(age)))
            }
        };
        let used = match self.remembered {
            None => "not known".to_owned(),
            Some(Remembered { last_used: Some(used), .. }) => {
                format!("{} ago, on {}", days(self.unix.saturating_sub(used)), date(used))
            }
            Some(Remembered { first_seen, .. }) => format!("none recorded since {}", date(first_seen)),
        };
        let rows = [("Pair", self.key_hint), ("Source", self.place), ("Age", &age), ("Last use", &used)];
        let mut text = String::new();
        table(&mut text, rows.into_iter());
        text.push('\n');
        if self.is_due() {
            let age = days(self.age().unwrap_or_default());
            text += &lines::caution(&format!("The pair is {age} old and due for rotation."), ROTATE);
        }
        if self.is_unused() {
            let unused = days(self.unused().unwrap_or_default());
            text += &lines::caution(
                &format!(
                    "According to the state file, the pair was not used for {unused}. Revoke the pair if no program needs it."
                ),
                REVOKE,
            );
        }
        if self.is_from_the_future() {
            text += &lines::caution(
                "The source states that the pair was created in the future.",
                "Check this machine's clock, and `created_at` in the source.",
            );
        }
        if let Some((last_error, hint)) = self.last_error() {
            text += &lines::caution(last_error, hint);
        }
        if self.is_well() {
            text += &lines::success("Nothing is due.");
        }
        text
    }

    fn json(&self) -> Value {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs());
        let moment = |time: Option<Duration>| time.map(rfc3339);
        let mut steps = Vec::new();
        steps.extend(self.is_due().then_some(ROTATE));
        steps.extend(self.is_unused().then_some(REVOKE));
        json!({
            "key_hint": self.key_hint,
            "source": self.place,
            "created_at": moment(self.created_at),
            "first_seen": moment(self.remembered.map(|remembered| remembered.first_seen)),
            "last_used": moment(self.remembered.and_then(|remembered| remembered.last_used)),
            "age_seconds": seconds(self.age()),
            "unused_seconds": seconds(self.unused()),
            "max_age_seconds": self.max_age.as_secs(),
            "max_unused_seconds": self.max_unused.as_secs(),
            "rotation_due": self.is_due(),
            "unused": self.is_unused(),
            "steps": steps,
            "state_file": self.state_file.map(|file| file.path().display().to_string()),
            "trouble": self.last_error().map(|(last_error, _)| last_error),
        })
    }
}

/// Returns whole days as text.
fn days(time: Duration) -> String {
    match time.as_secs() / DAY {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn date(time: Duration) -> String {
    rfc3339(time)[..10].to_owned()
}

#[cfg(test)]
mod tests {
    use justcall_auth::ErrorKind;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(days_ago: u64) -> Duration {
        Duration::from_secs(NOW - days_ago * DAY)
    }

    /// Returns a status with the default limits. Times are in days before now.
    fn status(created: Option<u64>, first_seen: u64, last_used: Option<u64>) -> Status<'static> {
        let remembered = Remembered { first_seen: at(first_seen), last_used: last_used.map(at) };
        Status {
            place: "the file /x",
            key_hint: "abc1…f456",
            unix: at(0),
            created_at: created.map(at),
            remembered: Some(remembered),
            state_file: None,
            last_error: None,
            max_age: Duration::from_secs(90 * DAY),
            max_unused: Duration::from_secs(90 * DAY),
        }
    }

    #[test]
    fn it_is_due_at_exactly_the_age_and_not_before() {
        assert!(!status(Some(89), 1, Some(1)).is_due());
        let mut due = status(Some(90), 1, Some(1));
        assert!(due.is_due() && !due.is_unused());
        due.unix -= Duration::from_secs(1);
        assert!(!due.is_due());
        due.max_age = Duration::from_secs(DAY);
        assert!(due.is_due());
        due.max_age = Duration::ZERO;
        assert!(!due.is_due(), "never");
    }

    #[test]
    fn it_prefers_the_time_in_the_source_to_its_record() {
        assert!(!status(Some(1), 400, Some(1)).is_due(), "created again with the same key");
        let seen = status(None, 91, Some(1));
        assert!(seen.is_due());
        assert!(seen.text().contains("91 days or more, first seen on 2026-10-16"), "{}", seen.text());
    }

    #[test]
    fn it_prints_how_to_reset_an_unused_pair() {
        let unused = status(Some(10), 200, Some(100));
        assert!(unused.is_unused() && !unused.is_due());
        let text = unused.text();
        assert!(
            text.contains("the pair was not used for 100 days")
                && text.contains("click Revoke next to the key"),
            "{text}"
        );
        assert_eq!(unused.json()["unused_seconds"], 100 * DAY);
        assert!(status(Some(10), 91, None).is_unused(), "never used since the first sight");
        assert!(!status(Some(10), 89, None).is_unused());
    }

    #[test]
    fn it_accepts_clocks_that_jump() {
        let mut early = status(Some(0), 0, Some(0));
        early.unix = at(1000);
        assert_eq!((early.age(), early.unused()), (Some(Duration::ZERO), Some(Duration::ZERO)));
        assert!(early.is_from_the_future() && early.text().contains("Check this machine's clock"));
        assert!(!early.is_due() && !early.is_unused());
        let mut late = status(Some(0), 0, Some(0));
        late.unix = Duration::MAX;
        assert!(late.is_due() && late.is_unused());
        assert!(late.text().contains("days old") && late.json()["rotation_due"] == true);
        late.unix = Duration::ZERO;
        late.text();
    }

    #[test]
    fn it_reports_unknown_times() {
        let mut unknown = status(None, 0, None);
        unknown.remembered = None;
        assert!(!unknown.is_due() && !unknown.is_unused() && !unknown.is_well(), "nothing is known");
        assert!(unknown.text().contains("--state-file") && !unknown.text().contains("Nothing is due"));
        assert!(unknown.json()["trouble"].is_string());
        assert_eq!(unknown.json()["age_seconds"], Value::Null);
        unknown.last_error = Some(Error::new(ErrorKind::SourceUnavailable));
        assert!(unknown.text().contains("could not be read"), "{}", unknown.text());
        unknown.created_at = Some(at(1));
        assert!(!unknown.is_well(), "the last use is not known");
        unknown.max_unused = Duration::ZERO;
        assert!(
            unknown.is_well() && unknown.text().contains("Nothing is due"),
            "the last use is not checked"
        );
        unknown.created_at = None;
        assert!(!unknown.is_well(), "the age is not known");
        unknown.max_age = Duration::ZERO;
        assert!(unknown.is_well());
    }

    #[test]
    fn it_prints_times_in_utc() {
        assert_eq!(rfc3339(Duration::from_secs(NOW)), "2027-01-15T08:00:00Z");
        assert_eq!(date(Duration::MAX), "9999-12-31");
        assert_eq!(
            [0, DAY, 2 * DAY].map(|seconds| days(Duration::from_secs(seconds))),
            ["less than a day", "1 day", "2 days"]
        );
    }
}
