//! Replacement of the pair in the text of a source: the form and all other content stay.

use std::ops::Range;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::service;
use justcall_auth_secret::WipedBuffer;
use zeroize::Zeroizing;

use super::dotenv::{self, Assignment, COMPROMISED_VARIABLE};
use super::members::{Member, members};
use super::rewrite_check;
use super::text::{self, COMPROMISED, Form, HALVES, strip_newline};

/// The new content of a source.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    /// The pair.
    pub credentials: &'a Credentials,
    /// The creation time, in the format of RFC 3339. Only JSON can store it.
    pub created_at: &'a str,
    /// See [`LoadedPair::previous_compromised`](super::LoadedPair::previous_compromised). Only JSON and dotenv can
    /// store it.
    pub previous_compromised: bool,
}

impl Content<'_> {
    /// The file of a folder that stores [`Content::previous_compromised`]. It contains `true`, or does not exist.
    pub const COMPROMISED_FILE: &'static str = COMPROMISED;

    /// Returns `old` with this pair instead of its pair. The rest stays unchanged: other members of JSON, their order
    /// and layout; other variables of dotenv, comments, quotes, `export` and line breaks.
    ///
    /// # Errors
    /// Fails as [`Content::check`] does, or with `invalid_argument` if the pair cannot be written in that form.
    pub fn rewrite(&self, old: &[u8]) -> Result<WipedBuffer, Error> {
        Self::check(old)?;
        let text = match Form::of(old) {
            Form::Json => return self.rewrite_fields(old, HALVES),
            Form::Dotenv => apply(old, self.dotenv(old)),
            // [`Content::check`] has ensured that the line has no other content.
            Form::Line => {
                let line = 0..strip_newline(old).len();
                apply(old, vec![(line, self.credentials.expose_authorization(copy))])
            }
        };
        let read = text::parse(text.as_ref()).ok();
        match read.filter(|read| read.credentials.same_pair(self.credentials)) {
            Some(_) if rewrite_check::keeps_the_rest(old, text.as_ref()) => {
                // The next rotation must be able to replace this pair, too.
                Self::check(text.as_ref()).map_err(|_| not_writable())?;
                Ok(text)
            }
            _ => Err(not_writable()),
        }
    }

    /// Does the same for the JSON object `old` whose members `halves` are the key and the secret.
    pub(super) fn rewrite_fields(&self, old: &[u8], halves: [&str; 2]) -> Result<WipedBuffer, Error> {
        rewrite_check::check_fields(old, halves)?;
        let text = apply(old, self.json(old, halves)?);
        let read = text::parse_fields(text.as_ref(), halves).ok();
        match read.filter(|read| read.credentials.same_pair(self.credentials)) {
            Some(_) if rewrite_check::keeps_other_fields(old, text.as_ref(), halves) => Ok(text),
            _ => Err(not_writable()),
        }
    }

    /// Checks that the pair in `old` can be replaced and that no other content would be lost. Accepts one line that is
    /// not a pair.
    ///
    /// # Errors
    /// Fails with `credentials_malformed` and the line if `old` is not fully understood: invalid JSON, a byte order
    /// mark, lines that are not dotenv, open quotation marks, a half that is set twice, or other text that shells and
    /// dotenv libraries read differently.
    pub fn check(old: &[u8]) -> Result<(), Error> {
        rewrite_check::check(old)
    }

    /// Returns a new text with only this content.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if the pair cannot be written in that form.
    pub fn write(&self, form: Form) -> Result<WipedBuffer, Error> {
        let empty: &[u8] = match form {
            Form::Json => b"{\n  \"api_key\": \"\",\n  \"api_secret\": \"\"\n}\n",
            Form::Dotenv => b"JUSTCALL_API_KEY=\nJUSTCALL_API_SECRET=\n",
            Form::Line => b"\n",
        };
        self.rewrite(empty)
    }

    /// Passes the key and the secret to `read`. Do not let copies of them outlive the closure.
    pub fn expose_halves<R>(&self, read: impl FnOnce(&[u8], &[u8]) -> R) -> R {
        let secret = self.credentials.secret_at();
        self.credentials.expose_authorization(|pair| read(&pair[..secret - 1], &pair[secret..]))
    }

    fn json(&self, old: &[u8], [key_name, secret_name]: [&str; 2]) -> Result<Vec<Edit>, Error> {
        let json = rewrite_check::parse_json(old)?;
        let (key, secret) = self.expose_halves(|key, secret| (json_text(key), json_text(secret)));
        let created_at = json_text(self.created_at.as_bytes());
        let compromised = copy(if self.previous_compromised { b"true" } else { b"false" });
        let wanted = [
            (key_name, key, true),
            (secret_name, secret, true),
            ("created_at", created_at, true),
            (COMPROMISED, compromised, self.previous_compromised),
        ];
        let members = members(json);
        let mut edits = Vec::new();
        for (name, value, is_needed) in wanted {
            if let Some(member) = members.iter().find(|member| member.name == name) {
                edits.push((member.value.clone(), value));
            } else if is_needed {
                edits.push(append(json, &members, name, &value, edits.is_empty()));
            }
        }
        Ok(edits)
    }

    fn dotenv(&self, old: &[u8]) -> Vec<Edit> {
        let (key, secret) = self.expose_halves(|key, secret| (copy(key), copy(secret)));
        let compromised = copy(if self.previous_compromised { b"true" } else { b"false" });
        let wanted = [
            (service::KEY_VARIABLE, key, true),
            (service::SECRET_VARIABLE, secret, true),
            (COMPROMISED_VARIABLE, compromised, self.previous_compromised),
        ];
        let line_break: &[u8] = if old.windows(2).any(|two| two == b"\r\n") { b"\r\n" } else { b"\n" };
        let mut is_line_open = !old.is_empty() && !old.ends_with(b"\n");
        let mut edits = Vec::new();
        let lines = dotenv::read(old);
        for (name, value, is_needed) in wanted {
            if let Some(line) = lines.assignments.iter().find(|line| line.name == name.as_bytes()) {
                edits.push(assign(line, &value));
            } else if is_needed {
                let before: &[u8] = if is_line_open { line_break } else { b"" };
                let parts = [before, name.as_bytes(), b"=", &quoted(&value), line_break];
                edits.push((old.len()..old.len(), join(&parts)));
                is_line_open = false;
            }
        }
        edits
    }
}

