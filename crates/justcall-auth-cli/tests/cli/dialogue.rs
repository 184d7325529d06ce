//! The commands that ask a person: what is typed is not shown, and the terminal is as before.
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

/// How long a step may take before the test gives up.
const HANG: Duration = Duration::from_secs(60);

/// Somebody at a terminal, and all that it has shown.
struct Person {
    typing: File,
    terminal: File,
    reading: Receiver<Vec<u8>>,
    shown: String,
    /// How much of it has been answered.
    answered: usize,
}

impl Person {
    fn sits_down() -> Self {
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

    /// Waits until `words` are shown, after what was answered last.
    fn sees(&mut self, words: &str) {
        while !self.shown[self.answered..].contains(words) {
            let bytes = self
                .reading
                .recv_timeout(HANG)
                .unwrap_or_else(|_| panic!("no {words:?} in {:?}", self.shown));
            self.shown.push_str(&String::from_utf8_lossy(&bytes).replace("\r\n", "\n"));
        }
    }

    fn answers(&mut self, words: &str, text: &str) {
        self.sees(words);
        self.answered = self.shown.len();
        self.typing.write_all(text.as_bytes()).expect("it takes keys");
    }

    /// How many bytes of what was typed the next program at the terminal gets: a shell would run and remember them.
    fn leaves(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.terminal).expect("a terminal")
    }

    /// Whether the terminal shows what is typed, line by line, and turns Ctrl-C into a signal.
    fn is_usual(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }
}

/// Runs the command at a terminal, with `talk` as the person there: exit code and all that was shown.
fn converse(arguments: &[&str], variables: &[(&str, &str)], talk: impl FnOnce(&mut Person)) -> (i32, String) {
    let mut person = Person::sits_down();
    assert!(person.is_usual());
    let handle = || person.terminal.try_clone().expect("a handle");
    let mut child = command(arguments, variables)
        .stdin(handle())
        .stdout(handle())
        .stderr(handle())
        .spawn()
        .expect("it starts");
    talk(&mut person);
    let status = child.wait().expect("it ends");
    // A mark of our own at the end of all that it wrote.
    (&person.terminal).write_all(b"[end]").expect("it shows");
    person.sees("[end]");
    assert!(person.is_usual(), "the terminal is as it was: {}", person.shown);
    assert_eq!(person.leaves(), 0, "nothing that was typed is left: {}", person.shown);
    (status.code().expect("no signal ended it"), person.shown)
}

const KEY: &str = "API key (what you type or paste is not shown): ";
const SECRET: &str = "API secret: ";

#[test]
fn it_asks_for_the_new_pair_without_showing_it() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let (key, secret) = rotation.new_halves();
    let arguments = rotation.service.arguments(&["rotate", "--source", &source]);
    let (exit, shown) = converse(&arguments, &[], |person| {
        person.sees(KEY);
        assert!(!person.is_usual(), "it is mute while it asks");
        // A slip of the hand is taken back, or the line begun anew.
        person.answers(KEY, &format!("wrong\u{15}{key}xy\u{7f}\u{8}\r"));
        person.answers(SECRET, &format!("{secret}\r"));
        person.answers("Is that the right account? (yes or no) [no]: ", "yes\n");
    });
    assert_eq!(exit, 0, "{shown}");
    for told in [
        "Settings → API & Webhooks. Click Revoke next to the key, then Generate API Key.",
        "as an Admin or Owner",
        "shown only once",
        "(yes or no) [no]: yes\n",
        "The service accepts the pair",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(!shown.contains(&key[..8]), "the hint alone: {shown}");
    assert!(!shown.contains(&secret[..6]) && !shown.contains("wrong"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), rotation.new);
}

#[test]
fn it_takes_a_pair_that_is_pasted_whole_and_asks_again_after_a_slip() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let (key, _) = rotation.new_halves();
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &source, "--expected-account", ACCOUNT]);
    let (exit, shown) = converse(&arguments, &[], |person| {
        person.answers(KEY, &format!("{key}:{}\r", "0".repeat(40)));
        person.sees("✗ invalid_credentials");
        person.answers(KEY, &format!("{key}\r"));
        person.answers(SECRET, "with space\r");
        person.sees("✗ credentials_malformed");
        person.answers(KEY, &format!("{}\r", rotation.new));
    });
    assert_eq!(exit, 0, "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), rotation.new);
    let (exit, shown) = converse(&arguments, &[], |person| {
        for _ in 0..3 {
            person.answers(KEY, "nonsense:\r");
        }
    });
    assert_eq!(exit, 3, "three times are enough: {shown}");
}

#[test]
fn it_knows_the_account_of_a_pair_that_still_works_when_it_begins() {
    let rotation = Rotation::after_reset();
    let foreign = rotation.foreign();
    let (path, source) = rotation.file("pair", &rotation.new);
    let arguments = rotation.service.arguments(&["rotate", "--source", &source]);
    let mut next = String::new();
    let (exit, shown) = converse(&arguments, &[], |person| {
        person.answers(KEY, &format!("{foreign}\r"));
        person.sees("✗ wrong_account");
        // Reset while it waits, as a person does in the dashboard.
        let reset = rotation.service.control("POST", "reset", &json!({"account_id": 12345}));
        next = format!(
            "{}:{}",
            reset["api_key"].as_str().expect("a key"),
            reset["api_secret"].as_str().expect("a secret")
        );
        person.answers(KEY, &format!("{next}\r"));
    });
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("(account 12345, admin@yourcompany.com, Pro)"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), next);
}

