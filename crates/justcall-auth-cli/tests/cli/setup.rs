//! `setup`: stores a first pair from a prompt or a pipe.

use std::fs;

use serde_json::json;

use crate::rotation::{ACCOUNT, Rotation};
use crate::run::run;

/// Runs `setup` with the working pair on standard input.
fn set_up(rotation: &Rotation, options: &[&str]) -> crate::run::Run {
    rotation.feed(&[&["setup"], options].concat(), &[], &rotation.new)
}

#[test]
fn it_writes_a_first_pair_readable_only_by_its_owner() {
    let rotation = Rotation::after_reset();
    let (key, secret) = rotation.new_halves();
    for (name, begins) in [("a/b/pair.json", "{\n  \"api_key\": \""), (".env", "JUSTCALL_API_KEY=")] {
        let path = rotation.folder.path().join(name);
        let source = format!("file:{}", path.display());
        let done = set_up(&rotation, &["--source", &source]);
        assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{done:?}");
        let text = fs::read_to_string(&path).expect("the file");
        assert!(text.starts_with(begins) && text.contains(key) && text.contains(secret), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let mode = |path: &std::path::Path| fs::metadata(path).expect("the file exists").mode() & 0o777;
            assert_eq!(mode(&path), 0o600);
            assert!(name == ".env" || mode(&rotation.folder.path().join("a")) == 0o700);
        }
        assert_eq!(rotation.verify(&source).exit, 0);
        let rotated = rotation.rotate(&source, &[]);
        assert!(rotated.exit == 0 && rotated.stdout.contains("already contains the pair"), "{rotated:?}");
    }
    assert!(
        fs::read_to_string(rotation.folder.path().join("a/b/pair.json"))
            .expect("JSON")
            .contains("\"created_at\": \"20")
    );
}

#[cfg(unix)]
#[test]
fn it_creates_a_folder_whose_files_are_replaced_together() {
    let rotation = Rotation::after_reset();
    let folder = rotation.folder.path().join("justcall");
    let source = format!("dir:{}?key=user&secret=password", folder.display());
    let done = set_up(&rotation, &["--source", &source, "--json"]).json();
    assert_eq!((&done["ok"], &done["by_hand"]), (&true.into(), &json!([])));
    assert_eq!(rotation.verify(&source).exit, 0);
    assert!(fs::read_link(folder.join("..data")).is_ok());
    let reset = rotation.service.control("POST", "reset", &json!({}));
    let next = format!(
        "{}:{}",
        reset["api_key"].as_str().expect("a key"),
        reset["api_secret"].as_str().expect("a secret")
    );
    let arguments = ["rotate", "--source", &source, "--expected-account", ACCOUNT];
    let rotated = rotation.feed(&arguments, &[], &next);
    assert_eq!(rotated.exit, 0, "{rotated:?}");
    assert_eq!(rotation.verify(&source).exit, 0);
}

#[test]
fn it_replaces_no_file_and_writes_no_invalid_pair() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("there", "something else");
    let refused = set_up(&rotation, &["--source", &source]);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("justcall-auth rotate"), "{refused:?}");
    assert_eq!(fs::read_to_string(path).expect("the file"), "something else");
    assert_eq!(rotation.service.requests(), 0, "refused before any request");

    let absent = format!("file:{}", rotation.folder.path().join("absent").display());
    for (input, options, exit, name) in [
        (rotation.old(), &[][..], 4, "invalid_credentials"),
        ("half".to_owned(), &[], 3, "credentials_malformed"),
        (rotation.new.clone(), &["--expected-account", "7"], 1, "wrong_account"),
    ] {
        let arguments = [&["setup", "--source", &absent], options].concat();
        rotation.feed(&arguments, &[], &input).fails_with(exit, name);
    }
    assert_eq!(rotation.names(), ["there"]);
    run(&["setup"], &[]).fails_with(2, "invalid_argument");
    assert_eq!(run(&["setup", "--source", "file:/x", "--language", "cobol"], &[]).exit, 2);
}

#[cfg(target_os = "linux")]
#[test]
fn it_replaces_no_file_that_appeared_during_the_prompt() {
    use std::io::Write as _;
    use std::path::PathBuf;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let rotation = Rotation::after_reset();
    let path = rotation.folder.path().join("pair");
    let source = format!("file:{}", path.display());
    let arguments = rotation.service.arguments(&["setup", "--source", &source]);
    let mut command = crate::run::command(&arguments, &[]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    // Once the command has opened the folder, it has checked that the file does not exist.
    let open = PathBuf::from(format!("/proc/{}/fd", child.id()));
    let holds =
        |entry: fs::DirEntry| fs::read_link(entry.path()).is_ok_and(|file| file == rotation.folder.path());
    let begun = Instant::now();
    while !fs::read_dir(&open).expect("it runs").flatten().any(holds) {
        assert!(begun.elapsed() < Duration::from_secs(60), "the command did not start");
        std::thread::yield_now();
    }
    fs::write(&path, "another program's").expect("a file");
    let mut input = child.stdin.take().expect("it was piped");
    input.write_all(rotation.new.as_bytes()).expect("it reads");
    drop(input);
    let refused = crate::run::Run::from(child.wait_with_output().expect("it ends"));
    refused.fails_with(1, "source_unavailable");
    assert!(rotation.service.requests() > 0, "the command had a valid pair to write");
    assert_eq!(fs::read_to_string(&path).expect("the file"), "another program's");
    assert_eq!(rotation.names(), ["pair"]);
}

#[test]
fn it_prints_the_manual_steps_for_a_source_that_it_cannot_write() {
    let rotation = Rotation::after_reset();
    let run = set_up(&rotation, &["--source", "env:", "--language", "python"]);
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.contains("Set JUSTCALL_API_KEY and JUSTCALL_API_SECRET"), "{run:?}");
    assert!(run.stdout.contains("justcall_auth.Client(\"env:\""), "{run:?}");
}

#[test]
fn it_warns_about_a_place_that_may_be_committed() {
    let rotation = Rotation::after_reset();
    fs::create_dir(rotation.folder.path().join(".git")).expect("a folder");
    let source = format!("file:{}", rotation.folder.path().join("conf/pair.json").display());
    let done = set_up(&rotation, &["--source", &source]);
    assert!(done.exit == 0 && done.stdout.contains(".gitignore"), "{done:?}");
}
