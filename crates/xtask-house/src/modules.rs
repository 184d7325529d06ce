//! Determines which file of a crate uses which, from its modules, their imports, and the paths in their code.
//!
//! A path uses the file that defines the item that it names, also behind re-exports. It also uses the modules in the path,
//! except those that enclose the path. A glob uses its module.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::source::{SourceLanguage, SourceParts};
use crate::tokens::{Token, code_without_tests, group_end, tokens};

/// The maximum number of re-exports between a use and the definition.
const MAX_DEPTH: usize = 16;

/// The modules of a library or program.
pub struct Modules {
    /// The first one is the root.
    list: Vec<Module>,
    /// The files that each file uses.
    uses: BTreeMap<String, BTreeSet<String>>,
    /// Pairs of the file of a parent and that of its child.
    parents: BTreeSet<(String, String)>,
}

#[derive(Default)]
struct Module {
    parent: Option<usize>,
    file: String,
    /// The folder of its children's files, with a slash at its end.
    folder: String,
    children: BTreeMap<String, usize>,
    /// The names of the items that it defines.
    items: BTreeSet<String>,
    /// The path of each import, by its name in this module.
    imports: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    /// Every path in its code, imports included.
    paths: Vec<Vec<String>>,
}

/// The module or item that a path names.
#[derive(Clone, Copy)]
enum Resolved {
    Module(usize),
    /// An item that this module defines.
    Item(usize),
}

impl Modules {
    /// Reads the modules of the library or program whose root is `file`, below `folder`.
    pub fn read(folder: &Path, file: &str) -> Result<Self> {
        let mut modules = Self { list: Vec::new(), uses: BTreeMap::new(), parents: BTreeSet::new() };
        let below = &file[..file.rfind('/').map_or(0, |at| at + 1)];
        modules
            .file(folder, Module { file: file.to_owned(), folder: below.to_owned(), ..Module::default() })?;
        modules.connect();
        Ok(modules)
    }

    /// Returns the files, sorted by name.
    pub fn files(&self) -> impl Iterator<Item = &String> {
        self.uses.keys()
    }

    /// Returns the files that `file` uses.
    pub fn used_by(&self, file: &str) -> impl Iterator<Item = &String> {
        self.uses.get(file).into_iter().flatten()
    }

    /// Returns the file of the root module.
    pub fn root(&self) -> &str {
        &self.list[0].file
    }

    /// Whether the file `parent` declares the file `child` as a module.
    pub fn is_parent(&self, parent: &str, child: &str) -> bool {
        self.parents.contains(&(parent.to_owned(), child.to_owned()))
    }

    /// Adds the module of a file and its descendants.
    fn file(&mut self, folder: &Path, module: Module) -> Result<usize> {
        let name = module.file.clone();
        let text =
            std::fs::read_to_string(folder.join(&name)).with_context(|| format!("cannot read {name}"))?;
        let index = self.list.len();
        self.list.push(module);
        let code = code_without_tests(&text);
        Parser { modules: self, folder, text: &text }.items(&tokens(&code), index)?;
        Ok(index)
    }

    /// Computes the uses between files from the paths of all modules.
    fn connect(&mut self) {
        for (index, module) in self.list.iter().enumerate() {
            let uses_of_file = self.uses.entry(module.file.clone()).or_default();
            let parent = module.parent.map(|parent| &self.list[parent].file);
            if let Some(parent) = parent.filter(|parent| **parent != module.file) {
                self.parents.insert((parent.clone(), module.file.clone()));
            }
            let used = module.paths.iter().flat_map(|path| used_modules(&self.list, index, path));
            let files = used.map(|used| &self.list[used].file);
            uses_of_file.extend(files.filter(|file| **file != module.file).cloned());
        }
    }
}

/// Returns the modules that a path in the module `from` uses.
fn used_modules(list: &[Module], from: usize, path: &[String]) -> Vec<usize> {
    let enclosing: Vec<usize> = std::iter::successors(Some(from), |index| list[*index].parent).collect();
    let through = (1..path.len()).filter_map(|length| match resolve(list, from, &path[..length], 0)? {
        Resolved::Module(module) => Some(module).filter(|module| !enclosing.contains(module)),
        Resolved::Item(_) => None,
    });
    let end = resolve(list, from, path, 0).map(|(Resolved::Module(module) | Resolved::Item(module))| module);
    through.chain(end).collect()
}

