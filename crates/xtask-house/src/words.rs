//! Counts the words of the project's word lists: words to avoid, second words for a concept, and types that share a name.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{SourceLanguage, SourceParts};
use crate::table::Table;
use crate::tokens::{code_without_tests, tokens};
use crate::workspace::{Crate, File, Workspace};

/// Words to avoid: they make sentences harder to understand.
const AVOIDED: [&str; 10] = [
    "told",
    "tells",
    "whoever",
    "somebody",
    "nobody",
    "anew",
    "likewise",
    "sees to it",
    "for the sake of",
    "of its own",
];

/// Second words in prose and in parts of names, each with the project's word for the concept.
const SECOND_WORDS: [(&str, &str); 24] = [
    ("look", "refresh"),
    ("looks", "refresh"),
    ("looked", "refresh"),
    ("claim", "lease"),
    ("ticket", "InFlight"),
    ("patience", "CallContext"),
    ("impatience", "StopReason"),
    ("tenant", "SharedSource"),
    ("trace", "FileStamp"),
    ("listener", "EchoFilter"),
    ("hear", "feed"),
    ("heard", "feed"),
    ("probe", "diagnostics"),
    ("vault", "Arena, in secret memory"),
    ("signers", "webhook_secrets"),
    ("give up", "cancel"),
    ("gives up", "cancel"),
    ("trouble", "last_error"),
    ("second attempt", "retry"),
    ("repeat", "retry"),
    ("tell", "report, print, emit"),
    ("say", "report, print, emit"),
    ("says", "report, print, emit"),
    ("said", "report, print, emit"),
];

/// Second words that are whole names, each with the project's name.
const SECOND_NAMES: [(&str, &str); 26] = [
    ("Held", "PairVersion"),
    ("Told", "LoadedPair"),
    ("Loaded", "LoadedPair"),
    ("Found", "LoadedPair"),
    ("look_again", "refresh"),
    ("Look", "RefreshOutcome"),
    ("Seeking", "CallNeeds"),
    ("Plan", "NextStep"),
    ("Step", "NextStep"),
    ("Process", "SharedState"),
    ("Watch", "ChangeDetector"),
    ("Way", "Route"),
    ("Reached", "TcpConnection"),
    ("Secured", "TlsInfo"),
    ("Wire", "Socket"),
    ("Vault", "Arena"),
    ("Store", "SizeClass"),
    ("Kept", "Allocation"),
    ("Childs", "ForkCopy"),
    ("kept_at", "with_protection"),
    ("interrupted_by", "with_interrupt"),
    ("cancelled_by", "with_cancel"),
    ("give", "into_raw"),
    ("put", "set_out"),
    ("say", "print"),
    ("tell", "emit"),
];

/// Generated files, whose prose would count twice, and this file with its lists.
const LEFT_OUT: [&str; 9] = [
    "include/justcall_auth.h",
    "bindings/python/python/justcall_auth/_errors.py",
    "docs/evidence/performance.md",
    "docs/evidence/platforms.md",
    "docs/evidence/killed.md",
    "docs/evidence/report.md",
    "docs/evidence/rotation.md",
    "docs/reference/python.md",
    "crates/xtask-house/src/words.rs",
];

/// Returns how often each word of the lists occurs in prose and in names.
pub fn tables(workspace: &Workspace) -> Vec<Table> {
    let files = workspace.files().iter().filter(|file| !LEFT_OUT.contains(&file.name.as_str()));
    let prose: Vec<(&str, Vec<String>)> =
        files.map(|file| (file.name.as_str(), prose(file))).filter(|(_, words)| !words.is_empty()).collect();
    let names = names(workspace);
    vec![avoided(&prose), second_words(&prose, &names), second_names(&names), shared_names(workspace)]
}

fn avoided(prose: &[(&str, Vec<String>)]) -> Table {
    let words: usize = prose.iter().map(|(_, words)| words.len()).sum();
    let mut table = Table::new("Words to avoid", &["word", "count", "per 10,000 words", "most in"]);
    let mut total = 0;
    for word in AVOIDED {
        let by_file = prose.iter().map(|(file, words)| (count(words, word), *file));
        let most = by_file.clone().max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 0);
        let count: usize = by_file.map(|(count, _)| count).sum();
        total += count;
        let most = most.map_or_else(String::new, |(count, file)| format!("{file} ({count})"));
        table.row([word.to_owned(), count.to_string(), per_10_000(count, words), most]);
    }
    table.row(["total".to_owned(), total.to_string(), per_10_000(total, words), String::new()]);
    table.with_note(format!(
        "In {words} words of comments, documentation and messages, without generated files."
    ))
}

