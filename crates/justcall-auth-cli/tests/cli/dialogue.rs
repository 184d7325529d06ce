//! Commands that prompt the user: input is hidden, and the terminal is restored.
#![cfg(unix)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use rustix::termios::{LocalModes, tcgetattr};
use serde_json::{Value, json};

use crate::rotation::{ACCOUNT, Rotation};
use crate::run::command;
use crate::terminal;

/// The time limit of a step.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// A user at a terminal, and the text that it has displayed.
struct User {
    typing: File,
    terminal: File,
    reading: Receiver<Vec<u8>>,
    shown: String,
    /// The length of the text that the user has already answered.
    answered: usize,
}

impl User {
    fn start() -> Self {
        let (typing, terminal) = terminal::open();
        let mut screen = typing.try_clone().expect("a handle");
        let (send, reading) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if send.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { typing, terminal, reading, shown: String::new(), answered: 0 }
    }

    /// Waits until `words` are displayed after the last answer.
    fn waits_for(&mut self, words: &str) {
        while !self.shown[self.answered..].contains(words) {
            let bytes = self
                .reading
                .recv_timeout(STEP_LIMIT)
                .unwrap_or_else(|_| panic!("no {words:?} in {:?}", self.shown));
            self.shown.push_str(&String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }

    fn answers(&mut self, words: &str, text: &str) {
        self.waits_for(words);
        self.answered = self.shown.len();
        self.typing.write_all(text.as_bytes()).expect("the terminal accepts keys");
    }

    /// Returns how many typed bytes the next program at the terminal gets. A shell would run and store them.
    fn unread_input(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.terminal).expect("a terminal")
    }

    /// Returns true if the terminal shows typed lines and turns Ctrl-C into a signal.
    fn is_restored(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }
}

/// Runs the command at a terminal, with `talk` as the user. Returns the exit code and the displayed text.
fn converse(arguments: &[&str], variables: &[(&str, &str)], talk: impl FnOnce(&mut User)) -> (i32, String) {
    let mut user = User::start();
    assert!(user.is_restored());
    let handle = || user.terminal.try_clone().expect("a handle");
    let mut child = command(arguments, variables)
        .stdin(handle())
        .stdout(handle())
        .stderr(handle())
        .spawn()
        .expect("it starts");
    talk(&mut user);
    let status = child.wait().expect("it ends");
    // A mark at the end of all output.
    (&user.terminal).write_all(b"[end]").expect("it shows");
    user.waits_for("[end]");
    assert!(user.is_restored(), "the terminal is restored: {}", user.shown);
    assert_eq!(user.unread_input(), 0, "no typed text is left: {}", user.shown);
    (status.code().expect("no signal ended it"), user.shown)
}

const KEY: &str = "API key (the input is hidden): ";
const SECRET: &str = "API secret: ";

#[test]
fn it_prompts_for_the_new_pair_without_showing_it() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let (key, secret) = rotation.new_halves();
    let arguments = rotation.service.arguments(&["rotate", "--source", &source]);
    let (exit, shown) = converse(&arguments, &[], |user| {
        user.waits_for(KEY);
        assert!(!user.is_restored(), "the input is hidden during the prompt");
        // The user deletes a wrong character, then the whole line.
        user.answers(KEY, &format!("wrong\u{15}{key}xy\u{7f}\u{8}\r"));
        user.answers(SECRET, &format!("{secret}\r"));
        user.answers("Is this the right account? (yes or no) [no]: ", "yes\n");
    });
    assert_eq!(exit, 0, "{shown}");
    for text in [
        "Settings → API & Webhooks. Click Revoke next to the key, then Generate API Key.",
        "as an Admin or Owner",
        "shown only once",
        "(yes or no) [no]: yes\n",
        "The service accepts the pair",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains(&key[..8]), "only the hint is shown: {shown}");
    assert!(!shown.contains(&secret[..6]) && !shown.contains("wrong"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), rotation.new);
}

#[test]
fn it_accepts_a_pasted_pair_and_prompts_again_after_a_mistake() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let (key, _) = rotation.new_halves();
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &source, "--expected-account", ACCOUNT]);
    let (exit, shown) = converse(&arguments, &[], |user| {
        user.answers(KEY, &format!("{key}:{}\r", "0".repeat(40)));
        user.waits_for("✗ invalid_credentials");
        user.answers(KEY, &format!("{key}\r"));
        user.answers(SECRET, "with space\r");
        user.waits_for("✗ credentials_malformed");
        user.answers(KEY, &format!("{}\r", rotation.new));
    });
    assert_eq!(exit, 0, "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), rotation.new);
    let (exit, shown) = converse(&arguments, &[], |user| {
        for _ in 0..3 {
            user.answers(KEY, "nonsense:\r");
        }
    });
    assert_eq!(exit, 3, "three attempts are allowed: {shown}");
}

#[test]
fn it_shows_the_account_of_a_pair_that_still_works() {
    let rotation = Rotation::after_reset();
    let foreign = rotation.foreign();
    let (path, source) = rotation.file("pair", &rotation.new);
    let arguments = rotation.service.arguments(&["rotate", "--source", &source]);
    let mut next = String::new();
    let (exit, shown) = converse(&arguments, &[], |user| {
        user.answers(KEY, &format!("{foreign}\r"));
        user.waits_for("✗ wrong_account");
        // The user resets the pair in the dashboard while the command waits.
        let reset = rotation.service.control("POST", "reset", &json!({"account_id": 12345}));
        next = format!(
            "{}:{}",
            reset["api_key"].as_str().expect("a key"),
            reset["api_secret"].as_str().expect("a secret")
        );
        user.answers(KEY, &format!("{next}\r"));
    });
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("(account 12345, admin@yourcompany.com, Pro)"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), next);
}

