//! No output of `scan` contains a found secret, whatever the form in which it was found.

use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::run::{Run, run};
use crate::scan::{KEY, OTHER, PAIR, SECRET, folder, python, run_in};
use crate::scan_history::{commit, git, repository};

/// Returns the secrets that must not be printed: that of the own pair, and that of another text.
fn secrets() -> [&'static str; 2] {
    let (_, other) = OTHER.trim_end().rsplit_once('=').expect("dotenv");
    [SECRET, other]
}

/// Returns true if `text` contains a part of a secret, as a careless cut leaves it, in one of its forms.
fn contains_secret(text: &str) -> bool {
    let forms = |half: &str| {
        let hex: String = half.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let base64 = ["", "a", "ab"].map(|before| STANDARD.encode(format!("{before}{half}")));
        let mut forms = vec![half.to_owned(), hex];
        forms.extend(base64.map(|digits| digits[4..digits.len() - 4].to_owned()));
        forms
    };
    let parts = secrets().into_iter().flat_map(forms).collect::<Vec<_>>();
    parts.iter().any(|form| {
        form.as_bytes().windows(10).any(|part| text.contains(std::str::from_utf8(part).expect("ASCII")))
    })
}

#[track_caller]
fn is_silent(what: &[&str], run: &Run) {
    assert!(!contains_secret(&run.stdout) && !contains_secret(&run.stderr), "{what:?}: {run:?}");
}

/// Returns files with the halves in every form, in their content and in their names.
fn files() -> Vec<(String, String)> {
    let pair = format!("{KEY}:{SECRET}");
    let hex: String = SECRET.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let mut files = vec![
        ("basic.txt".into(), format!("justcall Authorization: Basic {}", STANDARD.encode(&pair))),
        ("hex.txt".into(), hex),
        (".env".into(), OTHER.to_owned()),
        ("app.html".into(), OTHER.to_owned()),
    ];
    for half in secrets().into_iter().chain([KEY]) {
        files.push((format!("{half}.env"), OTHER.to_owned()));
    }
    for half in [KEY, SECRET] {
        files.push((format!("folder-{half}/notes.txt"), pair.clone()));
    }
    files
}

#[test]
fn the_search_finds_what_it_must_find() {
    assert!(contains_secret(&run(&["header"], &PAIR).stdout));
    assert!(files().iter().all(|(_, text)| contains_secret(text)));
    assert!(!contains_secret("8f1c…f8b1 the secret 26d1c7c44bac6db3 of the key"));
}

#[test]
fn no_output_holds_a_value() {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = repository(&files);
    let at = folder.path();
    let first = commit(at, &format!("Use {KEY}:{SECRET} with JustCall"));
    git(at, &["tag", "--annotate", "v1", "--message", OTHER]);
    // A branch name is not searched, but may be printed.
    git(at, &["branch", SECRET]);
    let absent = format!("absent-{SECRET}");
    let range = format!("{SECRET}..{SECRET}");
    let mut seen = 0;
    for variables in [&PAIR[..], &[]] {
        for arguments in [
            &["scan", "."][..],
            &["scan", ".", &absent],
            &["scan", "--git"],
            &["scan", "--git", &first],
            &["scan", "--git", &range],
            &["scan", "--git", "--repository", &absent],
            &["scan", ".", "--baseline", &absent],
            &["scan", ".", "--source", &absent],
        ] {
            for output in [&[][..], &["--json"], &["--sarif"], &["--color", "always"]] {
                let arguments = [arguments, output].concat();
                let run = run_in(at, &arguments, variables);
                // In an argument, only the own pair can be distinguished from other words.
                if !variables.is_empty() || !arguments.contains(&absent.as_str()) {
                    is_silent(&arguments, &run);
                }
                let shows_key = run.stdout.contains(KEY) || run.stderr.contains(KEY);
                assert!(variables.is_empty() || !shows_key, "{arguments:?}: {run:?}");
                seen += usize::from(run.stdout.contains("leaked_pair") && run.exit == 1);
            }
        }
        let written = run_in(at, &["scan", ".", "--write-baseline", "baseline"], variables);
        is_silent(&["--write-baseline"], &written);
        let baseline = std::fs::read_to_string(at.join("baseline")).expect("it was written");
        assert!(!contains_secret(&baseline) && baseline.lines().count() > 2, "{baseline}");
        std::fs::remove_file(at.join("baseline")).expect("a file");
    }
    assert!(seen >= 30, "{seen}: most runs have findings");
}

#[cfg(unix)]
#[test]
fn no_terminal_shows_a_value() {
    let files = files();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = folder(&files);
    let path = folder.path().to_str().expect("UTF-8");
    let (exit, shown) =
        crate::terminal::run_on_terminal(&["scan", path], &[&PAIR[..], &[("TERM", "xterm")]].concat());
    assert_eq!(exit, 1);
    assert!(shown.contains("\u{1b}[") && shown.contains("own_secret") && !contains_secret(&shown), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_terminal_shows_progress_and_no_trace_of_it_remains() {
    use std::io::{Read as _, Write as _};
    let (mut screen, terminal) = crate::terminal::open();
    let mut child = crate::run::command(&["scan", "-"], &[("TERM", "xterm")])
        .stdin(Stdio::piped())
        .stderr(terminal.try_clone().expect("a handle"))
        .stdout(terminal)
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(OTHER.as_bytes()).expect("it reads");
    let mut shown = Vec::new();
    let mut some = [0; 4096];
    // The scan continues until the input ends, which happens after the progress was displayed.
    while !String::from_utf8_lossy(&shown).contains("scanned …") {
        let count = screen.read(&mut some).expect("the terminal is open");
        shown.extend_from_slice(&some[..count]);
    }
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let _ = screen.read_to_end(&mut shown);
    let shown = String::from_utf8(shown).expect("UTF-8");
    let (_, left) = shown.rsplit_once("\r\u{1b}[K").expect("the line is erased");
    assert!(left.contains("leaked_pair") && !left.contains("scanned …"), "{shown:?}");
}

#[cfg(unix)]
#[test]
fn its_sarif_conforms_to_the_schema() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scan/check_sarif.py");
    let folder = folder(&[("a b/ä:.env", OTHER), ("public/app.js", OTHER), ("notes", SECRET)]);
    let log = run_in(folder.path(), &["scan", "--sarif", ".", "absent"], &PAIR);
    let mut check = Command::new(python())
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python runs");
    std::io::Write::write_all(&mut check.stdin.take().expect("a pipe"), log.stdout.as_bytes())
        .expect("it reads");
    let checked = check.wait_with_output().expect("it ends");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    let log: serde_json::Value = serde_json::from_str(&log.stdout).expect("JSON");
    let run = &log["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    let results = run["results"].as_array().expect("a list");
    assert_eq!(results.len(), 3);
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "a%20b/%C3%A4%3A.env"
    );
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("a number")).expect("small");
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
}
