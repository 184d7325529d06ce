//! `scan` in files, in folders and on standard input.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Run, command, feed, file, run};

pub const KEY: &str = "8f1c0b5ad93e47a2c6f0d81b35e79a4c2d60f8b1";
pub const SECRET: &str = "84dbf4398ab9480836b3918f41b9398a3a02068d";
pub const PAIR: [(&str, &str); 2] = [("JUSTCALL_API_KEY", KEY), ("JUSTCALL_API_SECRET", SECRET)];

/// Another pair, shaped like one, that is nobody's.
pub const OTHER: &str = "JUSTCALL_API_KEY=1b7e0c94d25a8f3361c9e07b4d82f6a05ce93b18\nJUSTCALL_API_SECRET=c05b9e27f1a84d63e8b2075ad91c46f37e0ab2d9\n";

/// A folder with these files in it.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// Runs the command in `folder`.
pub fn run_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    command(arguments, variables).current_dir(folder).output().expect("it starts").into()
}

/// The findings of a scan as JSON, as `path:line code`.
pub fn found(run: &Run) -> Vec<String> {
    let report = run.json();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    let one =
        |finding: &Value| format!("{}:{} {}", text(finding, "path"), finding["line"], text(finding, "code"));
    let found: Vec<String> =
        report["findings"].as_array().unwrap_or_else(|| panic!("{run:?}")).iter().map(one).collect();
    let is_clean = found.is_empty() && report["unread"] == Value::Array(Vec::new());
    assert_eq!((report["ok"] == true, run.exit), (is_clean, i32::from(!is_clean)), "{run:?}");
    found
}

/// The Python of `cargo xtask test`, which has what checks SARIF and runs hooks.
#[cfg(unix)]
pub fn python() -> std::path::PathBuf {
    let built =
        || Path::new(env!("CARGO_BIN_EXE_justcall-auth")).ancestors().nth(2).expect("two folders deep");
    std::env::var_os("JUSTCALL_PYTHON").map_or_else(|| built().join("venv/bin/python"), Into::into)
}

