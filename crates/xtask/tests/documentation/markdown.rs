//! What a page of Markdown holds: links, anchors, code spans. Blocks of code are left out.

use std::collections::BTreeMap;

/// A link in a page.
pub struct Link {
    pub line: usize,
    pub target: String,
}

/// The lines outside blocks of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        (!is_code && !is_fence).then_some((index + 1, line))
    })
}

/// The parts of a line, alternately outside and inside code spans.
fn parts(line: &str) -> Vec<&str> {
    line.split('`').collect()
}

/// The targets of inline links and pictures.
pub fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, text) in prose(text) {
        // The text of a link may be a code span; its target never is.
        for part in text.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            if !target.contains('`') {
                links.push(Link { line, target: target.to_owned() });
            }
        }
    }
    links
}

/// What is written between single backquotes, with the line.
pub fn code_spans(text: &str) -> Vec<(usize, String)> {
    let spans = |(line, text)| {
        let inside: Vec<(usize, String)> =
            parts(text).into_iter().skip(1).step_by(2).map(|span| (line, span.to_owned())).collect();
        inside
    };
    prose(text).flat_map(spans).collect()
}

/// The anchors that GitHub gives the headings.
pub fn anchors(text: &str) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = Vec::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let is_kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        let slug: String = heading.trim().to_lowercase().chars().filter(is_kept).collect();
        let slug = slug.replace(' ', "-");
        let count = seen.entry(slug.clone()).or_default();
        anchors.push(if *count == 0 { slug.clone() } else { format!("{slug}-{count}") });
        *count += 1;
    }
    anchors
}

/// The numbers of the lines that are wider than 100 columns. Tables, links and code are as wide as they must be.
pub fn wide_lines(text: &str) -> Vec<usize> {
    let is_wide = |line: &str| line.chars().count() > 100 && !line.starts_with('|') && !line.contains("](");
    prose(text).filter(|(_, line)| is_wide(line)).map(|(number, _)| number).collect()
}

#[test]
fn it_reads_links_anchors_and_code_spans_outside_blocks() {
    let page = "# A `b` c-d!\n[x](y.md#z) `span`\n```\n[no](no.md) `no`\n```\n# A b c-d\n[`q`](r)\n";
    let targets: Vec<String> = links(page).into_iter().map(|link| link.target).collect();
    assert_eq!(targets, ["y.md#z", "r"]);
    assert_eq!(anchors(page), ["a-b-c-d", "a-b-c-d-1"]);
    assert_eq!(code_spans(page), [(1, "b".to_owned()), (2, "span".to_owned()), (7, "q".to_owned())]);
}
