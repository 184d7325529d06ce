//! `file:`: one file with JSON, dotenv lines or a `key:secret` line.

use std::io;
use std::path::Path;

use justcall_auth_protocol::error::Error;

use super::failure::{malformed_in, unavailable};
use super::regular_file::read;
use super::{LoadedSource, shown, text};

pub(super) fn load(path: &Path) -> Result<LoadedSource, Error> {
    let place = format!("The file {}", shown(path));
    let bytes = read(path).map_err(|error| unreadable(&place, path, &error))?;
    let pair = text::parse(bytes.as_ref()).map_err(|error| malformed_in(&place, &error))?;
    let files = vec![path.to_owned()];
    Ok(LoadedSource { watched: files.clone(), files, ..LoadedSource::new(pair, place) })
}

/// Returns the error for a file that cannot be read, with a hint.
pub(super) fn unreadable(place: &str, path: &Path, error: &io::Error) -> Error {
    let result = unavailable(place, error);
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            result.with_hint("Make the user of this process the owner of the file, and run chmod 0600.")
        }
        io::ErrorKind::NotFound if path.starts_with("~") => {
            result.with_hint("Write the absolute path. A ~ is not expanded in a source.")
        }
        io::ErrorKind::NotFound => result.with_hint(
            "Create the file with one line `key:secret`, with dotenv lines JUSTCALL_API_KEY=… and JUSTCALL_API_SECRET=…, or with JSON {\"api_key\": …, \"api_secret\": …}.",
        ),
        _ if path.is_dir() => result.with_hint("Use dir:PATH, because the path is a folder."),
        _ => result,
    }
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::credentials::Credentials;
    use justcall_auth_protocol::error::ErrorKind;

    use super::super::regular_file::MAX_FILE;
    use super::*;

    fn load_text(text: &[u8]) -> Result<Credentials, Error> {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("pair");
        std::fs::write(&path, text).expect("the test's file");
        load(&path).map(|loaded| loaded.pair.credentials)
    }

    #[test]
    fn it_reads_all_three_forms() {
        for good in [
            "abc123def456:sec789xyz000",
            "abc123def456:sec789xyz000\n",
            "abc123def456:sec789xyz000\r\n",
            "{\"api_key\": \"abc123def456\", \"api_secret\": \"sec789xyz000\", \"created_at\": \"2026-11-24T00:00:00Z\"}\n",
            "# ours\n\nexport JUSTCALL_API_KEY='abc123def456'\nJUSTCALL_API_SECRET=\"sec789xyz000\"\nOTHER=1\n",
            "JUSTCALL_API_KEY=abc123def456\r\nJUSTCALL_API_SECRET=sec789xyz000\r\n",
            "JUSTCALL_API_KEY = abc123def456\nJUSTCALL_API_SECRET= sec789xyz000 # note\n",
            "\texport\tJUSTCALL_API_KEY=\"abc123def456\"  # note\n JUSTCALL_API_SECRET='sec789xyz000'# note\n",
            "export JUSTCALL_API_KEY=abc123def456 JUSTCALL_API_SECRET='sec789xyz000' OTHER=x\n",
            "NOTE='JUSTCALL_API_KEY=other\nJUSTCALL_API_KEY=other'\nJUSTCALL_API_KEY=abc123def456\nJUSTCALL_API_SECRET=sec789xyz000",
            "NOTE=it's\nJUSTCALL_API_KEY=abc123def456 \nJUSTCALL_API_SECRET=sec789xyz000\n",
        ] {
            let pair = load_text(good.as_bytes()).expect(good);
            assert!(pair.expose_authorization(|header| header == b"abc123def456:sec789xyz000"), "{good:?}");
        }
    }

    #[test]
    fn it_reads_when_a_pair_was_created() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("pair");
        let json = "{\"api_key\": \"abc123def456\", \"api_secret\": \"sec789xyz000\", \"created_at\": \"2024-03-21T17:08:22Z\"}";
        std::fs::write(&path, json).expect("the test's file");
        let created_at = load(&path).expect("a pair").pair.created_at;
        assert_eq!(created_at, Some(std::time::Duration::from_secs(1_711_040_902)));
    }

    #[test]
    fn it_reports_what_is_wrong_with_a_file_but_never_its_content() {
        for (bad, reason) in [
            ("", Some("empty_half")),
            ("canary7f3a1", Some("empty_half")),
            ("canary7f3a1:sec789xyz000 \n", Some("trailing_whitespace")),
            ("canary7f3a1:sec789xyz000\n\n", Some("trailing_whitespace")),
            ("\u{feff}canary7f3a1:sec789xyz000\n", Some("byte_order_mark")),
            ("JUSTCALL_API_KEY=canary7f3a1\n", Some("empty_half")),
            (
                "JUSTCALL_API_KEY=canary7f3a1\nJUSTCALL_API_SECRET=sec789xyz000 note\n",
                Some("inner_whitespace"),
            ),
            (
                "{\"api_key\": \"canary7f3a1\", \"api_secret\": \"sec789xyz000\", \"created_at\": \"yesterday\"}",
                None,
            ),
            ("{\"api_key\": \"canary7f3a1\"}", None),
            ("{\"api_key\": \"canary7f3a1\", \"api_secret\": 7}", None),
            ("{\"api_key\": \"canary7f3a1\", \"api_secret\": ", None),
        ] {
            let error = load_text(bad.as_bytes()).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::CredentialsMalformed, "{bad:?}");
            if reason.is_some() {
                assert_eq!(error.reason(), reason, "{bad:?}");
            }
            assert!(error.message().contains("The file "), "{error}");
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    /// Returns the reason, and the line number in the message.
    fn refusal(text: &str) -> (&'static str, Option<usize>) {
        let error = load_text(text.as_bytes()).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::CredentialsMalformed, "{text:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{text:?}: {error:?}");
        assert!(error.message().len() < 300, "{error}");
        let line = error.message().split(": line ").nth(1).and_then(|rest| rest.split(':').next());
        (error.reason().unwrap_or_default(), line.map(|line| line.parse().expect("a number")))
    }

    #[test]
    fn it_names_the_line_with_another_name_of_a_half() {
        for (text, line) in [
            ("api_key: canary7f3a1\napi_secret: sec789xyz000\n", 1),
            ("justcall:\n  api_key: canary7f3a1\n  api_secret: sec789xyz000\n", 2),
            ("environment:\n  - JUSTCALL_API_KEY=canary7f3a1\n  - JUSTCALL_API_SECRET=sec789xyz000\n", 2),
            ("\"api_key\": \"canary7f3a1\",\n\"api_secret\": \"sec789xyz000\"\n", 1),
            ("api_key: canary7f3a1", 1),
            ("JUSTCALL_API_KEY: canary7f3a1\nJUSTCALL_API_SECRET: sec789xyz000", 1),
            ("# ours\nAPI_KEY=canary7f3a1\nAPI_SECRET=sec789xyz000\n", 2),
            ("JUSTCALL_API_KEY=canary7f3a1\nAPI_SECRET=sec789xyz000\n", 2),
            ("justcall_api_key=canary7f3a1\njustcall_api_secret=sec789xyz000\n", 1),
            ("[justcall]\napi_key = canary7f3a1\napi_secret = sec789xyz000\n", 2),
            ("set JUSTCALL_API_KEY canary7f3a1\nset JUSTCALL_API_SECRET sec789xyz000\n", 1),
            ("setenv JUSTCALL_API_KEY canary7f3a1\n", 1),
            ("$env:JUSTCALL_API_KEY = \"canary7f3a1\"\n$env:JUSTCALL_API_SECRET = \"sec789xyz000\"\n", 1),
            ("API Key: canary7f3a1\nAPI Secret: sec789xyz000\n", 1),
            ("PORT=1\nHOST=canary\n", 1),
            ("# nothing but a remark\n", 1),
        ] {
            assert_eq!(refusal(text), ("source_unparsable", Some(line)), "{text:?}");
        }
    }

    #[test]
    fn it_names_the_line_of_a_value_that_programs_read_differently() {
        for (text, line) in [
            ("JUSTCALL_API_SECRET=sec789xyz000\nJUSTCALL_API_KEY=\"canary7f3a1\n", 2),
            ("JUSTCALL_API_KEY='canary7f3a1\nJUSTCALL_API_SECRET='sec789xyz000\n", 1),
            ("JUSTCALL_API_KEY=\"canary7f3a1\"x\nJUSTCALL_API_SECRET=sec789xyz000\n", 1),
            ("JUSTCALL_API_KEY=canary7f3a1\nJUSTCALL_API_SECRET=sec789\\xyz000\n", 2),
            ("JUSTCALL_API_KEY=canary7f3a1;\nJUSTCALL_API_SECRET=sec789xyz000\n", 1),
            ("JUSTCALL_API_KEY=canary7f3a1\nJUSTCALL_API_SECRET=\"sec789$xyz000\"\n", 2),
            ("JUSTCALL_API_KEY=canary7f3a1\nJUSTCALL_API_SECRET=sec789xyz000\\\n", 2),
        ] {
            assert_eq!(refusal(text), ("source_unparsable", Some(line)), "{text:?}");
        }
    }

    #[test]
    fn it_finds_invisible_characters_at_the_start_and_in_names() {
        let dotenv = "JUSTCALL_API_KEY=canary7f3a1\nJUSTCALL_API_SECRET=sec789xyz000\n";
        let json = "{\"api_key\": \"canary7f3a1\", \"api_secret\": \"sec789xyz000\"}";
        for text in [dotenv, json, "canary7f3a1:sec789xyz000"] {
            assert_eq!(refusal(&format!("\u{feff}{text}")).0, "byte_order_mark", "{text}");
            let utf_16 = |mark: &str, bytes: fn(u16) -> [u8; 2]| {
                let text = format!("{mark}{text}");
                let bytes: Vec<u8> = text.encode_utf16().flat_map(bytes).collect();
                load_text(&bytes).expect_err("UTF-16").reason()
            };
            for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
                assert_eq!(utf_16("\u{feff}", bytes), Some("byte_order_mark"), "{text}");
                assert_eq!(utf_16("", bytes), Some("source_unparsable"), "{text}");
            }
        }
        for (text, reason) in [
            (dotenv.replace("API_KEY", "API_\u{200b}KEY"), "zero_width"),
            (dotenv.replace("JUSTCALL_API_SECRET", "\u{2060}JUSTCALL_API_SECRET"), "zero_width"),
            (dotenv.replace("KEY=", "KEY\u{a0}="), "no_break_space"),
            (dotenv.replace("JUSTCALL_API_SECRET", "\u{feff}JUSTCALL_API_SECRET"), "byte_order_mark"),
            (json.replace("api_secret", "api\u{200d}_secret"), "zero_width"),
            (json.replace("api_key", "api_key\\u200b"), "zero_width"),
        ] {
            assert_eq!(refusal(&text), (reason, None), "{text:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_does_not_wait_for_the_writer_of_a_pipe() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(load(&pipe).map(drop)));
        let result = receiver.recv_timeout(std::time::Duration::from_secs(10)).expect("the read hangs");
        assert_eq!(result.expect_err("no file").kind(), ErrorKind::SourceUnavailable);
    }

    #[test]
    fn it_reports_why_a_file_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let error = load(&folder.path().join("absent")).expect_err("absent");
        assert_eq!(error.kind(), ErrorKind::SourceUnavailable);
        let error = load(folder.path()).expect_err("a folder");
        assert!(error.message().contains("not a regular file"), "{error}");
        let error = load_text(&vec![b'a'; MAX_FILE + 1]).expect_err("too large");
        assert!(error.message().contains("64 KiB"), "{error}");
    }

    #[test]
    fn it_recommends_what_makes_a_file_readable() {
        let hint =
            |path: &Path, kind: io::ErrorKind| unreadable("The file", path, &kind.into()).hint().to_owned();
        let file = Path::new("/absent/pair");
        assert!(hint(file, io::ErrorKind::PermissionDenied).contains("chmod 0600"));
        assert!(hint(file, io::ErrorKind::NotFound).contains("key:secret"));
        assert!(hint(Path::new("~/pair"), io::ErrorKind::NotFound).contains("absolute path"));
        assert!(hint(Path::new("/"), io::ErrorKind::Other).contains("dir:PATH"));
    }
}
