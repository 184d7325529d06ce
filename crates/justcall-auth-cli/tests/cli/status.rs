//! `status`: the age and the use of the pair, with the records between runs.

#![cfg(unix)]

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::run::{Run, Service, command, file, run};

const PAIR: &str = "abc123def456:sec789xyz000";
const DAY: u64 = 24 * 60 * 60;

fn days_ago(days: u64) -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    now.as_secs() - days * DAY
}

/// A folder for the state file, and a source in it.
struct Home {
    folder: tempfile::TempDir,
    source: String,
}

impl Home {
    fn with(pair: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, source) = file(folder.path(), "pair.json", pair);
        fs::set_permissions(
            folder.path().join("pair.json"),
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .expect("its mode");
        Self { folder, source }
    }

    fn status(&self, arguments: &[&str]) -> Run {
        let all = [&["status", "--source", &self.source], arguments].concat();
        run(&all, &[("XDG_STATE_HOME", self.folder.path().to_str().expect("UTF-8"))])
    }

    /// Returns the JSON output.
    fn json_report(&self) -> Value {
        self.status(&["--json"]).json()
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("justcall-auth/pairs.json")
    }

    /// Changes the record of the pair.
    fn remember(&self, first_seen: u64, last_used: Option<u64>) {
        let mut state: Value =
            serde_json::from_str(&fs::read_to_string(self.state()).expect("there")).expect("JSON");
        let pairs = state["pairs"].as_object_mut().expect("pairs");
        assert_eq!(pairs.len(), 1);
        for pair in pairs.values_mut() {
            *pair = json!({"first_seen": first_seen, "last_used": last_used});
        }
        fs::write(self.state(), state.to_string()).expect("written");
    }
}

#[test]
fn it_records_the_first_sight_of_a_pair() {
    let home = Home::with(PAIR);
    let first = home.status(&[]);
    assert_eq!((first.exit, first.stderr.as_str()), (0, ""), "{first:?}");
    assert!(first.stdout.contains("less than a day or more, first seen on ") && first.stdout.contains("✓"));
    home.remember(days_ago(89), None);
    assert_eq!(home.status(&[]).exit, 0);
    home.remember(days_ago(90), Some(days_ago(2)));
    let due = home.status(&[]);
    assert_eq!((due.exit, due.stderr.as_str()), (1, ""), "{due:?}");
    assert!(
        due.stdout
            .contains("! The pair is 90 days old and due for rotation.\n  → Run `justcall-auth rotate`"),
        "{due:?}"
    );
    assert!(due.stdout.contains("click Revoke next to your current key and Generate API Key"), "{due:?}");
    assert_eq!(home.status(&["--max-age", "100d"]).exit, 0);
    assert_eq!(home.status(&["--max-age", "0"]).exit, 0, "never");
    let all = home.status(&["--json"]);
    assert_eq!(all.exit, 1);
    let json_report = all.json();
    assert_eq!(
        (&json_report["ok"], &json_report["rotation_due"], &json_report["unused"]),
        (&false.into(), &true.into(), &false.into())
    );
    assert!(
        json_report["age_seconds"].as_u64().is_some_and(|age| (90 * DAY..90 * DAY + 60).contains(&age)),
        "{json_report}"
    );
    assert_eq!(json_report["created_at"], Value::Null);
}

#[test]
fn it_takes_the_age_from_the_source_if_that_contains_it() {
    let at = |days| humantime(days_ago(days));
    for (days, exit) in [(89, 0), (90, 1)] {
        let text = json!({"api_key": "abc123def456", "api_secret": "sec789xyz000", "created_at": at(days)});
        let home = Home::with(&text.to_string());
        let status = home.status(&[]);
        assert_eq!(status.exit, exit, "{status:?}");
        assert!(
            status.stdout.contains(&format!("{days} days, created on {}", &at(days)[..10])),
            "{status:?}"
        );
    }
}

/// Formats a time as in RFC 3339, by another program.
fn humantime(unix: u64) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", &format!("@{unix}"), "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .expect("coreutils");
    String::from_utf8(output.stdout).expect("ASCII").trim().to_owned()
}