pub fn scan_input(arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Run {
    feed(command(arguments, variables), input)
}

#[test]
fn it_finds_your_own_pair_and_what_is_shaped_like_one() {
    let own = format!("# notes\ncurl -d {SECRET} https://example.test\n");
    let folder =
        folder(&[("notes.md", &own), ("src/.env", OTHER), ("clean.txt", "nothing"), ("key.txt", KEY)]);
    let run = run_in(folder.path(), &["scan", "--json", "."], &PAIR);
    assert_eq!(found(&run), ["notes.md:2 own_secret", "src/.env:2 leaked_pair"]);
    let report = run.json();
    assert_eq!((&report["texts"], &report["own_pair"]), (&4.into(), &true.into()));
    assert_eq!(report["findings"][0]["key_hint"], "8f1c…f8b1");
    assert_eq!(report["findings"][0]["column"], 9);
    assert_eq!(report["findings"][0]["severity"], "severe");
    assert_eq!(report["findings"][1]["severity"], "high");
}

#[test]
fn it_looks_for_shapes_alone_where_no_source_gives_a_pair() {
    let folder = folder(&[("a.txt", SECRET), (".env", OTHER)]);
    assert_eq!(found(&run_in(folder.path(), &["scan", ".", "--json"], &[])), [".env:2 leaked_pair"]);
    let text = run_in(folder.path(), &["scan", "."], &[]);
    assert_eq!((text.exit, text.stderr.as_str()), (1, ""));
    assert!(text.stdout.contains("No source gives a pair of your own"), "{text:?}");
    // What is named must be there, and be a pair.
    run_in(folder.path(), &["scan", ".", "--source", "file:absent"], &[]).fails_with(1, "source_unavailable");
    let malformed = [("JUSTCALL_API_KEY", KEY), ("JUSTCALL_API_SECRET", "two words")];
    run_in(folder.path(), &["scan", "."], &malformed).fails_with(3, "credentials_malformed");
}

#[test]
fn it_says_that_a_short_secret_was_not_looked_for() {
    let folder = folder(&[("a.txt", "seven_7 eight_88\n")]);
    let with = |secret| [("JUSTCALL_API_KEY", KEY), ("JUSTCALL_API_SECRET", secret)];
    let short = run_in(folder.path(), &["scan", "."], &with("seven_7"));
    assert!(short.exit == 0 && short.stdout.contains("too short to be told from other text"), "{short:?}");
    let short = run_in(folder.path(), &["scan", ".", "--json"], &with("seven_7")).json();
    assert_eq!(short["own_pair"], false);
    let long = run_in(folder.path(), &["scan", ".", "--json"], &with("eight_88"));
    assert_eq!(
        (long.json()["own_pair"] == true, found(&long)),
        (true, vec!["a.txt:1 own_secret".to_owned()])
    );
}

#[test]
fn it_ends_with_0_when_nothing_is_found() {
    let folder = folder(&[("a.txt", "JUSTCALL_API_SECRET=${JUSTCALL_API_SECRET}\n")]);
    let text = run_in(folder.path(), &["scan", "."], &PAIR);
    assert_eq!((text.exit, text.stdout.as_str()), (0, "✓ Nothing found in 1 texts, 43 bytes.\n"), "{text:?}");
    assert!(found(&run_in(folder.path(), &["scan", "a.txt", "--json"], &PAIR)).is_empty());
}

#[test]
fn it_reads_standard_input() {
    let input = format!("diff --git a/x b/x\n+Authorization: Basic {SECRET}\n");
    let run = scan_input(&["scan", "-", "--json"], &PAIR, input.as_bytes());
    assert_eq!(found(&run), ["standard input:2 own_secret"]);
    assert_eq!(
        found(&scan_input(&["scan", "-", "--json"], &[], OTHER.as_bytes())),
        ["standard input:2 leaked_pair"]
    );
    assert_eq!(scan_input(&["scan", "-"], &PAIR, b"nothing").exit, 0);
}

#[test]
fn it_says_which_arguments_are_wrong() {
    let folder = folder(&[("baseline", "not a fingerprint\n")]);
    for arguments in [
        &["scan"][..],
        &["scan", ".", "--json", "--sarif"],
        &["scan", ".", "--baseline", "absent"],
        &["scan", ".", "--baseline", "baseline"],
        &["scan", ".", "--no-such-option"],
    ] {
        let run = run_in(folder.path(), arguments, &[]);
        assert_eq!((run.exit, run.stdout.contains("texts")), (2, false), "{arguments:?}: {run:?}");
    }
}

#[test]
fn it_looks_at_what_git_ignores_unless_told_to_respect_it() {
    let folder = folder(&[
        (".gitignore", "secrets/\n"),
        ("secrets/.env", OTHER),
        (".hidden/.env", OTHER),
        (".git/config", OTHER),
        ("sub/.git/config", OTHER),
    ]);
    let all = found(&run_in(folder.path(), &["scan", "--json", "."], &[]));
    assert_eq!(all, [".hidden/.env:2 leaked_pair", "secrets/.env:2 leaked_pair"]);
    let respected = found(&run_in(folder.path(), &["scan", "--json", "--respect-gitignore", "."], &[]));
    assert_eq!(respected, [".hidden/.env:2 leaked_pair"]);
    // What is named is looked at.
    let named =
        found(&run_in(folder.path(), &["scan", "--json", "--respect-gitignore", "secrets/.env"], &[]));
    assert_eq!(named, ["secrets/.env:2 leaked_pair"]);
}

#[test]
fn it_passes_over_the_file_that_the_pair_comes_from() {
    let folder = folder(&[("copy/pair", &format!("{KEY}:{SECRET}\n"))]);
    let (_, source) = file(folder.path(), "pair", &format!("{KEY}:{SECRET}\n"));
    let run = run_in(folder.path(), &["scan", ".", "--json", "--source", &source], &[]);
    assert_eq!(found(&run), ["copy/pair:1 own_secret"]);
}

#[test]
fn it_passes_over_a_baseline_but_never_your_own_pair() {
    let folder = folder(&[("a.env", OTHER), ("b.env", OTHER)]);
    let written = run_in(folder.path(), &["scan", ".", "--write-baseline", "baseline"], &PAIR);
    assert_eq!((written.exit, written.stdout.as_str()), (0, ""), "{written:?}");
    let baseline = std::fs::read_to_string(folder.path().join("baseline")).expect("it was written");
    assert_eq!(baseline.lines().filter(|line| !line.starts_with('#')).count(), 1, "{baseline}");
    let scan =
        |arguments: &[&str]| run_in(folder.path(), &[&["scan", ".", "--json"], arguments].concat(), &PAIR);
    let allowed = scan(&["--baseline", "baseline"]);
    assert_eq!((found(&allowed).len(), &allowed.json()["allowed"]), (0, &2.into()));
    assert_eq!(found(&scan(&[])).len(), 2, "the baseline alone hides them");

    // One's own is neither written there nor passed over.
    std::fs::write(folder.path().join("live"), SECRET).expect("a file");
    let fingerprint = scan(&[]).json()["findings"][2]["fingerprint"].as_str().expect("text").to_owned();
    let written = run_in(folder.path(), &["scan", ".", "--write-baseline", "other"], &PAIR);
    assert_eq!(written.exit, 1);
    assert!(written.stdout.contains("live:1:1: own_secret (severe)"), "{written:?}");
    let other = std::fs::read_to_string(folder.path().join("other")).expect("it was written");
    assert!(!other.contains(&fingerprint), "{other}");
    std::fs::write(folder.path().join("other"), format!("{other}{fingerprint} mine\n")).expect("a file");
    assert_eq!(found(&scan(&["--baseline", "other"])), ["live:1 own_secret"]);
}

#[test]
fn it_calls_severe_what_browsers_get() {
    let script = OTHER.replace('\n', "';\n").replace('=', " = '");
    let public = OTHER.replace("JUSTCALL", "NEXT_PUBLIC_JUSTCALL");
    let folder = folder(&[
        ("app.html", &script),
        ("app.js", &script),
        ("dist/app.js", &format!("require('x');\n{script}")),
        ("public.env", &public),
        ("server.js", &format!("const x = require('x');\n{script}")),
        ("server.py", &script),
    ]);
    let report = run_in(folder.path(), &["scan", ".", "--json"], &[]).json();
    let severe: Vec<(&str, bool)> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| {
            assert_eq!(finding["shipped_to_browsers"] == true, finding["severity"] == "severe");
            (finding["path"].as_str().expect("text"), finding["severity"] == "severe")
        })
        .collect();
    let expected = [
        ("app.html", true),
        ("app.js", true),
        ("dist/app.js", true),
        ("public.env", true),
        ("server.js", false),
        ("server.py", false),
    ];
    assert_eq!(severe, expected);
}