#[test]
fn it_restores_the_terminal_when_the_user_cancels() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &source, "--expected-account", ACCOUNT]);
    for key in ["\u{3}", "half\u{3}", "\u{4}", "\u{1c}"] {
        let (exit, shown) = converse(&arguments, &[], |user| user.answers(KEY, key));
        assert!(
            exit == 1 && shown.contains("✗ cancelled") && shown.contains("Nothing was changed"),
            "{shown}"
        );
    }
    let (exit, shown) = converse(&arguments, &[], |user| {
        user.answers(KEY, "abc123def456\r");
        user.answers(SECRET, "\u{3}");
    });
    assert!(exit == 1 && shown.contains("✗ cancelled"), "{shown}");
    let (exit, shown) =
        converse(&rotation.service.arguments(&["rotate", "--source", &source]), &[], |user| {
            user.answers(KEY, &format!("{}\r", rotation.new));
            user.answers("(yes or no) [no]: ", "\n");
        });
    assert!(exit == 1 && shown.contains("✗ wrong_account"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), rotation.old());
}

#[test]
fn it_leaves_no_pasted_text_to_the_shell() {
    let rotation = Rotation::after_reset();
    let (_, source) = rotation.file("pair", &rotation.old());
    let (_, secret) = rotation.new_halves();
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &source, "--expected-account", ACCOUNT]);
    // `converse` verifies that no input is left.
    for (pasted, exit) in [(format!("{}\r{secret}\r", rotation.new), 0), (format!("\u{3}{secret}\r"), 1)] {
        let (ended, shown) = converse(&arguments, &[], |user| user.answers(KEY, &pasted));
        assert_eq!(ended, exit, "{shown}");
        assert!(!shown.contains(&secret[..6]), "{shown}");
    }
}

#[test]
fn it_prompts_and_reports_that_it_waits_with_json_too() {
    let rotation = Rotation::after_reset();
    let (_, source) = rotation.file("pair", &rotation.old());
    let with = ["rotate", "--source", &source, "--expected-account", ACCOUNT, "--json"];
    let (exit, shown) = converse(&rotation.service.arguments(&with), &[], |user| {
        user.answers(KEY, &format!("{}\r", rotation.new));
    });
    let line = shown.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    let json: Value = serde_json::from_str(line).expect("JSON");
    assert!(exit == 0 && json["written"] == true, "{shown}");

    let (store, _) = rotation.file("store.json", "{\"api_key\":\"a\",\"api_secret\":\"b\"}");
    let command = format!("command:cat {}", store.display());
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &command, "--expected-account", ACCOUNT]);
    let (key, secret) = rotation.new_halves();
    let (exit, shown) = converse(&arguments, &[("TERM", "xterm")], |user| {
        user.answers(KEY, &format!("{}\r", rotation.new));
        user.waits_for("waiting until the source contains the new pair …");
        let stored = json!({"api_key": key, "api_secret": secret}).to_string();
        std::fs::write(&store, stored).expect("the file");
    });
    assert_eq!(exit, 0, "{shown}");
}

#[test]
fn it_prompts_for_everything_that_a_first_pair_needs() {
    let rotation = Rotation::after_reset();
    let home = rotation.folder.path().to_str().expect("UTF-8");
    let (key, secret) = rotation.new_halves();
    let arguments = rotation.service.arguments(&["setup"]);
    let place = "Where should the pair be stored? (a file, or a source)";
    let language = "Code for which language? (python, c, c++, rust, curl) [python]: ";
    let usual = format!("{place} [{home}/.config/justcall/credentials.json]: ");
    for (answer, file) in [
        ("\n", ".config/justcall/credentials.json"),
        ("~/own.env\n", "own.env"),
        ("file:~/x/y.json\n", "x/y.json"),
    ] {
        let (exit, shown) = converse(&arguments, &[("HOME", home)], |user| {
            user.answers(&usual, answer);
            user.answers(language, "\n");
            user.answers(KEY, &format!("{key}\r"));
            user.answers(SECRET, &format!("{secret}\r"));
        });
        assert_eq!(exit, 0, "{shown}");
        for text in [
            "as an Admin or Owner, open Settings → API & Webhooks and click Generate API Key",
            "the secret is shown only once",
            "click Revoke next to the key and generate a new pair",
            "import justcall_auth\nclient = justcall_auth.Client(\"file:/",
        ] {
            assert!(shown.contains(text), "{text}: {shown}");
        }
        assert!(!shown.contains(&key[..8]) && !shown.contains(&secret[..8]), "{shown}");
        let source = format!("file:{}", rotation.folder.path().join(file).display());
        assert_eq!(rotation.verify(&source).exit, 0, "{file}");
    }
    let (exit, shown) = converse(&arguments, &[("HOME", home)], |user| {
        user.answers(place, "env:\n");
        user.answers(language, "cobol\n");
    });
    assert!(exit == 2 && shown.contains("python, c, c++, rust, curl."), "{shown}");
}
