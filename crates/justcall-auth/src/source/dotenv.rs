//! Lines `NAME=value`, as shells and dotenv libraries read them.
//!
//! Shells and libraries agree on most files, but not on all. Reading a value needs only the lines that name it.
//! Changing a value needs more: the end of every value in the file. A [`Doubt`] marks a line that programs read
//! differently.

use std::ops::Range;

use justcall_auth_protocol::service::{KEY_VARIABLE, SECRET_VARIABLE};

/// The variable that states whether the previous pair is compromised.
pub(super) const COMPROMISED_VARIABLE: &str = "JUSTCALL_PREVIOUS_COMPROMISED";

/// A parsed file of such lines.
#[derive(Default)]
pub(super) struct Dotenv<'a> {
    pub assignments: Vec<Assignment<'a>>,
    /// The lines that are neither empty, nor comments, nor assignments.
    pub unread: Vec<Unread<'a>>,
    pub has_comments: bool,
    /// Lines in which the end of a value is uncertain, in the order of the lines.
    pub doubts: Vec<Doubt>,
}

/// One value and its name.
pub(super) struct Assignment<'a> {
    pub name: &'a [u8],
    /// The range of the value in the text, without its quotes.
    pub value: Range<usize>,
    /// True if there are quotes around the value, which are syntax.
    pub is_quoted: bool,
    /// The number of the line, from 1.
    pub line: usize,
    /// The reason why this value cannot be read.
    pub broken: Option<&'static str>,
    /// True if shells and dotenv libraries read different values.
    pub is_ambiguous: bool,
}

/// A line that is not an assignment.
pub(super) struct Unread<'a> {
    pub text: &'a [u8],
    /// The number of the line, from 1.
    pub line: usize,
}

/// The reason why a line is uncertain.
pub(super) struct Doubt {
    /// The number of the line, from 1.
    pub line: usize,
    pub why: &'static str,
}

const OPEN_QUOTE: &str = "its quotation mark is not closed";
const AFTER_QUOTE: &str = "there is more than a comment after its closing quotation mark";
const SEVERAL_LINES: &str = "its quotation marks are not on one line";
const NO_ASSIGNMENT: &str = "it is not a line NAME=value";
const CONTINUED: &str = "it ends with a backslash, so some programs join it with the next line";
const UNBALANCED: &str = "it has a quotation mark or bracket that is not closed on the line";
const ESCAPED_QUOTE: &str = "it has a backslash before a quotation mark";
const INSIDE_QUOTES: &str = "it names the key or secret inside the quotation marks of another variable";
const SHARED_LINE: &str =
    "it sets the key or secret after another variable, which some programs read as one value";
const CONTROL: &str = "it has a control character";

/// Characters that shells and dotenv libraries read differently outside quotes.
const SPECIAL: &[u8] = b"\\`$;&|<>()'\"";

/// Reads the lines of `text`.
pub(super) fn read(text: &[u8]) -> Dotenv<'_> {
    let mut reader = Reader { text, at: 0, end: 0, line: 0, found: Dotenv::default() };
    while reader.next_line() {
        reader.skip_blanks();
        match reader.rest().first() {
            None => {}
            Some(b'#') => reader.found.has_comments = true,
            Some(_) => reader.statement(),
        }
        reader.at = reader.end;
    }
    let mut found = reader.found;
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut doubt = |why| found.doubts.push(Doubt { line: index + 1, why });
        if line.ends_with(b"\\") {
            doubt(CONTINUED);
        }
        if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            doubt(CONTROL);
        }
    }
    found.doubts.sort_by_key(|doubt| doubt.line);
    found
}

/// Returns true if this library reads the variable.
pub(super) fn is_ours(name: &[u8]) -> bool {
    [KEY_VARIABLE, SECRET_VARIABLE, COMPROMISED_VARIABLE].iter().any(|ours| name == ours.as_bytes())
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The end of the line, before its line break.
    end: usize,
    /// The number of the line, from 1, or 0 before the first.
    line: usize,
    found: Dotenv<'a>,
}

