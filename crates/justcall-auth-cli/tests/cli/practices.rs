//! The practices at the end of the help article: the command that the README names for each of them works.

#![cfg(unix)]

use std::fs;
use std::path::Path;

use justcall_auth::{Client, Config, Credentials};
use serde_json::{Value, json};

use crate::run::{Service, file, run};

/// Returns the practices of the article, each with the README's text about it.
fn practices() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("two folders deep");
    let text = fs::read_to_string(root.join("README.md")).expect("the README");
    let section = text.split("## The practices of the help article").nth(1).expect("its section");
    let rows = section.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let cells = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').splitn(2, '|').map(|cell| cell.trim().to_owned());
        (cells.next().expect("a practice"), cells.next().expect("what does it"))
    });
    cells.collect()
}

/// Returns the README's text about the practice that starts with `practice`.
fn readme_text(practice: &str) -> String {
    practices().into_iter().find(|(name, _)| name.starts_with(practice)).expect("its row").1
}

#[test]
fn it_names_a_command_for_every_practice_of_the_article() {
    let names: Vec<String> = practices().into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "Store credentials in environment variables, never in source code",
            "Use server-side requests only",
            "Restrict API key access to specific IPs",
            "Rotate keys quarterly",
            "Monitor API usage",
            "Revoke unused keys immediately",
        ]
    );
}

#[test]
fn it_finds_pairs_in_source_code_and_in_files_for_browsers() {
    assert!(readme_text("Store credentials").contains("`justcall-auth scan .`"));
    let folder = tempfile::tempdir().expect("a folder");
    let service = Service::start();
    let (key, secret) = (service.sandbox.api_key(), service.sandbox.api_secret());
    let pair = [("JUSTCALL_API_KEY", key), ("JUSTCALL_API_SECRET", secret)];
    let scan = || run(&["scan", folder.path().to_str().expect("UTF-8"), "--json"], &pair);
    fs::write(folder.path().join("app.py"), "client = Client()\n").expect("written");
    assert_eq!(scan().exit, 0);
    fs::write(folder.path().join("app.py"), format!("client = Client('{key}', '{secret}')\n"))
        .expect("written");
    let found = scan();
    assert_eq!((found.exit, &found.json()["findings"][0]["severity"]), (1, &"severe".into()));

    assert!(readme_text("Use server-side requests only").contains("`dist/`"));
    fs::remove_file(folder.path().join("app.py")).expect("removed");
    fs::create_dir(folder.path().join("dist")).expect("made");
    let other = "NEXT_PUBLIC_JUSTCALL_API_SECRET='4f1d0c9b8a7e6d5c4b3a29181706f5e4d3c2b1a0'\n";
    fs::write(folder.path().join("dist/app.js"), other).expect("written");
    let found = scan();
    assert_eq!(
        (found.exit, &found.json()["findings"][0]["shipped_to_browsers"]),
        (1, &true.into()),
        "{found:?}"
    );
}

#[test]
fn it_reports_a_refused_address_and_the_address_of_calls() {
    assert!(readme_text("Restrict API key access").contains("`justcall-auth doctor`"));
    let service = Service::start();
    let account = service.control("POST", "pairs", &json!({"allowed_ips": ["192.0.2.7"]}));
    let half = |name: &str| account[name].as_str().expect("a half").to_owned();
    let (key, secret) = (half("api_key"), half("api_secret"));
    let refused = service.run_as(&key, &secret, &["verify", "--json"]);
    assert_eq!((refused.exit, &refused.json()["error"]["reason"]), (5, &"ip".into()), "{refused:?}");
    let doctor = service.run_as(&key, &secret, &["doctor", "--json"]);
    let report = doctor.json();
    let checks = report["checks"].as_array().expect("checks");
    let address = checks.iter().find(|check| check["name"] == "local_address").expect("its check");
    assert!(address.to_string().contains("127.0.0.1"), "{address}");
    // Allowing the address that doctor prints is the remedy.
    let account = service.control("POST", "pairs", &json!({"allowed_ips": ["127.0.0.1"]}));
    let half = |name: &str| account[name].as_str().expect("a half").to_owned();
    assert_eq!(service.run_as(&half("api_key"), &half("api_secret"), &["verify"]).exit, 0);
}

#[test]
fn it_reports_a_pair_to_rotate_or_to_revoke() {
    assert!(
        readme_text("Rotate keys quarterly")
            .contains("`justcall-auth status` exits with status 1 from 90 days on")
    );
    assert!(readme_text("Revoke unused keys").contains("`justcall-auth status --max-unused 30d`"));
    let folder = tempfile::tempdir().expect("a folder");
    let state = [("XDG_STATE_HOME", folder.path().to_str().expect("UTF-8"))];
    for (year, exit) in [("2020", 1), ("2999", 0)] {
        let created_at = format!("{year}-01-01T00:00:00Z");
        let text = json!({"api_key": "abc123def456", "api_secret": "sec789xyz000", "created_at": created_at});
        let (_, source) = file(folder.path(), "pair.json", &text.to_string());
        let status = run(&["status", "--source", &source], &state);
        assert_eq!(status.exit, exit, "{status:?}");
        assert_eq!(status.stdout.contains("justcall-auth rotate"), exit == 1, "{status:?}");
        // The pair was seen just before.
        let fresh = run(&["status", "--source", &source, "--max-age", "0", "--max-unused", "30d"], &state);
        assert_eq!(fresh.exit, 0, "{fresh:?}");
        let file = folder.path().join("justcall-auth/pairs.json");
        let mut remembered: Value =
            serde_json::from_str(&fs::read_to_string(&file).expect("there")).expect("JSON");
        for pair in remembered["pairs"].as_object_mut().expect("pairs").values_mut() {
            pair["first_seen"] = 0.into();
        }
        fs::write(&file, remembered.to_string()).expect("written");
        let unused = run(&["status", "--source", &source, "--max-age", "0", "--max-unused", "30d"], &state);
        assert_eq!(unused.exit, 1, "{unused:?}");
        assert!(unused.stdout.contains("click Revoke next to the key"), "{unused:?}");
        fs::remove_file(&file).expect("removed");
    }
}

#[test]
fn it_counts_the_use_of_the_api() {
    assert!(readme_text("Monitor API usage").contains("`client.usage`"));
    assert!(readme_text("Monitor API usage").contains("`justcall-auth request GET /v2.1/users --json`"));
    let service = Service::start();
    let left = || {
        let printed = service.run(&["request", "GET", "/v2.1/users", "--json"]);
        printed.json()["response"]["rate_limit"]["main"]["remaining"].as_u64().expect("a rate limit")
    };
    assert!(left() > left(), "each request uses up the rate limit");
    let pair = (service.sandbox.api_key().as_bytes(), service.sandbox.api_secret().as_bytes());
    let mut config = Config::new();
    config.set_base_url(service.sandbox.url()).expect("good");
    config.set_ca_file(service.sandbox.ca_file().expect("TLS")).expect("a path");
    config.set_credentials(Credentials::new(pair.0, pair.1).expect("good"));
    let client = Client::new(&config).expect("a client");
    client.verify().expect("a good pair");
    assert!(client.usage().contains("justcall_auth_calls_total{outcome=\"ok\"} 1\n"));
    service.control("POST", "reset", &json!({}));
    client.verify().expect_err("reset");
    assert!(client.usage().contains("justcall_auth_calls_total{outcome=\"invalid_credentials\"} 1\n"));
}
