//! Reads the header: its prototypes and its example.

use std::fs;

use super::root;

/// A function declaration of the header.
#[derive(Debug)]
pub(crate) struct Prototype {
    pub(crate) name: String,
    /// The return type.
    pub(crate) result: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// A parameter: its type, such as `const char *const *`, and its name.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) kind: String,
    pub(crate) name: String,
}

fn text() -> String {
    fs::read_to_string(root().join("include/justcall_auth.h")).expect("the header is committed")
}

/// Returns the names in `include/justcall_auth.symbols`.
pub(crate) fn symbols() -> Vec<String> {
    let list =
        fs::read_to_string(root().join("include/justcall_auth.symbols")).expect("the list is committed");
    list.lines().map(str::to_owned).collect()
}

/// Returns the example program in the introduction of the header.
pub(crate) fn example() -> String {
    let text = text();
    let (introduction, _) = text.split_once("*/").expect("the header starts with a comment");
    let code = |line: &str| line.strip_prefix(" *     ").map(|line| format!("{line}\n"));
    let paragraphs = introduction.lines().skip_while(|line| !line.contains("#include"));
    paragraphs.filter(|line| *line == " *" || code(line).is_some()).filter_map(code).collect()
}

/// Returns every function that the header declares, in its order.
pub(crate) fn prototypes() -> Vec<Prototype> {
    let text = text();
    declarations(&text)
        .iter()
        .filter(|declaration| declaration.contains('(') && !declaration.starts_with("typedef "))
        .map(|text| prototype(text))
        .collect()
}

/// Returns the declarations, without comments, preprocessor lines and conditional code.
fn declarations(text: &str) -> Vec<String> {
    let mut code = String::new();
    let mut rest = text;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1;
    }
    code.push_str(rest);
    // The include guard is the first condition.
    let mut depth = 0;
    let mut plain = String::new();
    for line in code.lines().map(str::trim) {
        match line {
            line if line.starts_with("#if") => depth += 1,
            "#endif" => depth -= 1,
            line if depth > 1 || line.starts_with('#') => {}
            line => plain.extend([line.trim_start_matches("JUSTCALL_NODISCARD").trim_start(), " "]),
        }
    }
    plain.split(';').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn prototype(declaration: &str) -> Prototype {
    let (head, tail) = declaration.split_once('(').expect("a prototype has parentheses");
    let (result, name) = split_name(head);
    let parameters = tail.strip_suffix(')').expect("a prototype ends with its parameters");
    let parameters = match parameters {
        "void" => Vec::new(),
        list => list
            .split(',')
            .map(|text| split_name(text.trim()))
            .map(|(kind, name)| Parameter { kind, name })
            .collect(),
    };
    Prototype { name, result, parameters }
}

/// Splits `const char *name` into `const char *` and `name`.
fn split_name(text: &str) -> (String, String) {
    let at = text.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').expect("a type and a name") + 1;
    (text[..at].trim().to_owned(), text[at..].to_owned())
}
