//! Shows the progress of cargo, whose messages are also read.

use std::io::{self, BufReader, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Words of the messages that are read and not shown: rustc prints them for each static library.
const NOT_SHOWN: [&str; 2] = ["native-static-libs: ", "link against the following native artifacts"];

/// Runs cargo and shows its standard error as it comes. Returns that text without colours. Fails if cargo fails.
pub fn messages(cargo: &mut Command) -> Result<String> {
    if io::stderr().is_terminal() {
        // cargo draws no progress bar into a pipe unless these are set.
        cargo.env("CARGO_TERM_PROGRESS_WHEN", "always").env("CARGO_TERM_COLOR", "always");
        cargo.env("CARGO_TERM_PROGRESS_WIDTH", std::env::var_os("COLUMNS").unwrap_or_else(|| "80".into()));
    }
    let mut child = cargo.stderr(Stdio::piped()).spawn().context("cannot start cargo")?;
    let mut reader = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut all = Vec::new();
    loop {
        let begin = all.len();
        let count = chunk(&mut reader, &mut all)?;
        if count == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&all[begin..]);
        let is_shown = text != "\n" && !NOT_SHOWN.iter().any(|words| text.contains(words));
        if is_shown {
            io::stderr().write_all(&all[begin..])?;
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "cargo ended with {status}");
    Ok(without_colours(&String::from_utf8_lossy(&all)))
}

/// Removes the sequences that select colours or clear the line: from an escape character to a letter.
fn without_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    let after_letter = |part: &'_ str| {
        part.find(|letter: char| letter.is_ascii_alphabetic()).map_or(part.len(), |at| at + 1)
    };
    parts.fold(first, |plain, part| plain + &part[after_letter(part)..])
}

/// Appends a line, or a state of the progress bar, which ends with a carriage return. Returns its length.
fn chunk(reader: &mut impl io::BufRead, all: &mut Vec<u8>) -> Result<usize> {
    let mut count = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| matches!(byte, b'\r' | b'\n')).map(|at| at + 1);
        let length = end.unwrap_or(buffer.len());
        all.extend_from_slice(&buffer[..length]);
        reader.consume(length);
        count += length;
        if end.is_some() || length == 0 {
            return Ok(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{chunk, messages};

    #[test]
    fn it_splits_lines_and_states_of_a_progress_bar() {
        let (mut reader, mut all, mut lengths) =
            (&b"a line\nBuilding 1/2\rBuilding 2/2\rend"[..], Vec::new(), Vec::new());
        while let Ok(length @ 1..) = chunk(&mut reader, &mut all) {
            lengths.push(length);
        }
        assert_eq!(lengths, [7, 13, 13, 3]);
    }

    #[test]
    fn it_returns_what_it_does_not_show_and_fails_with_the_program() {
        let mut good = Command::new("sh");
        good.args([
            "-c",
            r"printf '\033[K\033[1m\033[92mnote\033[0m: native-static-libs: -lm -lc\033[0m\n' >&2",
        ]);
        assert_eq!(messages(&mut good).expect("it ends well"), "note: native-static-libs: -lm -lc\n");
        let error = messages(Command::new("sh").args(["-c", "exit 3"])).expect_err("it fails").to_string();
        assert!(error.contains("exit status: 3"), "{error}");
    }
}
