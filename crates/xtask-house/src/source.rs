//! Splits a file into code, comments and literals.

use std::path::Path;

/// The language of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceLanguage {
    Rust,
    /// C and C++.
    C,
    Python,
    Markdown,
}

impl SourceLanguage {
    /// Returns the language that the file's extension names, or `None` if it names none of these.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "rs" => Some(Self::Rust),
            "c" | "h" | "cpp" | "hpp" => Some(Self::C),
            "py" | "pyi" => Some(Self::Python),
            "md" => Some(Self::Markdown),
            _ => None,
        }
    }
}

/// The text of a comment or literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The line of the first character, from 1.
    pub line: usize,
    pub text: String,
}

/// The parts of a file.
#[derive(Debug)]
pub struct SourceParts {
    /// The text with a space for every character of a comment or literal, so that line numbers stay the same.
    pub code: String,
    /// The comments, documentation included. In Python also texts in three quotes, in Markdown everything but code blocks.
    pub comments: Vec<Piece>,
    /// The texts of literals, without quotes.
    pub strings: Vec<Piece>,
}

impl SourceParts {
    /// Splits `text`.
    pub fn read(language: SourceLanguage, text: &str) -> Self {
        if language == SourceLanguage::Markdown {
            return markdown(text);
        }
        let mut reader = SourceReader {
            letters: text.chars().collect(),
            at: 0,
            line: 1,
            source: Self { code: String::new(), comments: Vec::new(), strings: Vec::new() },
        };
        while reader.at < reader.letters.len() {
            reader.next(language);
        }
        reader.source
    }
}

fn markdown(text: &str) -> SourceParts {
    let mut in_block = false;
    let mut source = SourceParts { code: String::new(), comments: Vec::new(), strings: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        if !in_block && !is_fence {
            source.comments.push(Piece { line: index + 1, text: line.to_owned() });
        }
    }
    source
}

/// Whether a character can be part of a name.
fn in_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// A comment or literal at the reader's position.
struct Span {
    is_comment: bool,
    /// The number of characters before its text.
    opening: usize,
    /// The index after its last character.
    end: usize,
    /// The number of characters after its text.
    closing: usize,
}

fn comment(opening: usize, end: usize, closing: usize) -> Span {
    Span { is_comment: true, opening, end, closing }
}

fn string(opening: usize, end: usize, closing: usize) -> Span {
    Span { is_comment: false, opening, end, closing }
}

struct SourceReader {
    letters: Vec<char>,
    at: usize,
    line: usize,
    source: SourceParts,
}

impl SourceReader {
    fn next(&mut self, language: SourceLanguage) {
        let span = match language {
            SourceLanguage::Python => self.python(),
            SourceLanguage::Rust => self.rust(),
            SourceLanguage::C => self.c(),
            SourceLanguage::Markdown => None,
        };
        match span {
            Some(span) => self.take(&span),
            None => self.keep(),
        }
    }

    /// Returns the comment or literal of Rust at this position, if there is one.
    fn rust(&self) -> Option<Span> {
        let span = match self.letters[self.at] {
            '/' if self.is("//") => comment(2, self.line_end(), 0),
            '/' if self.is("/*") => comment(2, self.nested_end(), 2),
            '"' => string(1, self.quoted_end(self.at + 1, '"'), 1),
            'r' if !self.follows_name() || self.follows_prefix() => {
                let hashes = self.letters[self.at + 1..].iter().take_while(|letter| **letter == '#').count();
                if self.letters.get(self.at + 1 + hashes) != Some(&'"') {
                    return None;
                }
                let closing: String = std::iter::once('"').chain("#".repeat(hashes).chars()).collect();
                let end = self.find(self.at + hashes + 2, &closing) + closing.len();
                string(hashes + 2, end, closing.len())
            }
            // Any other apostrophe begins a lifetime.
            '\'' if self.letters.get(self.at + 1) == Some(&'\\')
                || self.letters.get(self.at + 2) == Some(&'\'') =>
            {
                string(1, self.quoted_end(self.at + 1, '\''), 1)
            }
            _ => return None,
        };
        Some(span)
    }

    fn c(&self) -> Option<Span> {
        let span = match self.letters[self.at] {
            '/' if self.is("//") => comment(2, self.line_end(), 0),
            '/' if self.is("/*") => comment(2, self.find(self.at + 2, "*/") + 2, 2),
            '"' => string(1, self.quoted_end(self.at + 1, '"'), 1),
            // After a digit, an apostrophe is a digit separator.
            '\'' if !self.follows_name() || self.follows_prefix() => {
                string(1, self.quoted_end(self.at + 1, '\''), 1)
            }
            _ => return None,
        };
        Some(span)
    }

    fn python(&self) -> Option<Span> {
        let quote = self.letters[self.at];
        let span = match quote {
            '#' => comment(1, self.line_end(), 0),
            '"' | '\'' if self.is(&quote.to_string().repeat(3)) => {
                let end = self.find(self.at + 3, &quote.to_string().repeat(3)) + 3;
                comment(3, end, 3)
            }
            '"' | '\'' => string(1, self.quoted_end(self.at + 1, quote), 1),
            _ => return None,
        };
        Some(span)
    }