/// Resolves `path` in the module `from`. Returns `None` if it leaves the crate, or names no item.
fn resolve(list: &[Module], from: usize, path: &[String], depth: usize) -> Option<Resolved> {
    let mut place = match path.first()?.as_str() {
        _ if depth > MAX_DEPTH => return None,
        "crate" => Resolved::Module(0),
        "self" => Resolved::Module(from),
        "super" => Resolved::Module(list[from].parent?),
        name => lookup(list, from, name, depth + 1)?,
    };
    for name in &path[1..] {
        let Resolved::Module(module) = place else { break };
        place = match name.as_str() {
            "super" => Resolved::Module(list[module].parent?),
            "self" => place,
            name => lookup(list, module, name, depth + 1).unwrap_or(Resolved::Item(module)),
        };
    }
    Some(place)
}

/// Resolves `name` in a module.
fn lookup(list: &[Module], index: usize, name: &str, depth: usize) -> Option<Resolved> {
    let module = &list[index];
    if let Some(child) = module.children.get(name) {
        return Some(Resolved::Module(*child));
    }
    if module.items.contains(name) {
        return Some(Resolved::Item(index));
    }
    if let Some(path) = module.imports.get(name) {
        return resolve(list, index, path, depth + 1);
    }
    if depth > MAX_DEPTH {
        return None;
    }
    module.globs.iter().find_map(|glob| match resolve(list, index, glob, depth + 1)? {
        Resolved::Module(other) if other != index => lookup(list, other, name, depth + 1),
        _ => None,
    })
}

/// Reads the tokens of one file.
struct Parser<'a> {
    modules: &'a mut Modules,
    folder: &'a Path,
    text: &'a str,
}

