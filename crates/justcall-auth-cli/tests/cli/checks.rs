//! Reads the output of `doctor --json`.

use serde_json::Value;

use crate::run::{Run, Service, run};

/// The names of the checks, in order.
pub const NAMES: &[&str] = &[
    "source",
    "pair",
    "surroundings",
    "permissions",
    "memory",
    "proxy",
    "dns",
    "tcp",
    "tunnel",
    "tls",
    "clock",
    "verify",
    "rate_limit",
    "local_address",
];

/// The checks of a run with --json, which exited with `exit`.
#[derive(Debug)]
pub struct Checks(Vec<Value>);

impl Checks {
    /// Reads the checks and verifies their form.
    #[track_caller]
    pub fn of(run: &Run, exit: i32) -> Self {
        assert_eq!(run.exit, exit, "{run:?}");
        let all = run.json();
        assert_eq!(all["ok"], exit == 0, "{all}");
        let checks = all["checks"].as_array().expect("a list").clone();
        let names: Vec<&str> = checks.iter().filter_map(|check| check["name"].as_str()).collect();
        assert_eq!(names, NAMES);
        for check in &checks {
            let is_skipped = check["status"] == "skipped";
            assert_eq!(check["ms"].is_null(), is_skipped, "{check}");
            assert!(check["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{check}");
            if check["status"] == "failed" || check["status"] == "warning" {
                assert!(check["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{check}");
            }
        }
        Self(checks)
    }

    /// Returns the status and the detail of the check `name`.
    pub fn get(&self, name: &str) -> (&str, &str) {
        let check = self.0.iter().find(|check| check["name"] == name).expect("a check of that name");
        (check["status"].as_str().expect("text"), check["detail"].as_str().expect("text"))
    }

    /// Returns the names of the checks with this status.
    pub fn are(&self, status: &str) -> Vec<&str> {
        NAMES.iter().copied().filter(|name| self.get(name).0 == status).collect()
    }

    /// Verifies the status of a check, and that its detail contains `detail`.
    #[track_caller]
    pub fn has(&self, name: &str, status: &str, detail: &str) {
        let (found, text) = self.get(name);
        assert!(found == status && text.contains(detail), "{name}: {found}: {text}");
    }
}

/// Runs the doctor with --json and the first account's pair.
#[track_caller]
pub fn checks(service: &Service, more: &[&str], exit: i32) -> Checks {
    Checks::of(&service.run(&[&["doctor", "--json"], more].concat()), exit)
}

/// Runs the doctor with --json and only these variables.
#[track_caller]
pub fn checks_with(service: &Service, more: &[&str], variables: &[(&str, &str)], exit: i32) -> Checks {
    Checks::of(&run(&service.arguments(&[&["doctor", "--json"], more].concat()), variables), exit)
}

/// Returns the first account's pair as variables.
pub fn pair(service: &Service) -> [(&str, &str); 2] {
    [("JUSTCALL_API_KEY", service.sandbox.api_key()), ("JUSTCALL_API_SECRET", service.sandbox.api_secret())]
}
