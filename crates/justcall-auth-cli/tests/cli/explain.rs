//! `explain`: every row of the tables, by name and by number.

use crate::run::run;

/// Returns the rows that `explain` lists.
fn listed(which: &str) -> Vec<serde_json::Value> {
    let all = run(&["explain", "--json"], &[]).json();
    assert_eq!(all["ok"], true);
    all[which].as_array().expect("a list").clone()
}

#[test]
fn it_explains_every_error_by_name_and_by_number() {
    let errors = listed("errors");
    assert!(errors.len() >= 20);
    for row in errors {
        let (name, number) = (row["name"].as_str().unwrap(), row["number"].to_string());
        let exit = row["exit_code"].as_u64().expect("every error has one");
        assert!((1..=8).contains(&exit), "{row}");
        for spelling in [name, &number] {
            assert_eq!(run(&["explain", spelling, "--json"], &[]).json()["explanation"], row);
            let text = run(&["explain", spelling], &[]);
            assert_eq!(text.exit, 0, "{text:?}");
            assert!(text.stdout.starts_with(&format!("{name} ({number})\n")), "{text:?}");
            for member in ["message", "remedy"] {
                assert!(text.stdout.contains(row[member].as_str().unwrap()), "{text:?}");
            }
            assert!(text.stdout.contains(&format!("Exit code: {exit}\n")), "{text:?}");
            for member in ["explanation", "example"] {
                assert!(text.stdout.contains(row[member].as_str().unwrap()), "{text:?}");
            }
            let causes = row["causes"].as_array().expect("a list");
            for (index, cause) in causes.iter().enumerate() {
                let line = format!("\n  {}. {}\n", index + 1, cause.as_str().unwrap());
                assert!(text.stdout.contains(&line), "{text:?}");
            }
            let helps = text.stdout.contains("Retry: may help");
            assert_eq!(helps, row["retryable"].as_bool().unwrap(), "{text:?}");
        }
    }
}

#[test]
fn it_explains_every_finding() {
    let findings = listed("findings");
    assert!(findings.len() >= 14);
    for row in findings {
        let name = row["name"].as_str().unwrap();
        assert_eq!(run(&["explain", name, "--json"], &[]).json()["explanation"], row);
        let text = run(&["explain", name], &[]);
        assert!(text.stdout.contains(row["remedy"].as_str().unwrap()), "{text:?}");
        assert!(text.stdout.contains(row["explanation"].as_str().unwrap()), "{text:?}");
        for side in ["bad", "good"] {
            assert!(text.stdout.contains(row["example"][side].as_str().unwrap()), "{text:?}");
        }
        let exit = if row["severity"] == "error" { 3.into() } else { serde_json::Value::Null };
        assert_eq!(row["exit_code"], exit, "{row}");
    }
}

#[test]
fn it_explains_the_findings_of_scan() {
    let leaks = listed("leaks");
    assert_eq!(leaks.len(), 3);
    for row in leaks {
        assert_eq!((&row["type"], &row["exit_code"]), (&"leak".into(), &1.into()), "{row}");
        let text = run(&["explain", row["name"].as_str().unwrap()], &[]);
        for member in [&row["message"], &row["remedy"], &row["explanation"], &row["example"]["bad"]] {
            assert!(text.stdout.contains(member.as_str().unwrap()), "{text:?}");
        }
        assert!(text.stdout.contains("Exit code: 1 (of scan)\n"), "{text:?}");
    }
}

#[test]
fn it_lists_every_topic_on_one_line() {
    let list = run(&["explain"], &[]);
    assert_eq!(list.exit, 0);
    for row in listed("errors").iter().chain(&listed("findings")).chain(&listed("leaks")) {
        let name = row["name"].as_str().unwrap();
        let lines = list.stdout.lines().filter(|line| line.split_whitespace().nth(1) == Some(name));
        assert_eq!(lines.count(), 1, "{name}");
    }
}

#[test]
fn it_explains_what_to_do_about_a_lost_or_revoked_secret() {
    for name in ["invalid_credentials", "credentials_missing"] {
        let text = run(&["explain", name], &[]).stdout;
        for words in ["Settings → API & Webhooks", "Generate API Key", "Revoke", "shown only once"] {
            assert!(text.contains(words), "{name}: {words}: {text}");
        }
    }
}

#[test]
fn it_explains_a_status_that_shares_a_row() {
    let text = run(&["explain", "502"], &[]);
    assert!(text.stdout.starts_with("unavailable (503)\n"), "{text:?}");
}

#[test]
fn it_suggests_the_most_similar_name() {
    let text = run(&["explain", "invalid_credential"], &[]);
    text.fails_with(2, "invalid_argument");
    assert!(text.stderr.contains("Did you mean invalid_credentials"), "{text:?}");
    let json = run(&["explain", "trailing_space", "--json"], &[]);
    assert_eq!(json.exit, 2);
    assert!(json.json()["error"]["hint"].as_str().is_some_and(|hint| hint.contains("trailing_whitespace")));
}