    fn is(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, letter)| self.letters.get(self.at + index) == Some(&letter))
    }

    fn follows_name(&self) -> bool {
        self.at > 0 && in_name(self.letters[self.at - 1])
    }

    /// Whether the character before is the prefix of a literal, such as `b`, `c` or `L`.
    fn follows_prefix(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map(|at| self.letters[at]);
        matches!(before(1), Some('b' | 'c' | 'L' | 'u' | 'U')) && !before(2).is_some_and(in_name)
    }

    fn line_end(&self) -> usize {
        self.find(self.at, "\n")
    }

    /// Returns the index of `text` from `from` on, or the end of the file.
    fn find(&self, from: usize, text: &str) -> usize {
        let text: Vec<char> = text.chars().collect();
        let is_here = |at: &usize| self.letters[*at..].starts_with(&text);
        (from.min(self.letters.len())..self.letters.len()).find(is_here).unwrap_or(self.letters.len())
    }

    /// Returns the end of a Rust comment, which may contain others.
    fn nested_end(&self) -> usize {
        let mut depth = 0_usize;
        let mut at = self.at;
        while at < self.letters.len() {
            let here = &self.letters[at..];
            if here.starts_with(&['/', '*']) {
                depth += 1;
                at += 2;
            } else if here.starts_with(&['*', '/']) {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            } else {
                at += 1;
            }
        }
        at
    }

    /// Returns the index after the quote that closes a literal.
    fn quoted_end(&self, from: usize, quote: char) -> usize {
        let mut at = from;
        while let Some(letter) = self.letters.get(at) {
            match letter {
                '\\' => at += 1,
                letter if *letter == quote => return at + 1,
                _ => {}
            }
            at += 1;
        }
        self.letters.len()
    }

    /// Adds a comment or literal, and spaces to the code.
    fn take(&mut self, span: &Span) {
        let length = self.letters.len();
        let begin = (self.at + span.opening).min(length);
        let text = &self.letters[begin..(span.end - span.closing).clamp(begin, length)];
        let piece = Piece { line: self.line, text: text.iter().collect() };
        let pieces = if span.is_comment { &mut self.source.comments } else { &mut self.source.strings };
        pieces.push(piece);
        let end = span.end.min(length);
        for letter in &self.letters[self.at..end] {
            self.line += usize::from(*letter == '\n');
            self.source.code.push(if *letter == '\n' { '\n' } else { ' ' });
        }
        self.at = end;
    }

    /// Adds a character to the code.
    fn keep(&mut self) {
        let letter = self.letters[self.at];
        self.line += usize::from(letter == '\n');
        self.source.code.push(letter);
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pieces: &[Piece]) -> Vec<(usize, &str)> {
        pieces.iter().map(|piece| (piece.line, piece.text.as_str())).collect()
    }

    #[test]
    fn it_separates_code_comments_and_literals_of_rust() {
        let text = "let a = \"x // \\\" y\"; // one\n/* two /* three */ four */ fn b<'a>(c: &'a u8) -> char { '\"' }\n\
                    let d = br#\"raw \"quoted\"\"#; let e = b'\\''; let for_ = r\"f\";\n/// doc's\nuse g;\n";
        let source = SourceParts::read(SourceLanguage::Rust, text);
        assert_eq!(texts(&source.comments), [(1, " one"), (2, " two /* three */ four "), (4, "/ doc's")]);
        let strings = [(1, "x // \\\" y"), (2, "\""), (3, "raw \"quoted\""), (3, "\\'"), (3, "f")];
        assert_eq!(texts(&source.strings), strings);
        assert_eq!(source.code.lines().nth(4), Some("use g;"));
        assert!(source.code.contains("fn b<'a>(c: &'a u8) -> char {"), "{}", source.code);
        assert_eq!(source.code.chars().count(), text.chars().count());
    }

    #[test]
    fn it_separates_code_comments_and_literals_of_c() {
        let text = "int a = 1'000; /* one\n two */ char b = '\"'; // three\nchar *c = \"/* four */\";\n";
        let source = SourceParts::read(SourceLanguage::C, text);
        assert_eq!(texts(&source.comments), [(1, " one\n two "), (2, " three")]);
        assert_eq!(texts(&source.strings), [(2, "\""), (3, "/* four */")]);
    }

    #[test]
    fn it_counts_docstrings_of_python_and_prose_of_markdown_as_comments() {
        let python = SourceParts::read(SourceLanguage::Python, "\"\"\"One's.\"\"\"\na = '# two'  # three\n");
        assert_eq!(texts(&python.comments), [(1, "One's."), (2, " three")]);
        assert_eq!(texts(&python.strings), [(2, "# two")]);
        let markdown = SourceParts::read(SourceLanguage::Markdown, "one\n```c\ncode\n```\ntwo\n");
        assert_eq!(texts(&markdown.comments), [(1, "one"), (5, "two")]);
    }

    #[test]
    fn it_accepts_a_file_that_ends_within_a_comment_or_literal() {
        for text in ["\"abc", "/* abc", "r#\"abc", "'\\", "// abc", "b'"] {
            let source = SourceParts::read(SourceLanguage::Rust, text);
            assert_eq!(source.comments.len() + source.strings.len(), usize::from(text != "b'"), "{text}");
        }
    }
}
