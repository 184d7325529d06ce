//! `rotate`: the source contains the new pair, or stays unchanged.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::rotation::{ACCOUNT, Rotation};
use crate::run::{Service, command, feed, run};

#[test]
fn it_replaces_the_pair_in_every_form() {
    let rotation = Rotation::after_reset();
    let (key, secret) = rotation.new_halves();
    let (old_key, old_secret) = (rotation.service.sandbox.api_key(), rotation.service.sandbox.api_secret());
    for (name, template) in [
        ("pair", "KEY:SECRET\n"),
        ("bare", "KEY:SECRET"),
        (".env", "# ours\nPORT=1\nexport JUSTCALL_API_KEY=\"KEY\"\nJUSTCALL_API_SECRET='SECRET'\n"),
        (
            "pair.json",
            "{\n  \"note\": \"ours\",\n  \"api_secret\": \"SECRET\",\n  \"api_key\": \"KEY\",\n  \"created_at\": \"AT\",\n  \"list\": [1.50, {}]\n}\n",
        ),
    ] {
        let with = |key: &str, secret: &str| {
            template
                .replace("KEY\"", &format!("{key}\""))
                .replace("\"KEY", &format!("\"{key}"))
                .replace("KEY:", &format!("{key}:"))
                .replace(":SECRET", &format!(":{secret}"))
                .replace("\"SECRET\"", &format!("\"{secret}\""))
                .replace("'SECRET'", &format!("'{secret}'"))
        };
        let (path, source) =
            rotation.file(name, &with(old_key, old_secret).replace("AT", "2020-01-01T00:00:00Z"));
        assert_eq!(rotation.verify(&source).exit, 4, "the old pair is invalid");
        let rotated = rotation.rotate(&source, &[]);
        assert_eq!((rotated.exit, rotated.stderr.as_str()), (0, ""), "{rotated:?}");
        assert!(rotated.stdout.contains("account 12345"), "{rotated:?}");
        let written = fs::read_to_string(&path).expect("the file");
        let at = written.split('"').find(|word| word.ends_with('Z')).unwrap_or("AT");
        assert_ne!(at, "2020-01-01T00:00:00Z", "{name}");
        assert_eq!(written, with(key, secret).replace("AT", at), "{name}");
        assert_eq!(rotation.verify(&source).exit, 0, "{name}");
    }
    assert_eq!(rotation.names(), [".env", "bare", "pair", "pair.json"], "nothing else is left");
}

#[test]
fn it_uses_the_account_of_the_current_pair_if_that_still_works() {
    let service = Service::start();
    let folder = tempfile::tempdir().expect("a folder");
    let old = format!("{}:{}", service.sandbox.api_key(), service.sandbox.api_secret());
    let (path, source) = crate::run::file(folder.path(), "pair", &old);
    let foreign = service.control("POST", "pairs", &json!({}));
    let foreign = format!(
        "{}:{}",
        foreign["api_key"].as_str().expect("a key"),
        foreign["api_secret"].as_str().expect("a secret")
    );
    let arguments = service.arguments(&["rotate", "--source", &source]);
    feed(command(&arguments, &[]), &foreign).fails_with(1, "wrong_account");
    assert_eq!(fs::read_to_string(&path).expect("the file"), old);
    // With the same pair there is nothing to do, and the command succeeds.
    let same = feed(command(&arguments, &[]), &old);
    assert!(same.exit == 0 && same.stdout.contains("already contains the pair"), "{same:?}");
}

#[test]
fn it_requires_the_account_if_the_current_pair_no_longer_shows_it() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let refused = rotation.feed(&["rotate", "--source", &source], &[], &rotation.new);
    refused.fails_with(1, "wrong_account");
    assert!(refused.stderr.contains(&format!("--expected-account {ACCOUNT}")), "{refused:?}");
    assert_eq!(fs::read_to_string(&path).expect("the file"), rotation.old());
    assert_eq!(rotation.rotate(&source, &[]).exit, 0);
}

#[test]
fn it_needs_no_account_if_the_service_returns_none() {
    use justcall_auth_sandbox::{Dialect, SandboxConfig};
    let service = Service::with(SandboxConfig { dialect: Dialect::Measured, ..SandboxConfig::default() });
    let folder = tempfile::tempdir().expect("a folder");
    let old = format!("{}:{}", service.sandbox.api_key(), service.sandbox.api_secret());
    let (path, source) = crate::run::file(folder.path(), "pair", &old);
    let new = service.control("POST", "reset", &Value::Null);
    let new = format!(
        "{}:{}",
        new["api_key"].as_str().expect("a key"),
        new["api_secret"].as_str().expect("a secret")
    );
    let rotated = feed(command(&service.arguments(&["rotate", "--source", &source]), &[]), &new);
    assert_eq!(rotated.exit, 0, "{rotated:?}");
    assert_eq!(fs::read_to_string(&path).expect("the file"), new);
}

