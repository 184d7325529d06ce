//! The tokens of Rust code, without those of tests.

use crate::source::{SourceLanguage, SourceParts};

/// A name, a number, `::`, or any other character that is not white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: usize,
}

impl Token<'_> {
    /// Whether the token is a name or a keyword.
    pub fn is_name(&self) -> bool {
        self.text.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
    }
}

/// Returns the tokens of code whose comments and literals are replaced by spaces.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some(letter) = rest.chars().next() {
        let in_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = if in_name(letter) {
            rest.find(|letter| !in_name(letter)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            letter.len_utf8()
        };
        line += usize::from(letter == '\n');
        if !letter.is_whitespace() {
            tokens.push(Token { text: &rest[..length], line });
        }
        rest = &rest[length..];
    }
    tokens
}

/// Returns Rust code without the items that only tests compile, such as `#[cfg(test)] mod tests`. Line numbers stay the same.
pub fn code_without_tests(text: &str) -> String {
    let code = SourceParts::read(SourceLanguage::Rust, text).code;
    let tokens = tokens(&code);
    let mut kept = String::new();
    let mut line = 1;
    let mut at = 0;
    while at < tokens.len() {
        if let Some(end) = test_item_end(&tokens, at) {
            at = end;
            continue;
        }
        let token = tokens[at];
        kept.push_str(if token.line == line { " " } else { "\n" });
        kept.push_str(&"\n".repeat((token.line - line).saturating_sub(1)));
        line = token.line;
        kept.push_str(token.text);
        at += 1;
    }
    kept
}

/// Returns the index after the item at `at`, if the item begins with an attribute for tests.
fn test_item_end(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let (mut end, is_for_tests) = attribute(tokens, at)?;
    if !is_for_tests {
        return None;
    }
    while let Some((next, _)) = attribute(tokens, end) {
        end = next;
    }
    Some(item_end(tokens, end))
}

/// Returns the index after the attribute at `at`, and whether only tests compile the item that it belongs to.
fn attribute(tokens: &[Token<'_>], at: usize) -> Option<(usize, bool)> {
    if tokens.get(at)?.text != "#" || tokens.get(at + 1)?.text != "[" {
        return None;
    }
    let end = group_end(tokens, at + 1);
    let words = &tokens[at + 2..end];
    let has = |word: &str| words.iter().any(|token| token.text == word);
    let is_test_cfg = words.first()?.text == "cfg" && has("test") && !has("not") && !has("any");
    let is_for_tests = words.first()?.text == "test" || is_test_cfg;
    Some((end, is_for_tests))
}

/// Returns the index after the item at `at`, which ends with a semicolon or a closing brace.
fn item_end(tokens: &[Token<'_>], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" => return at + 1,
            "{" => {
                let end = group_end(tokens, at);
                // `use a::{b, c};`
                let has_semicolon = tokens.get(end).is_some_and(|token| token.text == ";");
                return end + usize::from(has_semicolon);
            }
            "(" | "[" => at = group_end(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Returns the index after the bracket that closes the one at `at`.
pub fn group_end(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(code: &str) -> Vec<&str> {
        tokens(code).iter().map(|token| token.text).collect()
    }

    #[test]
    fn it_splits_code_into_tokens() {
        assert_eq!(words("use a::b_1::{C};"), ["use", "a", "::", "b_1", "::", "{", "C", "}", ";"]);
        assert_eq!(tokens("a\n\n b")[1], Token { text: "b", line: 3 });
    }

    #[test]
    fn it_omits_the_items_that_only_tests_compile_and_keeps_line_numbers() {
        let text = "use a;\n#[cfg(test)]\nuse crate::{b, c};\n#[cfg(all(test, unix))]\n#[allow(x)]\nmod tests {\n    use d;\n}\n\
                    #[cfg(not(test))]\nuse e;\n#[cfg(test)]\nmod f;\n#[test]\nfn g() {}\n#[cfg(feature = \"test\")]\nuse h;\n#[cfg(any(test, unix))]\nuse i;\n";
        let kept = code_without_tests(text);
        let uses: Vec<(usize, &str)> = kept
            .lines()
            .enumerate()
            .filter_map(|(index, line)| Some((index + 1, line.split("use ").nth(1)?.trim_end_matches(" ;"))))
            .collect();
        assert_eq!(uses, [(1, "a"), (10, "e"), (16, "h"), (18, "i")]);
    }
}