impl Parser<'_> {
    /// Reads the items of the module `index`.
    fn items(&mut self, tokens: &[Token<'_>], index: usize) -> Result<()> {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let is_name = |at: usize| tokens.get(at).is_some_and(Token::is_name);
        let mut depth = 0_usize;
        let mut at = 0;
        while at < tokens.len() {
            match text(at) {
                "mod" if is_name(at + 1) && text(at + 2) == ";" => {
                    let is_elsewhere =
                        at >= 4 && [text(at - 4), text(at - 3), text(at - 2)] == ["[", "path", "="];
                    let path = is_elsewhere.then(|| tokens[at - 2].line);
                    self.child_file(index, text(at + 1), path)?;
                    at += 3;
                }
                "mod" if is_name(at + 1) && text(at + 2) == "{" => {
                    let end = group_end(tokens, at + 2);
                    let child = self.child(index, text(at + 1));
                    self.items(&tokens[at + 3..end - 1], child)?;
                    at = end;
                }
                "use" if is_name(at + 1) || text(at + 1) == "::" => {
                    at = self.import(tokens, at + 1, &[], index);
                }
                "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union"
                    if depth == 0 && is_name(at + 1) =>
                {
                    self.modules.list[index].items.insert(text(at + 1).to_owned());
                    at += 1;
                }
                _ if is_name(at) && text(at + 1) == "::" && (at == 0 || text(at - 1) != "::") => {
                    let path = path(tokens, at);
                    at += path.len() * 2 - 1;
                    self.modules.list[index].paths.push(path);
                }
                other => {
                    depth += usize::from(other == "{");
                    depth = depth.saturating_sub(usize::from(other == "}"));
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Adds a module in the same file.
    fn child(&mut self, parent: usize, name: &str) -> usize {
        let list = &mut self.modules.list;
        let Module { file, folder, .. } = &list[parent];
        let child = Module {
            parent: Some(parent),
            file: file.clone(),
            folder: format!("{folder}{name}/"),
            ..Module::default()
        };
        let index = list.len();
        list.push(child);
        list[parent].children.entry(name.to_owned()).or_insert(index);
        index
    }

    /// Adds a module in another file. `path` is the line of its `#[path]` attribute, if there is one.
    fn child_file(&mut self, parent: usize, name: &str, path: Option<usize>) -> Result<()> {
        let below = self.modules.list[parent].folder.clone();
        let named = path.and_then(|line| {
            let strings = SourceParts::read(SourceLanguage::Rust, self.text).strings;
            strings.into_iter().find(|piece| piece.line == line)
        });
        let candidates = match named {
            // The path is relative to the folder of the file with the attribute.
            Some(path) => {
                let own = &self.modules.list[parent].file;
                vec![format!("{}{}", &own[..own.rfind('/').map_or(0, |at| at + 1)], path.text)]
            }
            None => vec![format!("{below}{name}.rs"), format!("{below}{name}/mod.rs")],
        };
        let exists = |file: &&String| self.folder.join(file).is_file();
        let file =
            candidates.iter().find(exists).with_context(|| format!("none of {candidates:?} exists"))?;
        let child = Module {
            parent: Some(parent),
            file: file.clone(),
            folder: format!("{below}{name}/"),
            ..Module::default()
        };
        let index = self.modules.file(self.folder, child)?;
        self.modules.list[parent].children.entry(name.to_owned()).or_insert(index);
        Ok(())
    }

    /// Reads the tree of a `use` at `at`. Returns the index after it.
    fn import(&mut self, tokens: &[Token<'_>], mut at: usize, prefix: &[String], index: usize) -> usize {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
        let mut path = prefix.to_vec();
        loop {
            match text(at) {
                "::" => at += 1,
                "{" => {
                    let end = group_end(tokens, at);
                    while at + 1 < end {
                        // `at` is the brace or comma before the next path.
                        at = self.import(tokens, at + 1, &path, index);
                    }
                    return end;
                }
                "*" => {
                    self.modules.list[index].globs.push(path.clone());
                    self.modules.list[index].paths.push(path);
                    return at + 1;
                }
                name if tokens.get(at).is_some_and(Token::is_name) => {
                    // `a::{self}` is `a`.
                    if name != "self" || path.is_empty() {
                        path.push(name.to_owned());
                    }
                    at += 1;
                    if text(at) == "::" {
                        continue;
                    }
                    let alias =
                        if text(at) == "as" { text(at + 1) } else { path.last().map_or("", |name| name) };
                    self.modules.list[index].imports.entry(alias.to_owned()).or_insert_with(|| path.clone());
                    self.modules.list[index].paths.push(path);
                    return at + if text(at) == "as" { 2 } else { 0 };
                }
                _ => return at,
            }
        }
    }
}

/// Returns the names from `at` on that `::` joins.
fn path(tokens: &[Token<'_>], mut at: usize) -> Vec<String> {
    let mut path = vec![tokens[at].text.to_owned()];
    while tokens.get(at + 1).is_some_and(|token| token.text == "::")
        && tokens.get(at + 2).is_some_and(Token::is_name)
    {
        path.push(tokens[at + 2].text.to_owned());
        at += 2;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::cycles;

    /// Creates a crate with these files under `src/`.
    fn planted(files: &[(&str, &str)]) -> Modules {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join("src").join(name);
            std::fs::create_dir_all(path.parent().expect("the path has a folder")).expect("it is created");
            std::fs::write(path, text).expect("the file is written");
        }
        Modules::read(folder.path(), "src/lib.rs").expect("the crate is read")
    }

    /// Returns the files of each cycle, and its core.
    fn found(modules: &Modules) -> Vec<(String, usize)> {
        let cycles = cycles(modules).into_iter();
        cycles.map(|cycle| (cycle.files.join(" ").replace("src/", ""), cycle.core)).collect()
    }

    fn used(modules: &Modules, file: &str) -> Vec<String> {
        modules.used_by(&format!("src/{file}")).map(|name| name.replace("src/", "")).collect()
    }

    #[test]
    fn it_finds_a_planted_cycle_through_imports_and_paths() {
        let modules = planted(&[
            ("lib.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\n"),
            ("a.rs", "use crate::{b::{self, B as Renamed}, c};\npub struct A(Renamed);\n"),
            ("b.rs", "pub struct B;\nimpl B {\n    fn f() { super::c::g(); }\n}\n"),
            ("c.rs", "pub fn g() { println!(\"{}\", crate::a::A::name()); }\n"),
        ]);
        assert_eq!(used(&modules, "a.rs"), ["b.rs", "c.rs"]);
        assert_eq!(found(&modules), [("a.rs b.rs c.rs".to_owned(), 3)]);
    }

    #[test]
    fn it_finds_no_cycle_if_only_tests_comments_and_literals_close_it() {
        let modules = planted(&[
            ("lib.rs", "mod a;\nmod b;\n"),
            ("a.rs", "use crate::b::B;\npub struct A(B);\n"),
            (
                "b.rs",
                "//! use crate::a::A;\npub struct B;\nconst C: &str = \"crate::a::A\"; // crate::a::A\n#[cfg(test)]\nuse crate::a::A;\n\
                 #[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n\
                 #[cfg(test)]\nmod more_tests;\n",
            ),
            ("b/more_tests.rs", "use crate::a::A;\n"),
        ]);
        assert_eq!(used(&modules, "a.rs"), ["b.rs"]);
        assert_eq!(used(&modules, "b.rs"), [""; 0]);
        assert!(!modules.files().any(|file| file.contains("more_tests")));
        assert_eq!(found(&modules), []);
    }

    /// Creates a parent with two children, whose files are given. The parent re-exports the second one.
    fn family(one: &'static str, two: &'static str) -> Modules {
        let parent =
            "mod one;\nmod two;\nuse one::One;\npub use self::two::Two;\npub struct Parent(One, Two);\n";
        planted(&[
            ("lib.rs", "mod parent;\n"),
            ("parent/mod.rs", parent),
            ("parent/one.rs", one),
            ("parent/two.rs", two),
        ])
    }

    #[test]
    fn it_allows_a_parent_and_its_children_to_use_each_other() {
        let modules =
            family("pub struct One(super::Parent);\n", "use super::Parent;\npub struct Two(Parent);\n");
        assert_eq!(used(&modules, "parent/mod.rs"), ["parent/one.rs", "parent/two.rs"]);
        assert_eq!(used(&modules, "parent/two.rs"), ["parent/mod.rs"]);
        assert_eq!(found(&modules), []);
    }

    #[test]
    fn it_finds_a_cycle_through_a_parent_and_reports_that_it_has_no_core() {
        let modules = family("pub struct One(super::Parent);\n", "pub struct Two(super::one::One);\n");
        assert_eq!(found(&modules), [("parent/mod.rs parent/one.rs parent/two.rs".to_owned(), 0)]);
    }

    #[test]
    fn it_finds_a_cycle_of_two_children_behind_a_re_export() {
        let modules = family("pub struct One(super::Two);\n", "pub struct Two(Box<super::one::One>);\n");
        assert_eq!(found(&modules), [("parent/one.rs parent/two.rs".to_owned(), 2)]);
    }

    #[test]
    fn it_finds_a_cycle_of_two_folders_whose_definitions_do_not_form_one() {
        let modules = planted(&[
            ("lib.rs", "mod a;\nmod b;\n"),
            ("a/mod.rs", "mod bottom;\npub use bottom::Bottom;\nuse crate::b::B;\npub struct A(B);\n"),
            ("a/bottom.rs", "pub struct Bottom;\n"),
            ("b.rs", "pub struct B(crate::a::Bottom);\n"),
        ]);
        assert_eq!(used(&modules, "b.rs"), ["a/bottom.rs", "a/mod.rs"]);
        assert_eq!(found(&modules), [("a/mod.rs b.rs".to_owned(), 2)]);
    }

    #[test]
    fn it_follows_globs_inline_modules_and_named_files() {
        let modules = planted(&[
            ("lib.rs", "mod a;\nmod b { pub mod c; pub use c::*; }\n#[path = \"else/where.rs\"]\nmod d;\n"),
            ("a.rs", "use crate::b::C;\nuse super::d::D;\nuse std::fmt;\n"),
            ("b/c.rs", "pub struct C;\n"),
            ("else/where.rs", "pub struct D;\n"),
        ]);
        assert_eq!(used(&modules, "a.rs"), ["b/c.rs", "else/where.rs", "lib.rs"]);
        assert_eq!(used(&modules, "lib.rs"), ["b/c.rs"]);
    }
}