fn not_writable() -> Error {
    Error::invalid_argument("The new pair cannot be written in the form of the existing text.")
        .with_hint("Write JSON instead: {\"api_key\": …, \"api_secret\": …}.")
}

/// A range of the old text, and the new text for it.
type Edit = (Range<usize>, Zeroizing<Vec<u8>>);

fn apply(old: &[u8], mut edits: Vec<Edit>) -> WipedBuffer {
    // The sort is stable, so that edits at one position stay in order.
    edits.sort_by_key(|(range, _)| range.start);
    let added: usize = edits.iter().map(|(_, new)| new.len()).sum();
    let removed: usize = edits.iter().map(|(range, _)| range.len()).sum();
    let mut text = WipedBuffer::with_capacity(old.len() + added - removed);
    let mut at = 0;
    for (range, new) in edits {
        text.push(&old[at..range.start]);
        text.push(&new);
        at = range.end;
    }
    text.push(&old[at..]);
    text
}

/// Appends a member in the layout of the last one.
fn append(json: &str, members: &[Member], name: &str, value: &[u8], is_first: bool) -> Edit {
    let (at, comma, space) = match members.last() {
        Some(last) => {
            let before = &json[..last.begin];
            (last.value.end, ",", &before[before.trim_end().len()..])
        }
        None => (json.find('{').map_or(0, |at| at + 1), if is_first { "" } else { "," }, ""),
    };
    let colon = if space.is_empty() { "\":" } else { "\": " };
    let head = [comma, space, "\"", name, colon].concat();
    (at..at, join(&[head.as_bytes(), value]))
}

/// Replaces the value of `line`. Keeps its quotes.
fn assign(line: &Assignment, value: &[u8]) -> Edit {
    if value.iter().copied().all(is_plain) {
        return (line.value.clone(), copy(value));
    }
    let around = usize::from(line.is_quoted);
    (line.value.start - around..line.value.end + around, quoted(value))
}

/// Returns `value` in quotes if a shell would change it otherwise.
fn quoted(value: &[u8]) -> Zeroizing<Vec<u8>> {
    if value.iter().copied().all(is_plain) {
        return copy(value);
    }
    let quote: &[u8] = if value.contains(&b'\'') { b"\"" } else { b"'" };
    join(&[quote, value, quote])
}

/// Returns true if a shell reads the byte unchanged outside quotes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:/@%+,".contains(&byte)
}

