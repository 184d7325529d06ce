//! Every format in which a source holds a pair, and the spellings of sources.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::Path;

use justcall_auth::source::{Content, Environment, Form, LoadedPair, read_text};
use justcall_auth::{Credentials, Error, ErrorKind, Source, test_parsers};
use tempfile::TempDir;

use crate::Target;
use crate::disclosure::{check_hidden, contains};
use crate::input::Input;
use crate::seeds;

pub const TARGET: Target = Target {
    name: "sources",
    about: "JSON, dotenv, one line, the environment, a folder, a command's output and an answer of Vault: reading is \
            repeatable and agrees between the ways to read a text, an accepted pair is the one that `serde_json` finds \
            and reads back after it was written in each form, and no message contains eight bytes of the content.",
    check,
    seeds,
    tokens: &[
        "JUSTCALL_API_KEY=",
        "JUSTCALL_API_SECRET=",
        "JUSTCALL_PREVIOUS_COMPROMISED=",
        "export ",
        "\n",
        "\r\n",
        "#",
        "'",
        "\"",
        "\\",
        "$",
        "`",
        "{",
        "}",
        "\"api_key\":",
        "\"api_secret\":",
        "\"created_at\":",
        "\"previous_compromised\":",
        "true",
        "false",
        "null",
        "2026-11-24T16:10:00Z",
        "api_key: ",
        "[default]",
        "\u{feff}",
        "\u{0}",
        "{\"data\":{\"data\":",
        "\"metadata\":{\"version\":1}",
        "env:",
        "file:",
        "dir:",
        "systemd:",
        "command:",
        "vault:",
        "?scrub",
        "?key=",
        "&secret=",
        "?auth=approle",
        "abc123def456:sec789xyz000",
        "- ",
        "let ",
        "set ",
    ],
};

/// The kinds of input, by the first byte.
const KINDS: [fn(&mut Input); 6] = [text, environment, folder, command, vault, spelling];