impl<'a> Reader<'a> {
    /// Moves to the next line. Returns false if there is none.
    fn next_line(&mut self) -> bool {
        if self.line > 0 {
            let after = &self.text[self.end..];
            let after = after.strip_prefix(b"\r").unwrap_or(after);
            let Some(next) = after.strip_prefix(b"\n") else { return false };
            self.at = self.text.len() - next.len();
        }
        self.line += 1;
        self.find_end();
        true
    }

    /// Finds the end of the current line.
    fn find_end(&mut self) {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        self.end = self.at + rest[..end].strip_suffix(b"\r").map_or(end, <[u8]>::len);
    }

    /// Reads the assignments of a line, or of several lines if a quoted value spans them.
    fn statement(&mut self) {
        let line = self.line;
        let statement = self.rest();
        if let Some(rest) = statement.strip_prefix(b"export").filter(|rest| starts_blank(rest)) {
            self.at += statement.len() - rest.len();
            self.skip_blanks();
        }
        let mut first = None;
        while let Some((name, equals)) = self.name(first.is_none()) {
            self.at = equals.end;
            let is_spaced = equals.is_spaced || starts_blank(self.rest()) && !self.is_before_name();
            if is_ours(name) && first.is_some_and(|first| !is_ours(first)) {
                self.doubt(SHARED_LINE);
            }
            first.get_or_insert(name);
            self.value(name, is_spaced);
            if is_spaced || !starts_blank(self.rest()) {
                break;
            }
            self.skip_blanks();
        }
        let is_bare_name = |text: &[u8]| text.iter().all(|byte| is_name_byte(*byte) || is_blank(*byte));
        if first.is_none() {
            // A name without a value passes a variable on: `export NAME`, or a line of `docker run --env-file`.
            if !is_bare_name(self.rest()) {
                self.doubt(NO_ASSIGNMENT);
            }
            self.found.unread.push(Unread { text: statement, line });
        }
    }

    /// Reads a name and the equals sign after it.
    fn name(&self, may_be_spaced: bool) -> Option<(&'a [u8], Equals)> {
        let rest = self.rest();
        let length = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
        let blanks = rest[length..].iter().take_while(|byte| is_blank(**byte)).count();
        let is_assignment = length > 0 && rest.get(length + blanks) == Some(&b'=');
        let equals = Equals { end: self.at + length + blanks + 1, is_spaced: blanks > 0 };
        (is_assignment && (may_be_spaced || blanks == 0)).then(|| (&rest[..length], equals))
    }

    /// Reads the value after an equals sign. Stops after the value.
    fn value(&mut self, name: &'a [u8], is_spaced: bool) {
        let empty = self.at..self.at;
        if !is_spaced && starts_blank(self.rest()) {
            return self.push(name, empty, false, None);
        }
        self.skip_blanks();
        match self.rest().first() {
            Some(b'#') if is_spaced => self.push(name, empty, false, None),
            Some(quote @ (b'"' | b'\'')) => self.quoted(name, *quote, is_spaced),
            _ => self.unquoted(name, is_spaced),
        }
    }

    fn quoted(&mut self, name: &'a [u8], quote: u8, is_spaced: bool) {
        let begin = self.at + 1;
        let Some(end) = closing(&self.text[begin..], quote).map(|length| begin + length) else {
            self.doubt(OPEN_QUOTE);
            let raw = self.at..self.end;
            self.at = raw.end;
            return self.push(name, raw, false, Some(OPEN_QUOTE));
        };
        let value = &self.text[begin..end];
        let lines = value.split(|byte| *byte == b'\n').count() - 1;
        if quote == b'\'' && value.ends_with(b"\\") {
            self.doubt(ESCAPED_QUOTE);
        }
        if lines > 0 && names_ours(value) {
            self.doubt(INSIDE_QUOTES);
        }
        self.at = end + 1;
        self.find_end();
        let mut broken = (lines > 0).then_some(SEVERAL_LINES);
        let after = self.rest().trim_ascii_start();
        let is_last = after.is_empty() || after.starts_with(b"#");
        if !is_last && (is_spaced || !self.is_before_name()) {
            self.doubt(AFTER_QUOTE);
            broken = broken.or(Some(AFTER_QUOTE));
            self.at = self.end;
        }
        self.push(name, begin..end, true, broken);
        self.line += lines;
    }