#[test]
fn it_prints_how_to_revoke_an_unused_pair() {
    let home = Home::with(PAIR);
    home.status(&[]);
    for (days, exit) in [(89, 0), (90, 1)] {
        home.remember(days_ago(200), Some(days_ago(days)));
        assert_eq!(home.status(&["--max-age", "0"]).exit, exit, "{days}");
    }
    home.remember(days_ago(45), Some(days_ago(31)));
    assert_eq!(home.status(&[]).exit, 0);
    let unused = home.status(&["--max-unused", "30d"]);
    assert_eq!(unused.exit, 1);
    assert!(
        unused.stdout.contains("! According to the state file, the pair was not used for 31 days. Revoke the pair if no program needs it."),
        "{unused:?}"
    );
    assert!(
        unused.stdout.contains("go to Settings → API & Webhooks and click Revoke next to the key"),
        "{unused:?}"
    );
}

#[test]
fn it_records_that_other_commands_use_the_pair() {
    let service = Service::start();
    let pair = format!("{}:{}", service.sandbox.api_key(), service.sandbox.api_secret());
    let home = Home::with(&pair);
    home.status(&[]);
    home.remember(days_ago(200), Some(days_ago(100)));
    assert_eq!(home.json_report()["unused"], true);
    let variables = [("XDG_STATE_HOME", home.folder.path().to_str().expect("UTF-8"))];
    let verified = run(&service.arguments(&["verify", "--source", &home.source]), &variables);
    assert_eq!(verified.exit, 0, "{verified:?}");
    let json_report = home.json_report();
    assert_eq!(
        (&json_report["unused"], &json_report["rotation_due"]),
        (&false.into(), &true.into()),
        "{json_report}"
    );
    assert!(json_report["unused_seconds"].as_u64().is_some_and(|seconds| seconds < 60), "{json_report}");
    let before = fs::read(home.state()).expect("there");
    run(&service.arguments(&["verify", "--source", &home.source]), &variables);
    assert_eq!(fs::read(home.state()).expect("there"), before, "once an hour is enough");
}

#[test]
fn it_records_nothing_of_a_pair_that_the_service_rejects() {
    let service = Service::start();
    let home = Home::with(&format!("{}:{}", service.sandbox.api_key(), "0".repeat(40)));
    let variables = [("XDG_STATE_HOME", home.folder.path().to_str().expect("UTF-8"))];
    assert_eq!(run(&service.arguments(&["verify", "--source", &home.source]), &variables).exit, 4);
    assert!(!home.state().exists());
}

#[test]
fn it_stores_records_only_for_their_owner_and_without_the_pair() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::with(PAIR);
    home.status(&[]);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode(&home.state()), 0o600);
    assert_eq!(mode(home.state().parent().expect("a folder")), 0o700);
    let text = fs::read_to_string(home.state()).expect("text");
    for part in ["abc123", "def456", "sec789", "xyz000"] {
        assert!(!text.contains(part), "{text}");
    }
}

#[test]
fn it_reports_unknown_times_without_a_state_file() {
    let home = Home::with(PAIR);
    let none = run(&["status", "--source", &home.source], &[]);
    assert_eq!(none.exit, 1, "{none:?}");
    assert!(none.stdout.contains("Age       not known") && none.stdout.contains("--state-file"), "{none:?}");
    let blocked = home.status(&["--state-file", "/proc/none/pairs.json"]);
    assert_eq!(blocked.exit, 1, "{blocked:?}");
    assert!(blocked.stdout.contains("! The state file /proc/none/pairs.json cannot be used"), "{blocked:?}");
    assert!(blocked.stdout.contains("Age       not known"), "{blocked:?}");
    let not_asked = run(&["status", "--source", &home.source, "--max-age", "0", "--max-unused", "0"], &[]);
    assert_eq!(not_asked.exit, 0, "{not_asked:?}");
    assert_eq!(run(&["status"], &[]).exit, 3, "no pair");
    assert_eq!(home.status(&["--max-age", "old"]).exit, 2);
}

#[test]
fn it_never_loses_records_when_it_is_killed() {
    let home = Home::with(PAIR);
    home.status(&[]);
    let first_seen = days_ago(50);
    let mut killed = 0;
    for attempt in 0..40_u64 {
        // A use in the future is corrected.
        home.remember(first_seen, Some(days_ago(0) + DAY));
        let mut child = command(
            &["status", "--source", &home.source, "--state-file", home.state().to_str().expect("UTF-8")],
            &[],
        )
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
        std::thread::sleep(Duration::from_micros(attempt * 100));
        killed += usize::from(child.try_wait().expect("asked").is_none());
        child.kill().expect("killed or ended");
        child.wait().expect("it ends");
        let json_report = home.json_report();
        assert_eq!(json_report["first_seen"], humantime(first_seen), "{json_report}");
    }
    assert!(killed > 0, "some commands were killed");
}
