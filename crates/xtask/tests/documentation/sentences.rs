//! The sentences of a page, without its code and headings.

/// Returns the sentences. A row of a table is one sentence, and so is an item of a list that has no full stop. A text that
/// ends with a colon only introduces what follows, and is left out.
pub fn sentences(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in blocks(page) {
        match block {
            Block::Row(row) => found.push(plain(&row)),
            Block::Text(text) => found.extend(split(&plain(&text))),
        }
    }
    found.retain(|sentence| !sentence.is_empty() && !sentence.ends_with(':'));
    found
}

enum Block {
    Text(String),
    Row(String),
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut text = String::new();
    let (mut is_code, mut rows) = (false, 0);
    for line in page.lines().chain([""]) {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        let item = item(line);
        let is_other = ["|", "#", "<!--", "!["].iter().any(|start| line.starts_with(start));
        let is_prose = !(is_code || is_fence || is_other || line.trim().is_empty());
        if (!is_prose || item.is_some()) && !text.is_empty() {
            blocks.push(Block::Text(std::mem::take(&mut text)));
        }
        rows = if line.starts_with('|') && !is_code { rows + 1 } else { 0 };
        // The first two rows are the header of the table and the line below it.
        if rows > 2 {
            let cells: Vec<&str> = cells(line).into_iter().filter(|cell| !cell.is_empty()).collect();
            blocks.push(Block::Row(cells.join(" — ")));
        }
        if is_prose {
            text.push_str(item.unwrap_or(line).trim());
            text.push(' ');
        }
    }
    blocks
}

/// The text of a list's item, if the line begins one.
fn item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let number = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    line.strip_prefix("- ").or_else(|| number.strip_prefix(". ").filter(|_| number.len() < line.len()))
}

/// The cells of a table's row.
pub fn cells(row: &str) -> Vec<&str> {
    let row = row.trim().trim_start_matches('|');
    let row = row.strip_suffix('|').unwrap_or(row);
    let mut cells = Vec::new();
    let mut start = 0;
    for (at, _) in row.match_indices('|') {
        if !row[..at].ends_with('\\') {
            cells.push(row[start..at].trim());
            start = at + 1;
        }
    }
    cells.push(row[start..].trim());
    cells
}

/// The text without links and emphasis, with one space between words.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            plain.extend(["`", part, "`"]);
        } else {
            plain.push_str(&part.replace('*', ""));
        }
    }
    while let Some(middle) = plain.find("](") {
        let start = plain[..middle].rfind('[').expect("a link has a text");
        let end = middle + plain[middle..].find(')').expect("a link has a target");
        plain = format!("{}{}{}", &plain[..start], &plain[start + 1..middle], &plain[end + 1..]);
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn split(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(['.', '?', '!']) {
        let Some(rest) = text[at + 1..].strip_prefix(' ') else { continue };
        let begins = rest.starts_with(|letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit());
        if begins || rest.starts_with('`') || rest.starts_with("justcall_") {
            found.push(text[start..=at].to_owned());
            start = at + 2;
        }
    }
    found.push(text[start..].to_owned());
    found
}

#[test]
fn it_splits_a_page_into_sentences() {
    let page = "# No\nOne of [two](a.md). `Three` is\n*four*! justcall_x() is v1.5.\n\nIt:\n- an item;\n1. one\n```c\nno\n```\n\
                | a | b |\n|---|---|\n| c. D | `e \\| f` |\n![no](x)\n";
    let expected =
        ["One of two.", "`Three` is four!", "justcall_x() is v1.5.", "an item;", "one", "c. D — `e \\| f`"];
    let found = sentences(page);
    assert_eq!(found, expected);
}