#[test]
fn it_tells_what_it_could_not_look_at() {
    let folder = folder(&[("a.env", OTHER)]);
    let run = run_in(folder.path(), &["scan", "--json", "a.env", "absent"], &[]);
    assert_eq!(found(&run), ["a.env:2 leaked_pair"]);
    assert_eq!(run.json()["unread"][0]["path"], "absent");
    let text = run_in(folder.path(), &["scan", "absent"], &[]);
    assert_eq!(text.exit, 1);
    assert!(text.stderr.starts_with("✗ absent was not looked at: "), "{text:?}");
    assert!(text.stdout.contains("not everything could be looked at"), "{text:?}");
}

#[cfg(unix)]
#[test]
fn it_follows_no_link_and_waits_for_no_pipe() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("outside.env", OTHER)]);
    let folder = folder(&[("inside.env", OTHER)]);
    symlink(outside.path(), folder.path().join("folder")).expect("a link");
    symlink(outside.path().join("outside.env"), folder.path().join("file")).expect("a link");
    symlink(folder.path(), folder.path().join("loop")).expect("a link");
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .expect("a pipe");
    assert_eq!(found(&run_in(folder.path(), &["scan", ".", "--json"], &[])), ["inside.env:2 leaked_pair"]);
    // The positive control: the link leads there when it is named.
    assert_eq!(found(&run_in(folder.path(), &["scan", "file", "--json"], &[])), ["file:2 leaked_pair"]);
}

#[cfg(target_os = "linux")]
#[test]
fn it_tells_of_files_that_it_may_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder(&[("open.env", OTHER), ("closed.env", OTHER), ("closed/a.env", OTHER)]);
    let set = |path: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(folder.path().join(path), permissions).expect("it is ours");
    };
    set("", 0o755);
    set("closed.env", 0o000);
    set("closed", 0o000);
    let mut as_nobody = std::process::Command::new("setpriv");
    let is_root = rustix::process::geteuid().is_root();
    let rights = if is_root { &["--reuid=65534", "--regid=65534", "--clear-groups"][..] } else { &[] };
    as_nobody.args(rights).arg("--").arg(env!("CARGO_BIN_EXE_justcall-auth"));
    let ended = as_nobody.args(["scan", "--json", "."]).current_dir(&folder).env_clear().output();
    let run: Run = ended.expect("setpriv runs").into();
    set("closed", 0o755);
    assert_eq!(found(&run), ["open.env:2 leaked_pair"]);
    let unread: Vec<Value> = run.json()["unread"].as_array().expect("a list").clone();
    let paths: Vec<&str> = unread.iter().filter_map(|unread| unread["path"].as_str()).collect();
    assert_eq!(paths, ["closed", "closed.env"], "{run:?}");
}

#[test]
fn it_finds_your_own_pair_in_binary_files_of_any_size() {
    let folder = folder(&[]);
    let mut program = vec![0_u8; 3 * 1024 * 1024];
    program.extend(SECRET.encode_utf16().flat_map(u16::to_le_bytes));
    program.extend(vec![0_u8; 1024 * 1024]);
    std::fs::write(folder.path().join("program.exe"), program).expect("a file");
    let run = run_in(folder.path(), &["scan", ".", "--json"], &PAIR);
    assert_eq!(found(&run), ["program.exe:1 own_secret"]);
    assert_eq!(run.json()["findings"][0]["form"], "as UTF-16");
}

/// As a bundle or an export may have them. What grows with the square of what is found takes a minute here, else it is one second.
#[test]
fn it_ends_soon_however_much_is_found_on_one_line() {
    // xorshift: words as random as those of a generator, the same every time.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut word = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        format!("{state:016x}")
    };
    let line =
        (0..20_000).map(|_| format!("justcall secret={}{}", word(), word())).collect::<Vec<_>>().join(";");
    let folder = folder(&[("a.csv", &line)]);
    let begin = std::time::Instant::now();
    let run = run_in(folder.path(), &["scan", ".", "--json"], &PAIR);
    let took = begin.elapsed();
    let found = run.json()["findings"].as_array().expect("a list").len();
    assert!((19_000..=20_000).contains(&found), "{found}: a few words look made by a person");
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

#[test]
fn it_explains_its_findings_under_the_names_that_it_prints() {
    let run = run(&["explain", "leaked_pair"], &[]);
    assert!(run.stdout.contains("a finding of scan"), "{run:?}");
}