#[test]
fn it_leaves_the_terminal_as_it_was_when_it_is_ended() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &source, "--expected-account", ACCOUNT]);
    for key in ["\u{3}", "half\u{3}", "\u{4}", "\u{1c}"] {
        let (exit, shown) = converse(&arguments, &[], |person| person.answers(KEY, key));
        assert!(
            exit == 1 && shown.contains("✗ cancelled") && shown.contains("Nothing was changed"),
            "{shown}"
        );
    }
    let (exit, shown) = converse(&arguments, &[], |person| {
        person.answers(KEY, "abc123def456\r");
        person.answers(SECRET, "\u{3}");
    });
    assert!(exit == 1 && shown.contains("✗ cancelled"), "{shown}");
    let (exit, shown) =
        converse(&rotation.service.arguments(&["rotate", "--source", &source]), &[], |person| {
            person.answers(KEY, &format!("{}\r", rotation.new));
            person.answers("(yes or no) [no]: ", "\n");
        });
    assert!(exit == 1 && shown.contains("✗ wrong_account"), "{shown}");
    assert_eq!(std::fs::read_to_string(path).expect("the file"), rotation.old());
}

#[test]
fn it_leaves_nothing_of_what_was_pasted_to_the_shell() {
    let rotation = Rotation::after_reset();
    let (_, source) = rotation.file("pair", &rotation.old());
    let (_, secret) = rotation.new_halves();
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &source, "--expected-account", ACCOUNT]);
    // `converse` sees what is left in the end.
    for (pasted, exit) in [(format!("{}\r{secret}\r", rotation.new), 0), (format!("\u{3}{secret}\r"), 1)] {
        let (ended, shown) = converse(&arguments, &[], |person| person.answers(KEY, &pasted));
        assert_eq!(ended, exit, "{shown}");
        assert!(!shown.contains(&secret[..6]), "{shown}");
    }
}

#[test]
fn it_says_that_it_waits_and_asks_in_json_too() {
    let rotation = Rotation::after_reset();
    let (_, source) = rotation.file("pair", &rotation.old());
    let with = ["rotate", "--source", &source, "--expected-account", ACCOUNT, "--json"];
    let (exit, shown) = converse(&rotation.service.arguments(&with), &[], |person| {
        person.answers(KEY, &format!("{}\r", rotation.new));
    });
    let line = shown.lines().find(|line| line.starts_with('{')).expect("a line of JSON");
    let json: Value = serde_json::from_str(line).expect("JSON");
    assert!(exit == 0 && json["written"] == true, "{shown}");

    let (store, _) = rotation.file("store.json", "{\"api_key\":\"a\",\"api_secret\":\"b\"}");
    let command = format!("command:cat {}", store.display());
    let arguments =
        rotation.service.arguments(&["rotate", "--source", &command, "--expected-account", ACCOUNT]);
    let (key, secret) = rotation.new_halves();
    let (exit, shown) = converse(&arguments, &[("TERM", "xterm")], |person| {
        person.answers(KEY, &format!("{}\r", rotation.new));
        person.sees("waiting until the source serves the new pair …");
        let stored = json!({"api_key": key, "api_secret": secret}).to_string();
        std::fs::write(&store, stored).expect("the file");
    });
    assert_eq!(exit, 0, "{shown}");
}

#[test]
fn it_asks_for_all_that_a_first_pair_needs() {
    let rotation = Rotation::after_reset();
    let home = rotation.folder.path().to_str().expect("UTF-8");
    let (key, secret) = rotation.new_halves();
    let arguments = rotation.service.arguments(&["setup"]);
    let place = "Where shall the pair be kept? (a file, or a source)";
    let language = "Lines for which language? (python, c, c++, rust, curl) [python]: ";
    let usual = format!("{place} [{home}/.config/justcall/credentials.json]: ");
    for (answer, file) in [
        ("\n", ".config/justcall/credentials.json"),
        ("~/own.env\n", "own.env"),
        ("file:~/x/y.json\n", "x/y.json"),
    ] {
        let (exit, shown) = converse(&arguments, &[("HOME", home)], |person| {
            person.answers(&usual, answer);
            person.answers(language, "\n");
            person.answers(KEY, &format!("{key}\r"));
            person.answers(SECRET, &format!("{secret}\r"));
        });
        assert_eq!(exit, 0, "{shown}");
        for told in [
            "as an Admin or Owner, open Settings → API & Webhooks and click Generate API Key",
            "the secret is shown only once",
            "click Revoke next to the key and generate a new pair",
            "import justcall_auth\nclient = justcall_auth.Client(\"file:/",
        ] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert!(!shown.contains(&key[..8]) && !shown.contains(&secret[..8]), "{shown}");
        let source = format!("file:{}", rotation.folder.path().join(file).display());
        assert_eq!(rotation.verify(&source).exit, 0, "{file}");
    }
    let (exit, shown) = converse(&arguments, &[("HOME", home)], |person| {
        person.answers(place, "env:\n");
        person.answers(language, "cobol\n");
    });
    assert!(exit == 2 && shown.contains("python, c, c++, rust, curl."), "{shown}");
}