#[test]
fn it_changes_nothing_for_an_invalid_pair() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let (key, secret) = rotation.new_halves();
    for (input, exit, name) in [
        (format!("{key}:{}", "0".repeat(40)), 4, "invalid_credentials"),
        (rotation.old(), 4, "invalid_credentials"),
        (rotation.foreign(), 1, "wrong_account"),
        (format!("{key}:{secret} "), 3, "credentials_malformed"),
        (format!("{key}:"), 3, "credentials_malformed"),
        (String::new(), 3, "credentials_missing"),
        ("{".to_owned(), 3, "credentials_malformed"),
        ("x".repeat(100_000), 2, "invalid_argument"),
    ] {
        let arguments = ["rotate", "--source", &source, "--expected-account", ACCOUNT];
        let before = fs::metadata(&path).expect("the file").modified().expect("a time");
        let failed = rotation.feed(&arguments, &[], &input);
        failed.fails_with(exit, name);
        assert_eq!(fs::read_to_string(&path).expect("the file"), rotation.old());
        assert_eq!(fs::metadata(&path).expect("the file").modified().expect("a time"), before);
    }
    assert_eq!(rotation.names(), ["pair"]);
}

#[test]
fn it_changes_nothing_in_a_dry_run() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let tried = rotation.rotate(&source, &["--dry-run", "--json"]).json();
    assert_eq!(
        (&tried["ok"], &tried["dry_run"], &tried["written"]),
        (&true.into(), &true.into(), &false.into())
    );
    assert_eq!(fs::read_to_string(&path).expect("the file"), rotation.old());
    assert!(rotation.rotate(&source, &["--dry-run"]).stdout.contains("Nothing was changed"));
    let arguments = ["rotate", "--source", &source, "--dry-run", "--expected-account", "7"];
    rotation.feed(&arguments, &[], &rotation.new).fails_with(1, "wrong_account");
}

#[test]
fn it_reports_in_json_what_it_did() {
    let rotation = Rotation::after_reset();
    let (_, source) =
        rotation.file("pair.json", &format!("{{\"api_key\":\"{}\",\"api_secret\":\"x\"}}", "k".repeat(12)));
    let report = rotation.rotate(&source, &["--json"]).json();
    assert_eq!(report["ok"], true);
    assert_eq!((&report["written"], &report["served"]), (&true.into(), &true.into()));
    assert_eq!(report["account"]["id"], 12345);
    assert_eq!(report["by_hand"], json!([]));
    assert!(report["place"].as_str().is_some_and(|place| place.contains("pair.json")), "{report}");
    let failed = rotation.rotate("file:/no/such/file", &["--json"]);
    assert_eq!(failed.exit, 1);
    assert!(failed.json()["error"]["hint"].as_str().is_some_and(|hint| hint.contains("setup")), "{failed:?}");
}

