//! Finds functions and their lengths.

use crate::table::Table;
use crate::tokens::{Token, code_without_tests, group_end, tokens};
use crate::workspace::Workspace;

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// The line of `fn`.
    pub line: usize,
    /// The number of lines from there to the closing brace.
    pub lines: usize,
}

/// Returns the functions of a file, without those of tests.
pub fn functions(text: &str) -> Vec<Function> {
    let code = code_without_tests(text);
    let tokens = tokens(&code);
    (0..tokens.len()).filter_map(|at| function(&tokens, at)).collect()
}

fn function(tokens: &[Token<'_>], at: usize) -> Option<Function> {
    let name = tokens.get(at + 1)?;
    // `fn(u8)` is a type.
    if tokens[at].text != "fn" || !name.is_name() {
        return None;
    }
    let mut end = at + 2;
    loop {
        match tokens.get(end)?.text {
            "{" => break,
            ";" => return None,
            "(" | "[" => end = group_end(tokens, end),
            _ => end += 1,
        }
    }
    let last = tokens[group_end(tokens, end) - 1].line;
    let line = tokens[at].line;
    Some(Function { name: name.text.to_owned(), line, lines: last - line + 1 })
}

/// Returns the longest functions of the workspace.
pub fn longest(workspace: &Workspace, top: usize) -> Table {
    let mut all = Vec::new();
    for package in workspace.crates() {
        for file in package.sources() {
            let place = |function: &Function| format!("{}:{}", file.name, function.line);
            all.extend(functions(&file.text).into_iter().map(|function| (place(&function), function)));
        }
    }
    all.sort_by(|(_, one), (_, other)| other.lines.cmp(&one.lines).then_with(|| one.name.cmp(&other.name)));
    let count = all.len();
    let lines: usize = all.iter().map(|(_, function)| function.lines).sum();
    let mut table = Table::new("Longest functions", &["lines", "function", "place"]).with_note(format!(
        "{count} functions with {lines} lines, from `fn` to the closing brace, without tests."
    ));
    for (place, function) in all.into_iter().take(top) {
        table.row([function.lines.to_string(), function.name, place]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_from_the_keyword_to_the_closing_brace() {
        let text = "/// {\npub fn one(\n    a: [u8; 2],\n) -> u8 {\n    if a { \"}\" }\n}\ntrait T {\n    fn none(&self);\n    fn two() {}\n}\n\
                    type F = fn(u8) -> u8;\n#[cfg(test)]\nmod tests {\n    fn left_out() {}\n}\n";
        let found = functions(text);
        let expected = [("one", 2, 5), ("two", 9, 1)];
        let expected = expected.map(|(name, line, lines)| Function { name: name.to_owned(), line, lines });
        assert_eq!(found, expected);
    }
}
