//! Finds the names of values in tables: CSV, Markdown, and SQL statements.

use std::ops::Range;

use crate::name::{Name, Role};

/// The largest distance between a value and the names of the columns, in bytes, unless these are the first line of the text.
/// It is also the length of the longest line of a table.
const REACH: usize = 4096;
/// The longest name of a column, in bytes.
const LONGEST_NAME: usize = 40;
const DELIMITERS: &[u8] = b",;\t|";

/// Returns the name of the column of `value`.
pub(crate) fn name_of_column(text: &[u8], value: &Range<usize>) -> Option<Name> {
    column_of_lines(text, value).or_else(|| column_of_insert(text, value))
}

/// Whether `text` begins with a line of column names, one of which is the name of a JustCall secret. All lines after it then
/// belong to one table.
pub(crate) fn begins_with_ours(text: &[u8]) -> bool {
    let line = first_line(text);
    DELIMITERS.iter().filter(|delimiter| line.contains(delimiter)).any(|delimiter| {
        let names = names(line, *delimiter).unwrap_or_default();
        names.iter().filter_map(|name| Name::of(name)).any(|name| name.role == Role::Secret && name.is_ours)
    })
}

/// Finds the name in lines with one delimiter. The names are on the first line of the text or of the paragraph.
fn column_of_lines(text: &[u8], value: &Range<usize>) -> Option<Name> {
    let near = value.start.saturating_sub(REACH);
    let begin = match memchr::memrchr(b'\n', &text[near..value.start]) {
        Some(at) => near + at + 1,
        None if near == 0 => 0,
        None => return None,
    };
    let rest = &text[value.end..text.len().min(value.end + REACH)];
    let end = value.end + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let before = trimmed(&text[begin..value.start]).last().copied();
    let after = trimmed(&text[value.end..end]).first().copied();
    let delimiter = after.or(before).filter(|byte| DELIMITERS.contains(byte))?;
    if before.is_some_and(|before| before != delimiter) {
        return None;
    }
    let column = fields(&text[begin..value.start], delimiter).len() - 1;
    let columns = fields(trimmed_line(&text[begin..end]), delimiter).len();
    let paragraph = memchr::memmem::rfind(&text[near..begin], b"\n\n").map(|at| near + at + 2);
    let headings = [Some(0), paragraph].into_iter().flatten().filter(|heading| *heading < begin);
    headings.map(|heading| first_line(&text[heading..begin])).find_map(|line| {
        let names = names(line, delimiter).filter(|names| names.len() == columns)?;
        Name::of(names.get(column)?)
    })
}

/// Finds the name in `INSERT INTO table (columns) VALUES (values), …`.
fn column_of_insert(text: &[u8], value: &Range<usize>) -> Option<Name> {
    let near = &text[value.start.saturating_sub(REACH)..value.start];
    if !matches!(trimmed(near).last(), Some(b',' | b'(')) {
        return None;
    }
    let word = b"values";
    let at = near.windows(word.len()).rposition(|part| part.eq_ignore_ascii_case(word))?;
    let head = near[..at].trim_ascii_end().strip_suffix(b")")?;
    let open = memchr::memrchr(b'(', head)?;
    let names = names(&head[open + 1..], b',')?;
    Name::of(names.get(position_in_tuple(&near[at + word.len()..])?)?)
}

/// Returns how many values the open tuple at the end of `values` has before that end.
fn position_in_tuple(values: &[u8]) -> Option<usize> {
    let (mut depth, mut position, mut is_quoted) = (0_usize, 0, false);
    for byte in values {
        match byte {
            b'\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'(' => {
                depth += 1;
                position = if depth == 1 { 0 } else { position };
            }
            b')' => depth = depth.checked_sub(1)?,
            b',' if depth == 1 => position += 1,
            _ => {}
        }
    }
    (depth == 1).then_some(position)
}

/// Returns the names of the columns on `line`, or `None` if a part of it cannot be a name.
fn names(line: &[u8], delimiter: u8) -> Option<Vec<String>> {
    let copy = line.strip_prefix(b"COPY ").and_then(|rest| {
        let open = memchr::memchr(b'(', rest)?;
        let close = memchr::memchr(b')', rest)?;
        rest.get(open + 1..close)
    });
    let fields = copy.map_or_else(|| fields(trimmed_line(line), delimiter), |names| fields(names, b','));
    let name = |field: &[u8]| {
        let name = std::str::from_utf8(trimmed(field)).ok()?;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
        (name.len() <= LONGEST_NAME && name.chars().all(is_name)).then(|| name.to_owned())
    };
    fields.into_iter().map(name).collect()
}

/// Splits `line` at the delimiters outside quotes.
fn fields(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let mut is_quoted = false;
    let is_end = |byte: &u8| {
        is_quoted ^= *byte == b'"';
        *byte == delimiter && !is_quoted
    };
    line.split(is_end).collect()
}

fn first_line(text: &[u8]) -> &[u8] {
    let near = &text[..text.len().min(REACH)];
    let end = memchr::memchr(b'\n', near).unwrap_or(near.len());
    &near[..end]
}

fn trimmed_line(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns `text` without the quotes and blanks around it. A tab is a delimiter, not a blank.
fn trimmed(text: &[u8]) -> &[u8] {
    let is_around = |byte: &u8| matches!(byte, b' ' | b'\r' | b'"' | b'\'' | b'`' | b'*');
    let begin = text.iter().position(|byte| !is_around(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !is_around(byte)).map_or(begin, |at| at + 1);
    &text[begin..end]
}
