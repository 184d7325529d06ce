//! The names that the code has: files and folders, types, functions, tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The short names of folders in ARCHITECTURE.md.
const FOLDERS: [(&str, &str); 7] = [
    ("ffi", "crates/justcall-auth-ffi"),
    ("protocol", "crates/justcall-auth-protocol"),
    ("secret", "crates/justcall-auth-secret"),
    ("scan", "crates/justcall-auth-scan"),
    ("cli", "crates/justcall-auth-cli"),
    ("sandbox", "crates/justcall-auth-sandbox"),
    ("client", "crates/justcall-auth"),
];

/// What is named without being defined in the code of this project: other programs, keywords, values.
const OTHERS: [&str; 12] = [
    "fork()",
    "abort()",
    "unsafe",
    "auto",
    "strict",
    "secretmem",
    "file:",
    "[redacted]",
    "memfd_secret",
    "invalid_credentials",
    "internal",
    "JUSTCALL_ERROR_",
];

/// The path that a short one stands for.
pub fn expanded(path: &str) -> String {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match FOLDERS.iter().find(|(short, _)| *short == first) {
        Some((_, folder)) => format!("{folder}/{rest}").trim_end_matches('/').to_owned(),
        None => path.to_owned(),
    }
}

/// The end of a file's name, after the dot.
pub fn extension(path: &str) -> &str {
    Path::new(path).extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

/// What the code names.
pub struct Names {
    root: PathBuf,
    files: Vec<String>,
    header: String,
    /// The types, each with the texts of the files that define it.
    types: BTreeMap<String, Vec<String>>,
    functions: BTreeSet<String>,
    /// The words of the Rust code.
    words: BTreeSet<String>,
}

impl Names {
    /// Reads the names in `files`.
    pub fn of(root: &Path, files: &[String]) -> Self {
        let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap_or_default();
        let mut names = Self {
            root: root.to_owned(),
            files: files.to_vec(),
            header: read("include/justcall_auth.h"),
            types: BTreeMap::new(),
            functions: BTreeSet::new(),
            words: BTreeSet::new(),
        };
        let is_this = |file: &str| file.starts_with("crates/xtask/tests/documentation/");
        for file in files.iter().filter(|file| extension(file) == "rs" && !is_this(file)) {
            names.add(&read(file));
        }
        assert!(names.types.len() > 300 && names.functions.len() > 2000, "this test reads nothing");
        names
    }

    fn add(&mut self, text: &str) {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for line in code {
            let words = words(line);
            for pair in words.windows(2) {
                match pair[0].as_str() {
                    "struct" | "enum" | "trait" | "union" | "type" => {
                        self.types.entry(pair[1].clone()).or_default().push(text.to_owned());
                    }
                    "fn" | "macro_rules" => drop(self.functions.insert(pair[1].clone())),
                    _ => {}
                }
            }
            self.words.extend(words);
        }
    }

    /// Whether `span` names something that exists. Commands and phrases are no names.
    pub fn has(&self, span: &str) -> bool {
        if span.contains(' ') || OTHERS.contains(&span) || FOLDERS.iter().any(|(short, _)| *short == span) {
            return true;
        }
        let is_file = ["rs", "h", "hpp", "py", "md", "toml"].contains(&extension(span));
        if is_file || span.contains('/') {
            return self.has_path(span);
        }
        if let Some((name, member)) = span.split_once("::") {
            return self.has_member(name, member);
        }
        if span.starts_with("justcall_") {
            return self.header.contains(&format!("{span}(")) || self.header.contains(&format!(" {span};"));
        }
        if span.starts_with(char::is_uppercase) {
            return self.types.contains_key(span) || self.words.contains(span);
        }
        self.functions.contains(span) || self.words.contains(span) || self.has_path(span)
    }

    fn has_path(&self, path: &str) -> bool {
        let end = format!("/{}", path.trim_end_matches('/'));
        let is_there = |path: &str| self.root.join(path).exists();
        is_there(&expanded(path))
            || is_there(&format!("crates/{path}"))
            || self.files.iter().any(|file| file.ends_with(&end))
    }

    /// Whether a file that defines the type `name` has `member` as a word.
    fn has_member(&self, name: &str, member: &str) -> bool {
        let is_word = |text: &String| {
            text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|word| word == member)
        };
        self.types.get(name).is_some_and(|texts| texts.iter().any(is_word))
    }
}