fn seeds() -> Vec<Vec<u8>> {
    let good = b"abc123def456\0sec789xyz000";
    let vault = br#"{"data":{"data":{"api_key":"abc123def456","api_secret":"sec789xyz000"},"metadata":{"version":3}}}"#;
    let spellings = seeds::texts(&seeds::vectors("source"), "/source");
    let mut all = seeds::after(&[0], seeds::source_files());
    all.extend([[&[1], &good[..]].concat(), [&[2], &good[..], &b"\0true"[..]].concat()]);
    all.extend(seeds::after(
        &[3],
        seeds::source_files().into_iter().filter(|text| text.starts_with(b"{")).collect(),
    ));
    all.extend([
        [&[4, 0], &vault[..]].concat(),
        [&[4, 1], &br#"{"errors":["permission denied"]}"#[..]].concat(),
        [&[4, 8], &br#"{"errors":["Vault is sealed"]}"#[..]].concat(),
        [&[4, 11], &vault[..]].concat(),
    ]);
    all.extend(seeds::after(&[5], spellings));
    all
}

fn check(data: &[u8]) {
    let mut input = Input::new(data);
    KINDS[input.below(KINDS.len())](&mut input);
}

/// A text of a file.
fn text(input: &mut Input) {
    let text = input.rest();
    let read = read_text(text);
    let again = read_text(text);
    assert_eq!(shown(&read), shown(&again), "reading is not repeatable");
    let loaded = in_folder(|folder| {
        let path = folder.join("pair");
        fs::write(&path, text).expect("a file in a temporary folder");
        Source::File(path).load(&Variables::default()).map(|loaded| loaded.pair)
    });
    match (&read, &loaded) {
        (Ok(read), Ok(loaded)) => check_accepted(read, loaded, text),
        (Err(read), Err(loaded)) if text.len() <= 64 * 1024 => {
            assert_eq!((read.kind(), read.reason()), (loaded.kind(), loaded.reason()));
            assert_eq!(read.kind(), ErrorKind::CredentialsMalformed);
        }
        (_, Err(loaded)) if text.len() > 64 * 1024 => assert_eq!(loaded.kind(), ErrorKind::SourceUnavailable),
        other => panic!("the text and the file differ: {other:?}"),
    }
    check_hidden(text, |text| shown(&read_text(text)));
}

fn check_accepted(read: &Credentials, loaded: &LoadedPair, text: &[u8]) {
    assert!(read.same_pair(&loaded.credentials));
    if text.trim_ascii_start().starts_with(b"{") {
        let json: serde_json::Value = serde_json::from_slice(text).expect("it was accepted as JSON");
        let half = |name: &str| json[name].as_str().expect("it was accepted");
        assert!(is_pair(read, half("api_key").as_bytes(), half("api_secret").as_bytes()));
        assert_eq!(loaded.previous_compromised, json["previous_compromised"] == true);
        assert_eq!(loaded.created_at.is_some(), json["created_at"].is_string());
    }
    for form in [Form::Json, Form::Dotenv, Form::Line] {
        let content = Content {
            credentials: read,
            created_at: "2026-11-24T16:10:00Z",
            previous_compromised: loaded.previous_compromised,
        };
        match content.write(form) {
            Ok(written) => assert!(read_text(written.as_ref()).expect("it was written").same_pair(read)),
            Err(error) => {
                assert!(form != Form::Json && error.kind() == ErrorKind::InvalidArgument, "{error:?}");
            }
        }
    }
}

/// Two environment variables.
fn environment(input: &mut Input) {
    let (key, secret) = (input.field(), input.field());
    let value = |half: &[u8]| OsString::from_vec(half.to_vec());
    let variables =
        Variables(HashMap::from([("JUSTCALL_API_KEY", value(key)), ("JUSTCALL_API_SECRET", value(secret))]));
    let loaded =
        Source::parse("env:").expect("a spelling").load(&variables).map(|loaded| loaded.pair.credentials);
    check_halves(&loaded, key, secret);
}

/// A folder with two files, and perhaps a third one.
fn folder(input: &mut Input) {
    let (key, secret, compromised) = (input.field(), input.field(), input.field());
    let loaded = in_folder(|folder| {
        let write = |name: &str, text: &[u8]| fs::write(folder.join(name), text).expect("a temporary folder");
        write("api_key", key);
        write("api_secret", secret);
        write("previous_compromised", compromised);
        let source =
            Source::Dir { path: folder.to_owned(), key: "api_key".into(), secret: "api_secret".into() };
        source.load(&Variables::default())
    });
    match &loaded {
        Err(error) if error.message().contains("previous_compromised") => {
            assert!(!matches!(without_line_break(compromised), b"true" | b"false"));
            assert!(Credentials::new(without_line_break(key), without_line_break(secret)).is_ok());
        }
        Ok(loaded) => {
            assert_eq!(loaded.pair.previous_compromised, without_line_break(compromised) == b"true");
        }
        Err(_) => {}
    }
    if matches!(without_line_break(compromised), b"true" | b"false") {
        check_halves(&loaded.map(|loaded| loaded.pair.credentials), key, secret);
    }
}

/// Checks a pair that was read from two separate halves.
fn check_halves(loaded: &Result<Credentials, Error>, key: &[u8], secret: &[u8]) {
    let [key_half, secret_half] = [key, secret].map(without_line_break);
    match loaded {
        Ok(credentials) => assert!(is_pair(credentials, key_half, secret_half)),
        Err(error) if error.kind() == ErrorKind::CredentialsMissing => {
            assert!(key_half.is_empty() && secret_half.is_empty());
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
            Credentials::new(key_half, secret_half).expect_err("the halves are refused");
        }
    }
    check_hidden(secret, |secret| shown(&Credentials::new(key_half, without_line_break(secret))));
    let error = loaded.as_ref().err().map(|error| format!("{error} {error:?}")).unwrap_or_default();
    check_hidden(secret, |_| error.clone());
}

/// The JSON that a command printed.
fn command(input: &mut Input) {
    let output = input.rest();
    let read = test_parsers::command_output(output);
    if let Ok(pair) = &read {
        let of_text = read_text(output).expect("JSON is a form of a file, too");
        assert!(of_text.same_pair(&pair.credentials));
    }
    let shown = |output: &[u8]| shown(&test_parsers::command_output(output).map(|pair| pair.credentials));
    check_hidden(output, shown);
}

/// An answer of Vault: a status, then a body or a whole response.
fn vault(input: &mut Input) {
    const SOURCE: &str = "vault:https://vault.example:8200/kv/justcall";
    let status = input.pick(&[200, 403, 404, 400, 412, 429, 472, 500, 503, 301, 204, 0]);
    let rest = input.rest();
    if status == 0 {
        return response(rest);
    }
    let read = |body: &[u8]| test_parsers::vault_answer(SOURCE, status, body);
    let result = read(rest);
    if let Ok(pair) = &result {
        assert_eq!(status, 200);
        let json: serde_json::Value = serde_json::from_slice(rest).expect("it was accepted as JSON");
        let half = |name: &str| json["data"]["data"][name].as_str().expect("it was accepted").as_bytes();
        assert!(is_pair(&pair.credentials, half("api_key"), half("api_secret")));
    }
    let is_standby = [&b"not active"[..], b"no active", b"standby"].iter().any(|words| contains(rest, words));
    let is_sealed = status == 503 && contains(rest, b"sealed") && !is_standby;
    let reason = result.as_ref().err().and_then(Error::reason);
    assert_eq!(reason == Some("vault_sealed"), is_sealed, "{reason:?}");
    check_hidden(rest, |body| shown(&read(body).map(|pair| pair.credentials)));
}

/// A response of Vault as bytes. A response that is complete stays so, whatever follows it. Any bytes can be a body.
fn response(bytes: &[u8]) {
    let read = |bytes: &[u8], has_ended| {
        test_parsers::vault_response(bytes, has_ended)
            .ok()
            .map(|found| found.map(|(status, body)| (status, body.as_ref().to_vec())))
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
    assert_eq!(read(&[head.as_bytes(), bytes].concat(), false), Some(Some((200, bytes.to_vec()))));
    let whole = read(bytes, false);
    if let Some(Some(found)) = &whole {
        assert!(found.0 >= 200, "an interim response");
        assert_eq!(read(bytes, true).as_ref(), Some(&Some(found.clone())));
        assert_eq!(
            read(&[bytes, b"HTTP/1.1 500 Next\r\n"].concat(), false).as_ref(),
            Some(&Some(found.clone()))
        );
    }
    if whole.is_none() {
        assert!(read(bytes, true).is_none(), "it is no HTTP, whatever follows");
    }
}

/// The spelling of a source, which may be a pair by mistake.
fn spelling(input: &mut Input) {
    let Ok(spelling) = std::str::from_utf8(input.rest()) else { return };
    let parsed = Source::parse(spelling);
    match &parsed {
        Ok(source) => {
            let again = Source::parse(spelling).map(|again| format!("{again:?}"));
            assert_eq!(again.ok(), Some(format!("{source:?}")));
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidArgument),
    }
    let is_command = |source: &Source| matches!(source, Source::Command(_));
    if let Some(line) = spelling.strip_prefix("command:").filter(|_| parsed.as_ref().is_ok_and(is_command)) {
        // The arguments may contain a secret. The first word is the program. Only these characters separate words in a
        // shell.
        let blanks = [' ', '\t', '\n'];
        let arguments = line.trim_start_matches(blanks).split_once(blanks).map_or("", |(_, rest)| rest);
        if !line.contains(['\'', '"', '\\']) {
            check_hidden(arguments.as_bytes(), |_| format!("{parsed:?}"));
        }
    }
    if parsed.is_err() {
        check_hidden(spelling.as_bytes(), |text| {
            let error = Source::parse(&String::from_utf8_lossy(text)).err();
            error.map(|error| format!("{error} {error:?} {}", error.hint())).unwrap_or_default()
        });
    }
}

/// Returns everything that the product shows about a read.
fn shown(read: &Result<Credentials, Error>) -> String {
    let hint = read.as_ref().err().map(|error| format!("{error} {}", error.hint())).unwrap_or_default();
    format!("{read:?} {hint}")
}

fn is_pair(credentials: &Credentials, key: &[u8], secret: &[u8]) -> bool {
    credentials.expose_authorization(|header| header == [key, b":", secret].concat())
}

fn without_line_break(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")).unwrap_or(text)
}

/// Calls `work` with a folder that this thread uses for every input.
fn in_folder<R>(work: impl FnOnce(&Path) -> R) -> R {
    thread_local! {
        static FOLDER: TempDir = tempfile::tempdir().expect("a temporary folder");
    }
    FOLDER.with(|folder| work(folder.path()))
}

/// An environment that is no part of the process.
#[derive(Default)]
struct Variables(HashMap<&'static str, OsString>);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).cloned()
    }
}