/// Returns the share with one decimal.
fn per_10_000(count: usize, words: usize) -> String {
    let tenths = count * 100_000 / words.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn second_words(prose: &[(&str, Vec<String>)], names: &[String]) -> Table {
    let mut table = Table::new("Second words for a concept", &["word", "in prose", "in names", "write"])
        .with_note("Some of them are correct for another concept, such as TcpListener.");
    let parts: Vec<Vec<String>> = names.iter().map(|name| parts(name)).collect();
    for (word, write) in SECOND_WORDS {
        let in_prose: usize = prose.iter().map(|(_, words)| count(words, word)).sum();
        let in_names: usize = parts.iter().map(|parts| count(parts, word)).sum();
        table.row([word.to_owned(), in_prose.to_string(), in_names.to_string(), write.to_owned()]);
    }
    table
}

fn second_names(names: &[String]) -> Table {
    let mut table = Table::new("Second names for a concept", &["name", "count", "write"])
        .with_note("Whole names in the code of libraries and programs, without those that do not occur.");
    for (name, write) in SECOND_NAMES {
        let count = names.iter().filter(|other| *other == name).count();
        if count > 0 {
            table.row([name.to_owned(), count.to_string(), write.to_owned()]);
        }
    }
    table
}

/// Returns the types whose name is defined in three files or more.
fn shared_names(workspace: &Workspace) -> Table {
    let mut files: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for file in workspace.crates().iter().flat_map(Crate::sources) {
        for name in types(&file.text) {
            files.entry(name).or_default().insert(&file.name);
        }
    }
    let mut shared: Vec<_> = files.into_iter().filter(|(_, files)| files.len() > 2).collect();
    shared.sort_by_key(|(_, files)| std::cmp::Reverse(files.len()));
    let mut table = Table::new("Types that share a name in three files or more", &["files", "type", "which"]);
    for (name, files) in shared {
        let which: Vec<&str> = files.iter().copied().collect();
        table.row([files.len().to_string(), name, which.join(" ")]);
    }
    table
}

fn types(text: &str) -> Vec<String> {
    let code = code_without_tests(text);
    let tokens = tokens(&code);
    let is_type = |word: &str| matches!(word, "struct" | "enum" | "trait" | "union");
    let definitions = tokens.windows(2).filter(|window| is_type(window[0].text) && window[1].is_name());
    definitions.map(|window| window[1].text.to_owned()).collect()
}

/// Returns the words of a file's comments, documentation and messages, in lower case.
fn prose(file: &File) -> Vec<String> {
    let Some(language) = SourceLanguage::of(file.name.as_ref()) else { return Vec::new() };
    let source = SourceParts::read(language, &file.text);
    // A literal without a space is a name or a format.
    let messages = source.strings.into_iter().filter(|piece| piece.text.trim().contains(' '));
    source.comments.into_iter().chain(messages).flat_map(|piece| words(&piece.text)).collect()
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphabetic() && letter != '\'');
    words.map(|word| word.trim_matches('\'').to_lowercase()).filter(|word| !word.is_empty()).collect()
}

/// Returns every name in the code of libraries and programs.
fn names(workspace: &Workspace) -> Vec<String> {
    let mut names = Vec::new();
    for file in workspace.crates().iter().flat_map(Crate::sources) {
        let code = code_without_tests(&file.text);
        names.extend(tokens(&code).iter().filter(|token| token.is_name()).map(|token| token.text.to_owned()));
    }
    names
}

/// Splits a name into words: `TcpListener` and `tcp_listener` into `tcp` and `listener`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_small = false;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && was_small) {
            parts.push(String::new());
        }
        was_small = letter.is_lowercase();
        parts.last_mut().expect("there is one").extend(letter.to_lowercase().filter(|letter| *letter != '_'));
    }
    parts
}

/// Returns how often `wanted`, a word or a phrase, occurs in `words`.
fn count(words: &[String], wanted: &str) -> usize {
    let wanted: Vec<&str> = wanted.split(' ').collect();
    words.windows(wanted.len()).filter(|window| window.iter().eq(wanted.iter())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_words_and_phrases_of_prose_across_lines_but_not_of_code() {
        let text =
            "// A folder of\n// its own: Nobody's.\nfn told() { print(\"nobody tells\", \"anew\"); }\n";
        let file = File { name: "a.rs".to_owned(), text: text.to_owned() };
        let words = prose(&file);
        let counts: Vec<usize> = ["of its own", "nobody", "told", "tells", "anew"]
            .iter()
            .map(|word| count(&words, word))
            .collect();
        assert_eq!(counts, [1, 1, 0, 1, 0], "{words:?}");
    }

    #[test]
    fn it_splits_names_into_words() {
        for (name, expected) in [
            ("TcpListener", ["tcp", "listener"]),
            ("kept_at", ["kept", "at"]),
            ("LOOK_AGAIN", ["look", "again"]),
        ] {
            assert_eq!(parts(name), expected);
        }
    }

    #[test]
    fn it_finds_the_types_that_a_file_defines() {
        let text =
            "pub struct State<T>(T);\nenum Kind { Struct }\n#[cfg(test)]\nmod tests { struct Left; }\n";
        assert_eq!(types(text), ["State", "Kind"]);
    }

    #[test]
    fn it_returns_shares_with_one_decimal() {
        assert_eq!(per_10_000(37, 10_000), "37.0");
        assert_eq!(per_10_000(1, 60_000), "0.1");
        assert_eq!(per_10_000(0, 0), "0.0");
    }
}