#[test]
fn it_replaces_a_malformed_pair() {
    let rotation = Rotation::after_reset();
    for (old, new) in [
        ("just one half\n", "PAIR\n"),
        ("Bearer abc123def456", "PAIR"),
        ("\u{feff}abc123def456:sec789xyz000\r\n", "PAIR\r\n"),
        ("", "PAIR"),
    ] {
        let (path, source) = rotation.file("pair", old);
        assert_eq!(rotation.rotate(&source, &[]).exit, 0, "{old:?}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), new.replace("PAIR", &rotation.new));
    }
}

#[test]
fn it_refuses_a_file_with_other_content_that_would_be_lost() {
    let rotation = Rotation::after_reset();
    for old in [
        "{\"api_key\": ",
        "api_key: abc123def456\napi_secret: sec789xyz000\nother: kept\n",
        "abc123def456:sec789xyz000\n# ours\n",
        "[\"abc123def456\", \"sec789xyz000\"]",
        "\u{feff}{\"api_key\": \"a\", \"api_secret\": \"b\", \"other\": \"kept\"}",
        "\u{feff}JUSTCALL_API_KEY=a\r\nJUSTCALL_API_SECRET=b\r\n",
        "J\0U\0S\0T\0=\0",
    ] {
        let (path, source) = rotation.file("more", old);
        let requests = rotation.service.requests();
        let refused = rotation.rotate(&source, &[]);
        refused.fails_with(3, "credentials_malformed");
        assert!(
            refused.stderr.contains("Nothing was changed") && refused.stderr.contains("more"),
            "{refused:?}"
        );
        assert_eq!(fs::read_to_string(&path).expect("the file"), old);
        assert_eq!(rotation.service.requests(), requests, "refused before the prompt");
    }
    assert_eq!(rotation.names(), ["more"]);
}

#[test]
fn it_keeps_the_variables_and_comments_beside_the_pair() {
    let rotation = Rotation::after_reset();
    let (key, secret) = rotation.new_halves();
    for template in [
        "export JUSTCALL_API_KEY=KEY JUSTCALL_API_SECRET=SECRET OTHER=x\n",
        "JUSTCALL_API_KEY=\"KEY\"  # sales\nJUSTCALL_API_SECRET=SECRET # a=b\nOTHER=x y\n",
        "NOTE=\"two\nlines\"\nJUSTCALL_API_KEY = KEY\nJUSTCALL_API_SECRET='SECRET'# sales",
    ] {
        let with = |key: &str, secret: &str| {
            template
                .replace("KEY=KEY", &format!("KEY={key}"))
                .replace("\"KEY\"", &format!("\"{key}\""))
                .replace("= KEY", &format!("= {key}"))
                .replace("=SECRET", &format!("={secret}"))
                .replace("'SECRET'", &format!("'{secret}'"))
        };
        let (old_key, old_secret) =
            (rotation.service.sandbox.api_key(), rotation.service.sandbox.api_secret());
        let (path, source) = rotation.file("more.env", &with(old_key, old_secret));
        let rotated = rotation.rotate(&source, &[]);
        assert_eq!(rotated.exit, 0, "{template:?}: {rotated:?}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), with(key, secret));
        assert_eq!(rotation.verify(&source).exit, 0, "{template:?}");
    }
}

#[test]
fn it_refuses_a_file_that_programs_read_differently_and_names_the_line() {
    let rotation = Rotation::after_reset();
    let pair = "JUSTCALL_API_KEY=abc123def456\nJUSTCALL_API_SECRET=sec789xyz000\n";
    for (old, line) in [
        (format!("A=1\nDIR=C:\\temp\\\n{pair}"), "line 2"),
        (format!("NOTE='see\n{pair}'\n{pair}"), "line 1"),
        (format!("{pair}NOTE=\"open\n"), "line 3"),
        (format!("{pair}{pair}"), "line 3"),
        ("OTHER=x JUSTCALL_API_KEY=abc123def456 JUSTCALL_API_SECRET=sec789xyz000\n".to_owned(), "line 1"),
        ("API_KEY=abc123def456\nAPI_SECRET=sec789xyz000\n".to_owned(), "line 1"),
        ("{\"api_key\":\"a\",\"api_key\":\"b\",\"api_secret\":\"c\"}".to_owned(), "twice"),
        ("{\"api_key\":{\"prod\":\"a\"},\"api_secret\":\"c\"}".to_owned(), "object"),
        ("# remarks alone\n#\napi_key: abc123def456\n".to_owned(), "neither JSON"),
        ("abc123def456:sec789xyz000 # sales\n".to_owned(), "neither JSON"),
    ] {
        let (path, source) = rotation.file("more", &old);
        let refused = rotation.rotate(&source, &[]);
        refused.fails_with(3, "credentials_malformed");
        assert!(refused.stderr.contains(line), "{old:?}: {refused:?}");
        assert!(refused.stderr.contains("Nothing was changed"), "{refused:?}");
        assert_eq!(fs::read_to_string(&path).expect("the file"), old);
    }
    assert_eq!(rotation.service.requests(), 0, "refused before the prompt");
}

#[test]
fn it_records_that_the_previous_pair_was_compromised() {
    let rotation = Rotation::after_reset();
    for (name, old, marked, unmarked) in [
        (
            "a.json",
            "{\"api_key\":\"a\",\"api_secret\":\"b\"}",
            "\"previous_compromised\":true",
            "\"previous_compromised\":false",
        ),
        ("a.env", "JUSTCALL_API_KEY=a\n", "\nJUSTCALL_PREVIOUS_COMPROMISED=true\n", "COMPROMISED=false\n"),
    ] {
        let (path, source) = rotation.file(name, old);
        let text = || fs::read_to_string(&path).expect("the file");
        let rotated = rotation.rotate(&source, &["--compromised"]);
        assert!(rotated.exit == 0 && rotated.stdout.contains("refused from now on"), "{rotated:?}");
        assert!(text().contains(marked), "{}", text());
        // The same pair again keeps the mark; the next pair removes it.
        assert!(rotation.rotate(&source, &[]).exit == 0 && text().contains(marked));
        fs::write(&path, text().replace(&rotation.new[..40], "an_other_key")).expect("the file");
        assert_eq!(rotation.rotate(&source, &[]).exit, 0);
        assert!(text().contains(unmarked), "{}", text());
    }
    let (path, source) = rotation.file("line", "a:b\n");
    let rotated = rotation.rotate(&source, &["--compromised"]);
    assert!(rotated.exit == 0 && rotated.stdout.contains("Restart every program"), "{rotated:?}");
    assert_eq!(fs::read_to_string(path).expect("the file"), format!("{}\n", rotation.new));
    let report = rotation.rotate(&source, &["--compromised", "--json"]).json();
    assert_eq!((&report["previous_compromised"], &report["compromise_told"]), (&true.into(), &false.into()));
}

#[test]
fn it_prints_the_manual_steps_and_waits_until_they_are_done() {
    let rotation = Rotation::after_reset();
    let json = |pair: &str| {
        let (key, secret) = pair.split_once(':').expect("a pair");
        json!({"api_key": key, "api_secret": secret}).to_string()
    };
    let (path, _) = rotation.file("store.json", &json(&rotation.old()));
    let source = format!("command:cat {}", path.display());
    let early = rotation.rotate(&source, &["--timeout", "3"]);
    assert_eq!(early.exit, 7, "{early:?}");
    assert!(early.stderr.contains("Store the new pair where `cat` reads it"), "{early:?}");
    assert!(
        early.stderr.contains("✗ timeout: ") && early.stderr.contains("still contains the pair"),
        "{early:?}"
    );

    let new = json(&rotation.new);
    let begun = Instant::now();
    let rotated = std::thread::scope(|scope| {
        let waits = scope.spawn(|| rotation.rotate(&source, &[]));
        // After the request, the command has read the old pair and verified the new one.
        while rotation.service.requests() < 2 {
            std::thread::sleep(Duration::from_millis(5));
            assert!(begun.elapsed() < Duration::from_secs(60), "no request arrived");
        }
        fs::write(&path, &new).expect("the file");
        waits.join().expect("it ends")
    });
    assert!(
        rotated.exit == 0 && rotated.stdout.contains("change to the new pair without a restart"),
        "{rotated:?}"
    );
    assert_eq!(fs::read_to_string(&path).expect("the file"), new, "the command did not write it");
}

#[test]
fn it_prints_the_variables_to_set_for_an_environment_source() {
    let rotation = Rotation::after_reset();
    let (key, secret) = (rotation.service.sandbox.api_key(), rotation.service.sandbox.api_secret());
    let variables = [("JUSTCALL_API_KEY", key), ("JUSTCALL_API_SECRET", secret)];
    for source in ["env:", "default:"] {
        let arguments = ["rotate", "--source", source, "--expected-account", ACCOUNT];
        let report = rotation.feed(&arguments, &variables, &rotation.new);
        assert_eq!((report.exit, report.stderr.as_str()), (0, ""), "{report:?}");
        assert!(report.stdout.contains("Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET"), "{report:?}");
        assert!(report.stdout.contains("does not change"), "{report:?}");
        let report = rotation.feed(&[&arguments[..], &["--json"]].concat(), &variables, &rotation.new).json();
        assert_eq!((&report["written"], &report["served"]), (&false.into(), &false.into()));
        assert_eq!(report["by_hand"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn it_uses_the_source_in_the_environment() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let arguments = ["rotate", "--expected-account", ACCOUNT];
    let rotated = rotation.feed(&arguments, &[("JUSTCALL_CREDENTIALS", &source)], &rotation.new);
    assert_eq!(rotated.exit, 0, "{rotated:?}");
    assert_eq!(fs::read_to_string(path).expect("the file"), rotation.new);
    let nothing = run(&["rotate"], &[]);
    nothing.fails_with(3, "credentials_missing");
    assert!(nothing.stderr.contains("justcall-auth setup"), "{nothing:?}");
}

#[test]
fn it_changes_nothing_if_the_service_is_unreachable() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    rotation.service.control("POST", "faults", &json!({"fault": "answer", "status": 503}));
    let failed = rotation.rotate(&source, &["--max-retries", "0"]);
    failed.fails_with(8, "unavailable");
    assert_eq!(fs::read_to_string(path).expect("the file"), rotation.old());
}