fn json_text(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = std::str::from_utf8(text).expect("a pair is ASCII, and so is a date");
    // The capacity suffices if every byte is escaped, because a buffer that grows leaves an unwiped copy.
    let mut json = Zeroizing::new(Vec::with_capacity(2 * text.len() + 2));
    serde_json::to_writer(&mut *json, text).expect("every text has a JSON form, and a Vec accepts all bytes");
    json
}

fn copy(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

fn join(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(parts.concat())
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::error::ErrorKind;
    use proptest::prelude::*;

    use super::*;

    const AT: &str = "2026-11-24T16:10:00Z";

    fn rewrite_with(old: &str, secret: &str, previous_compromised: bool) -> String {
        let credentials = Credentials::new(b"newkey123456", secret.as_bytes()).expect("a good pair");
        let content = Content { credentials: &credentials, created_at: AT, previous_compromised };
        let new = content.rewrite(old.as_bytes()).expect(old);
        String::from_utf8(new.as_ref().to_vec()).expect("UTF-8")
    }

    fn rewrite(old: &str) -> String {
        rewrite_with(old, "newsecret123", false)
    }

    #[test]
    fn it_keeps_the_members_of_json_their_order_and_its_layout() {
        assert_eq!(
            rewrite(
                "{\n    \"note\": \"{ours}\",\n    \"api_secret\": \"old\",\n    \"api_key\": \"o\", \"created_at\":\"2020-01-01T00:00:00Z\",\n    \"n\": 1.50\n}\n"
            ),
            "{\n    \"note\": \"{ours}\",\n    \"api_secret\": \"newsecret123\",\n    \"api_key\": \"newkey123456\", \"created_at\":\"2026-11-24T16:10:00Z\",\n    \"n\": 1.50\n}\n"
        );
        assert_eq!(
            rewrite("{\n  \"api_key\": \"a\",\n  \"api_secret\": \"b\"\n}"),
            "{\n  \"api_key\": \"newkey123456\",\n  \"api_secret\": \"newsecret123\",\n  \"created_at\": \"2026-11-24T16:10:00Z\"\n}"
        );
        assert_eq!(
            rewrite("{\"api_key\":\"a\",\"api_secret\":7}"),
            "{\"api_key\":\"newkey123456\",\"api_secret\":\"newsecret123\",\"created_at\":\"2026-11-24T16:10:00Z\"}"
        );
        assert_eq!(rewrite_with("{}", "a\"\\b", false).matches("a\\\"\\\\b").count(), 1);
    }

    #[test]
    fn it_keeps_the_lines_quotes_and_line_breaks_of_dotenv() {
        assert_eq!(
            rewrite(
                "# JUSTCALL_API_KEY=old\n\nexport JUSTCALL_API_KEY='a'\nOTHER=\"x y\"\nJUSTCALL_API_SECRET=\"b\""
            ),
            "# JUSTCALL_API_KEY=old\n\nexport JUSTCALL_API_KEY='newkey123456'\nOTHER=\"x y\"\nJUSTCALL_API_SECRET=\"newsecret123\""
        );
        assert_eq!(
            rewrite("JUSTCALL_API_KEY=a\r\nX=1"),
            "JUSTCALL_API_KEY=newkey123456\r\nX=1\r\nJUSTCALL_API_SECRET=newsecret123\r\n"
        );
        assert_eq!(
            rewrite_with("JUSTCALL_API_KEY=a\nJUSTCALL_API_SECRET=\"b\"\n", "a$b#c", false),
            "JUSTCALL_API_KEY=newkey123456\nJUSTCALL_API_SECRET='a$b#c'\n"
        );
    }

    #[test]
    fn it_keeps_one_line_as_one_line() {
        for end in ["", "\n", "\r\n"] {
            assert_eq!(rewrite(&format!("a:b{end}")), format!("newkey123456:newsecret123{end}"));
        }
    }

    #[test]
    fn it_stores_that_the_previous_pair_is_compromised_until_the_next() {
        for old in
            ["{\"api_key\": \"a\", \"api_secret\": \"b\"}", "JUSTCALL_API_KEY=a\nJUSTCALL_API_SECRET=b\n"]
        {
            let is_compromised = |text: &str| text::parse(text.as_bytes()).expect(text).previous_compromised;
            let compromised = rewrite_with(old, "newsecret123", true);
            assert!(is_compromised(&compromised), "{compromised}");
            assert_eq!(rewrite_with(&compromised, "newsecret123", true), compromised);
            assert!(!is_compromised(&rewrite(&compromised)), "{compromised}");
        }
        let line = rewrite_with("a:b", "newsecret123", true);
        assert_eq!(line, "newkey123456:newsecret123", "one line cannot store it");
    }

    #[test]
    fn it_changes_only_the_two_values() {
        for old in [
            "export JUSTCALL_API_KEY=OLDKEY JUSTCALL_API_SECRET=OLDSECRET OTHER=x\n",
            "JUSTCALL_API_SECRET=OLDSECRET JUSTCALL_API_KEY='OLDKEY' OTHER=x # note\n",
            "JUSTCALL_API_KEY=\"OLDKEY\"  # sales\nJUSTCALL_API_SECRET = OLDSECRET # a=b\n",
            "JUSTCALL_API_KEY='OLDKEY'# sales\r\nJUSTCALL_API_SECRET=OLDSECRET\t#\r\n",
            "NOTE=\"two\nlines # no remark\"\nJUSTCALL_API_KEY=OLDKEY\nGREETING=hello world\nJUSTCALL_API_SECRET=OLDSECRET",
            "export PATH\nNAME_ALONE\nX=${HOME}/bin:$(id -u)\nJUSTCALL_API_KEY=OLDKEY\n\n  JUSTCALL_API_SECRET=OLDSECRET  \n",
            "{\"other\":{\"api_key\":\"kept\"},\"created_at\":\"2026-11-24T16:10:00Z\",\"api_key\":\"OLDKEY\",\"api_secret\":\"OLDSECRET\",\"n\":1.50}",
        ] {
            let expected = old.replace("OLDKEY", "newkey123456").replace("OLDSECRET", "newsecret123");
            assert_eq!(rewrite(old), expected);
        }
    }

    #[test]
    fn it_refuses_invalid_json_and_does_not_repeat_it() {
        let credentials = Credentials::new(b"newkey123456", b"newsecret123").expect("a good pair");
        let content = Content { credentials: &credentials, created_at: AT, previous_compromised: false };
        let error = content.rewrite(b"{\"api_key\": canary").expect_err("no JSON");
        assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }

    #[test]
    fn it_refuses_a_pair_that_the_next_rotation_could_not_replace() {
        // On one line it looks like a reference of a password manager, which is never replaced.
        let credentials = Credentials::new(b"newkey123456", b"op://a/b/c").expect("a good pair");
        let content = Content { credentials: &credentials, created_at: AT, previous_compromised: false };
        let error = content.rewrite(b"abc123def456:sec789xyz000\n").expect_err("it would stay for ever");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        for old in ["{}", "JUSTCALL_API_KEY=abc123def456\nJUSTCALL_API_SECRET=sec789xyz000\n"] {
            let new = content.rewrite(old.as_bytes()).expect(old);
            content.rewrite(new.as_ref()).expect(old);
        }
    }

    #[test]
    fn it_writes_a_new_text_in_each_form() {
        let credentials = Credentials::new(b"newkey123456", b"newsecret123").expect("a good pair");
        let content = Content { credentials: &credentials, created_at: AT, previous_compromised: false };
        for form in [Form::Json, Form::Dotenv, Form::Line] {
            let text = content.write(form).expect("it can be written");
            assert_eq!(Form::of(text.as_ref()), form);
            assert!(text::parse(text.as_ref()).is_ok_and(|read| read.credentials.same_pair(&credentials)));
        }
    }

    proptest! {
        /// A pair of any bytes is read back from every form, or refused, and never changed.
        #[test]
        fn it_reads_back_every_pair(secret in "[!-~]{1,40}", quote in "['\"]?", compromised: bool) {
            let Ok(credentials) = Credentials::new(b"newkey123456", secret.as_bytes()) else { return Ok(()) };
            let content = Content { credentials: &credentials, created_at: AT, previous_compromised: compromised };
            for old in [
                "{\"x\": {\"api_key\": 1}, \"api_key\": \"a\"}".to_owned(),
                format!("JUSTCALL_API_SECRET={quote}old{quote}\nJUSTCALL_API_KEY=a\n"),
                "a:b\n".to_owned(),
            ] {
                if let Ok(new) = content.rewrite(old.as_bytes()) {
                    let read = text::parse(new.as_ref()).expect("it was checked");
                    prop_assert!(read.credentials.same_pair(&credentials));
                    prop_assert!(old == "a:b\n" || read.previous_compromised == compromised);
                } else {
                    prop_assert!(!old.starts_with('{'), "JSON can store every pair");
                }
            }
        }
    }
}