    fn unquoted(&mut self, name: &'a [u8], is_spaced: bool) {
        let (begin, rest) = (self.at, self.rest());
        let word = rest.iter().position(|byte| is_blank(*byte)).unwrap_or(rest.len());
        self.at = begin + word;
        let after = rest[word..].trim_ascii_start();
        let is_word = after.is_empty() || after.starts_with(b"#") || !is_spaced && self.is_before_name();
        if !is_word {
            // Dotenv libraries read the rest of the line; a shell runs it as a command.
            let comment = rest.windows(2).position(|two| is_blank(two[0]) && two[1] == b'#');
            self.at = begin + rest[..comment.unwrap_or(rest.len())].trim_ascii_end().len();
            if is_ours(name) {
                self.doubt(NO_ASSIGNMENT);
            }
        }
        if is_open(&self.text[begin..self.at]) {
            self.doubt(UNBALANCED);
        }
        self.push(name, begin..self.at, false, None);
    }

    /// Returns true if blanks and another assignment follow, as a shell allows on one line.
    fn is_before_name(&self) -> bool {
        let mut after = Reader { found: Dotenv::default(), ..*self };
        after.skip_blanks();
        after.at > self.at && after.name(false).is_some()
    }

    fn push(&mut self, name: &'a [u8], value: Range<usize>, is_quoted: bool, broken: Option<&'static str>) {
        let quote = is_quoted.then(|| self.text[value.start - 1]);
        let is_ambiguous = is_ambiguous(&self.text[value.clone()], quote);
        let line = self.line;
        self.found.assignments.push(Assignment { name, value, is_quoted, line, broken, is_ambiguous });
    }

    fn doubt(&mut self, why: &'static str) {
        self.found.doubts.push(Doubt { line: self.line, why });
    }

    /// Returns the rest of the line.
    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..self.end]
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().iter().take_while(|byte| is_blank(**byte)).count();
    }
}

/// The equals sign after a name.
struct Equals {
    end: usize,
    /// True if blanks precede it, which shells do not allow.
    is_spaced: bool,
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn starts_blank(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| is_blank(*byte))
}

/// Returns true if `text` contains the name of a variable that this library reads.
pub(super) fn names_ours(text: &[u8]) -> bool {
    text.split(|byte| !is_name_byte(*byte)).any(is_ours)
}

/// Returns the length of the quoted text at the start of `text`.
fn closing(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Returns true if shells and dotenv libraries read different values.
fn is_ambiguous(value: &[u8], quote: Option<u8>) -> bool {
    match quote {
        None => value.iter().any(|byte| SPECIAL.contains(byte)),
        Some(b'\'') => [b"\\\\", b"${"].iter().any(|two| value.windows(2).any(|found| found == *two)),
        Some(_) => value.iter().any(|byte| b"\\`$".contains(byte)),
    }
}

/// Returns true if a shell would continue after the line: a quotation mark, a bracket or a backtick is open.
fn is_open(value: &[u8]) -> bool {
    let (mut quote, mut brackets, mut at) = (None, 0_usize, 0);
    while let Some(byte) = value.get(at) {
        match (*byte, quote) {
            (b'\\', None | Some(b'"')) => at += 1,
            (byte, Some(open)) if byte == open => quote = None,
            (b'"' | b'\'' | b'`', None) => quote = Some(*byte),
            (b'(' | b'{', None) => brackets += 1,
            (b')' | b'}', None) => brackets = brackets.saturating_sub(1),
            // The start of a here-document.
            (b'<', None) if value.get(at + 1) == Some(&b'<') => return true,
            _ => {}
        }
        at += 1;
    }
    quote.is_some() || brackets > 0 || at > value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_range_of_each_value() {
        let text = b"# A=comment\nexport A='one'\r\n\nB=two\nno-name=3\nC=\"\"\nD='\nE=";
        let found: Vec<(&str, &str, bool)> = read(text)
            .assignments
            .into_iter()
            .map(|line| {
                let as_text = |bytes| std::str::from_utf8(bytes).expect("ASCII");
                (as_text(line.name), as_text(&text[line.value]), line.is_quoted)
            })
            .collect();
        assert_eq!(
            found,
            [("A", "one", true), ("B", "two", false), ("C", "", true), ("D", "'", false), ("E", "", false)]
        );
    }
}
