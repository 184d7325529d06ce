//! Checks whether the pair in a text can be replaced without losing other content. Text that is not fully understood is
//! refused.

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::diagnose::{self, Code};
use justcall_auth_protocol::error::Error;
use serde_json::Value;

use super::dotenv::{self, Assignment};
use super::failure::malformed;
use super::members::{Member, members};
use super::misnamed;
use super::text::{self, COMPROMISED, Form, HALVES, strip_newline};

/// Checks `old`, see [`Content::check`](super::Content::check).
pub(super) fn check(old: &[u8]) -> Result<(), Error> {
    let bare = old.strip_prefix(BYTE_ORDER_MARK).unwrap_or(old);
    match Form::of(bare) {
        Form::Json | Form::Dotenv if bare.len() < old.len() => {
            Err(not_rewritable("it begins with a byte order mark, which is invisible"))
        }
        Form::Json => check_fields(bare, HALVES),
        Form::Dotenv => check_dotenv(bare),
        Form::Line if is_one_line(bare) => Ok(()),
        Form::Line => Err(not_rewritable("it is neither JSON, nor dotenv lines, nor one line key:secret")),
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Returns the error for a text whose pair cannot be replaced.
fn not_rewritable(why: &str) -> Error {
    add_hint(&malformed(why))
}

fn add_hint(error: &Error) -> Error {
    error.clone().with_hint(
        "Write the new pair to the file by hand, or remove the file and run `justcall-auth setup`.",
    )
}

/// Returns `old` as text if it is valid JSON.
pub(super) fn parse_json(old: &[u8]) -> Result<&str, Error> {
    let broken =
        |line, column| not_rewritable(&format!("it is not valid JSON (line {line}, column {column})"));
    let mut parsed = serde_json::from_slice(old).map_err(|error| broken(error.line(), error.column()))?;
    text::wipe(&mut parsed);
    std::str::from_utf8(old).map_err(|_| broken(1, 1))
}

/// Returns the JSON members that this library reads, of which `halves` are the key and the secret.
fn own_members([key, secret]: [&str; 2]) -> [&str; 4] {
    [key, secret, "created_at", COMPROMISED]
}

/// Checks the JSON object `old` whose members `halves` are the key and the secret.
pub(super) fn check_fields(old: &[u8], halves: [&str; 2]) -> Result<(), Error> {
    let json = parse_json(old)?;
    let members = members(json);
    for name in own_members(halves) {
        let mut present = members.iter().filter(|member| member.name == name);
        let is_nested = |member: &Member| json[member.value.clone()].starts_with(['{', '[']);
        if present.next().is_some_and(is_nested) {
            return Err(not_rewritable(&format!("its `{name}` is an object or a list")));
        }
        if present.next().is_some() {
            return Err(not_rewritable(&format!("it has `{name}` twice")));
        }
    }
    Ok(())
}

fn check_dotenv(old: &[u8]) -> Result<(), Error> {
    let lines = dotenv::read(old);
    let refuse = |line: usize, why: &str| Err(not_rewritable(&format!("line {line}: {why}")));
    if let Some(doubt) = lines.doubts.first() {
        return refuse(doubt.line, doubt.why);
    }
    let mut seen = Vec::new();
    for line in lines.assignments.iter().filter(|line| dotenv::is_ours(line.name)) {
        if seen.contains(&line.name) {
            return refuse(line.line, "it sets the same variable as an earlier line");
        }
        seen.push(line.name);
        if let Some(why) = line.broken {
            return refuse(line.line, why);
        }
        if line.is_ambiguous {
            return refuse(line.line, text::AMBIGUOUS);
        }
    }
    // A half under another name would keep the old pair.
    if seen.len() < 2 { misnamed::refuse(&lines).map_err(|error| add_hint(&error)) } else { Ok(()) }
}

/// Returns true if `text` is at most one line with only a pair, or with a text that was pasted instead of one.
fn is_one_line(text: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(text.trim_ascii()) else { return false };
    if line.contains(char::is_control) {
        return false;
    }
    // A reference of a password manager can have the form of a pair.
    !line.contains("://") && (Credentials::parse(strip_newline(text)).is_ok() || !has_other_content(line))
}

/// Returns true if `line`, which is not a pair, may contain something to keep: a remark, a setting, a reference.
fn has_other_content(line: &str) -> bool {
    let is_prose = || line.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    let has_scheme =
        || diagnose::text(line.as_bytes(), None).iter().any(|found| found.code() == Code::SchemePrefix);
    let is_several_words = line.contains(char::is_whitespace) && !is_prose() && !has_scheme();
    line.contains(['#', '='])
        || line.contains("</")
        || line.contains("$(")
        || line.starts_with(['[', '/', '@', '.', '~'])
        || is_several_words
        || misnamed::refuse(&dotenv::read(line.as_bytes())).is_err()
}

/// Returns true if `old` and `new` differ only in the pair, and nothing in `new` is uncertain.
pub(super) fn keeps_the_rest(old: &[u8], new: &[u8]) -> bool {
    match Form::of(old) {
        Form::Line => true,
        Form::Json => keeps_other_fields(old, new, HALVES),
        Form::Dotenv => {
            let (before, after) = (dotenv::read(old), dotenv::read(new));
            let others = |line: &&Assignment| !dotenv::is_ours(line.name);
            let rest =
                before.assignments.iter().filter(others).map(|line| (line.name, &old[line.value.clone()]));
            let kept =
                after.assignments.iter().filter(others).map(|line| (line.name, &new[line.value.clone()]));
            after.doubts.is_empty() && rest.eq(kept)
        }
    }
}

/// Returns true if the JSON objects `old` and `new` differ only in the pair, whose members are `halves`.
pub(super) fn keeps_other_fields(old: &[u8], new: &[u8], halves: [&str; 2]) -> bool {
    let rest = |text: &[u8]| {
        let mut json: Value = serde_json::from_slice(text).unwrap_or_default();
        for mut ours in own_members(halves).iter().filter_map(|name| json.as_object_mut()?.remove(*name)) {
            text::wipe(&mut ours);
        }
        json
    };
    let (mut old, mut new) = (rest(old), rest(new));
    let is_same = old == new;
    text::wipe(&mut old);
    text::wipe(&mut new);
    is_same
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::error::ErrorKind;

    use super::super::Content;
    use super::*;

    #[test]
    fn it_refuses_a_file_that_it_does_not_fully_understand_and_names_the_line() {
        const PAIR: &str = "JUSTCALL_API_KEY=canary1\nJUSTCALL_API_SECRET=canary2\n";
        for (before, after, line) in [
            ("DIR=C:\\temp\\\n", "", 1),
            ("# remark \\\n", "", 1),
            ("NOTE=it's\n", "", 1),
            ("A=1\nNOTE=\"JUSTCALL_API_KEY=canary\n", "", 2),
            ("NOTE='see\nJUSTCALL_API_KEY=canary\n'\n", "", 1),
            ("NOTE='a\\'\n", "", 1),
            ("NOTE=\"a\"b\n", "", 1),
            ("[prod]\n", "", 1),
            ("if true; then\n", "fi\n", 1),
            ("LIST=(\n", ")\n", 1),
            ("NOW=$(\n", ")\n", 1),
            ("NOW=`date\n", "`\n", 1),
            ("X=<<END\n", "END\n", 1),
            ("OTHER=x JUSTCALL_API_KEY=canary\n", "", 1),
            ("A\u{1}=1\n", "", 1),
            ("A=1\rB=2\n", "", 1),
            ("", PAIR, 3),
            ("", "JUSTCALL_API_SECRET=canary\n", 3),
            ("", "NOTE=\"open\n", 3),
        ] {
            let old = format!("{before}{PAIR}{after}");
            refuses(&old, &format!("line {line}: "));
        }
        for (old, why) in [
            ("JUSTCALL_API_KEY=canary1 more\nJUSTCALL_API_SECRET=canary2\n", "line 1: "),
            ("JUSTCALL_API_KEY=\"canary1\" more\nJUSTCALL_API_SECRET=canary2\n", "line 1: "),
            ("JUSTCALL_API_KEY=canary1\nJUSTCALL_API_SECRET=can;ary\n", "line 2: "),
            ("JUSTCALL_API_KEY=canary1\nJUSTCALL_API_SECRET='canary\n2'\n", "line 2: "),
            ("PORT=1\nAPI_KEY=canary1\nAPI_SECRET=canary2\n", "line 2: "),
            ("JUSTCALL_API_KEY=canary1\nAPI_SECRET=canary2\n", "line 2: "),
            ("{\"api_key\":\"canary1\",\"api_key\":\"canary2\",\"api_secret\":\"canary\"}", "twice"),
            ("{\"api_key\":\"canary1\",\"api_\\u0073ecret\":\"1\",\"api_secret\":\"canary\"}", "twice"),
            ("{\"api_key\":{\"prod\":\"canary1\"},\"api_secret\":\"canary\"}", "an object"),
            ("{\"api_key\":\"a\",\"api_secret\":[\"canary\"]}", "a list"),
            ("# nothing but canary\n\napi_key: canary\n", "neither"),
            ("canary:sec789xyz000 # sales\n", "neither"),
            ("machine api.justcall.io login canary password sec789xyz000\n", "neither"),
            ("api_key: canary\n", "neither"),
            ("source ./canary.sh\n", "neither"),
            ("op://canary/justcall/key\n", "neither"),
            ("<key>canary</key>\n", "neither"),
        ] {
            refuses(old, why);
        }
    }

    #[test]
    fn it_accepts_a_name_inside_quotation_marks_on_one_line() {
        const PAIR: &str = "JUSTCALL_API_KEY=canary1\nJUSTCALL_API_SECRET=canary2\n";
        for note in ["NOTE=\"see JUSTCALL_API_KEY=a\"\n", "NOTE='see JUSTCALL_API_SECRET'\n"] {
            check(format!("{note}{PAIR}").as_bytes()).expect(note);
        }
    }

    fn refuses(old: &str, why: &str) {
        let error = check(old.as_bytes()).expect_err(old);
        assert_eq!(error.kind(), ErrorKind::CredentialsMalformed, "{old:?}");
        assert!(error.message().contains(why) && error.message().len() < 300, "{old:?}: {error}");
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        let credentials = Credentials::new(b"newkey123456", b"newsecret123").expect("a good pair");
        let created_at = "2026-11-24T16:10:00Z";
        let content = Content { credentials: &credentials, created_at, previous_compromised: false };
        content.rewrite(old.as_bytes()).expect_err(old);
    }
}
