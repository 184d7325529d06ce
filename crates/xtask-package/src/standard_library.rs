//! The licences of the code that the compilers add: Rust's standard library, and the unwinder that zig links into programs.
//!
//! Rust's toolchain has them in `COPYRIGHT-library.html`, but for the crates of `packaging/rust-std`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::output;

use crate::target::Target;

/// The licences of the crates that `COPYRIGHT-library.html` does not list.
const OTHERS: &str = "packaging/rust-std";

/// Libraries beside the standard library that programs only contain if they ask for them, and the parts of the standard
/// library itself.
const NOT_LISTED: [&str; 14] = [
    "alloc",
    "compiler_builtins",
    "core",
    "getopts",
    "panic_abort",
    "panic_unwind",
    "proc_macro",
    "profiler_builtins",
    "rustc_literal_escaper",
    "std",
    "std_detect",
    "sysroot",
    "test",
    "unwind",
];

/// What must be stated about code that is not from a crate of the project.
#[derive(Debug)]
pub struct Notice {
    /// The part, with its licence.
    pub title: String,
    /// The texts of the licence.
    pub texts: Vec<String>,
}

/// Returns the notices of this toolchain's standard library. Fails if one is missing.
pub fn notices(root: &Path, target: &Target) -> Result<Vec<Notice>> {
    let print = |what: &str| -> Result<String> {
        let mut rustc = Command::new("rustc");
        Ok(output(rustc.args(["--print", what, "--target", target.triple]))?.trim().to_owned())
    };
    let documents = Path::new(&print("sysroot")?).join("share/doc/rust");
    let page = documents.join("COPYRIGHT-library.html");
    let page = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let listed = listed(&page);
    let mut notices = vec![itself(&documents.join("licenses"))?];
    for name in crates(Path::new(&print("target-libdir")?))? {
        let entry = listed.iter().find(|entry| entry.name == name);
        let notice = match entry {
            Some(entry) => entry.notice(),
            None => other(root, &name)?,
        };
        notices.push(notice);
    }
    Ok(notices)
}

/// Returns the notices of the code that zig adds, whose package is in `folder`.
pub fn of_zig(folder: &Path) -> Result<Vec<Notice>> {
    let parts = [
        ("libunwind of LLVM (Apache-2.0 WITH LLVM-exception)", "lib/libunwind/LICENSE.TXT"),
        ("compiler_rt of zig (MIT)", "LICENSE"),
    ];
    let read = |(title, file): (&str, &str)| {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Notice { title: title.to_owned(), texts: vec![text.trim().to_owned()] })
    };
    parts.into_iter().map(read).collect()
}

/// Returns the notice of the standard library's own code.
fn itself(licences: &Path) -> Result<Notice> {
    let texts = ["MIT.txt", "Apache-2.0.txt", "Unicode-3.0.txt", "LLVM-exception.txt"];
    let read = |name: &&str| {
        fs::read_to_string(licences.join(name))
            .map(|text| text.trim().to_owned())
            .with_context(|| format!("cannot read {name}"))
    };
    Ok(Notice {
        title: "Rust's standard library (MIT OR Apache-2.0), copyright the Rust project developers, with parts by Alex \
                Crichton and the Crossbeam project developers\nunicode_data.rs in it (Unicode-3.0), copyright 1991-2024 \
                Unicode, Inc.\ncompiler_builtins in it (MIT AND Apache-2.0 WITH LLVM-exception AND (MIT OR Apache-2.0))"
            .to_owned(),
        texts: texts.iter().map(read).collect::<Result<_>>()?,
    })
}

/// Returns the notice of a crate that the toolchain's page does not list.
fn other(root: &Path, name: &str) -> Result<Notice> {
    let path = root.join(OTHERS).join(format!("{name}.txt"));
    let text = fs::read_to_string(path);
    let text = text.with_context(|| {
        format!("Rust's standard library contains the crate {name}, and {OTHERS} has no licence for it")
    })?;
    Ok(Notice {
        title: format!("{name} in Rust's standard library (MIT)"),
        texts: vec![text.trim().to_owned()],
    })
}

/// Returns the names of the crates that the standard library is built from.
fn crates(libraries: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(libraries).with_context(|| format!("cannot list {}", libraries.display()))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let name = file.strip_suffix(".rlib").and_then(|file| file.strip_prefix("lib"));
        let Some((name, _)) = name.and_then(|name| name.rsplit_once('-')) else { continue };
        if !NOT_LISTED.contains(&name) && !name.starts_with("rustc_std_workspace") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    ensure!(!names.is_empty(), "{} has no crates", libraries.display());
    Ok(names)
}

/// A crate of the toolchain's page.
struct Listed {
    /// The name, as in `extern crate`.
    name: String,
    /// The name and the version.
    title: String,
    licence: String,
    texts: Vec<String>,
}

impl Listed {
    fn notice(&self) -> Notice {
        let Self { title, licence, texts, .. } = self;
        Notice { title: format!("{title} in Rust's standard library ({licence})"), texts: texts.clone() }
    }
}

/// Returns the crates of the toolchain's page.
fn listed(page: &str) -> Vec<Listed> {
    let between = |text: &str, begin: &str, end: &str| {
        text.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map(|(found, _)| plain(found))
    };
    let entry = |part: &str| -> Option<Listed> {
        let title = part.split_once("</h3>")?.0.trim_start_matches(|letter: char| !letter.is_ascii()).trim();
        let (name, version) = title.rsplit_once('-')?;
        Some(Listed {
            name: name.replace('-', "_"),
            title: format!("{name} {version}"),
            licence: between(part, "<b>License:</b>", "</p>")?,
            texts: part
                .split("<pre>")
                .skip(1)
                .filter_map(|rest| Some(plain(rest.split_once("</pre>")?.0)))
                .collect(),
        })
    };
    page.split("<h3>").skip(1).filter_map(entry).collect()
}

/// Returns the text that HTML stands for.
fn plain(html: &str) -> String {
    let mut text = html.trim().to_owned();
    for (entity, letter) in [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
    {
        text = text.replace(entity, letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{listed, notices};
    use crate::target::Target;

    const PAGE: &str = "<h1>x</h1><h3>📦 rustc-demangle-0.1.27</h3><p><b>License:</b> MIT</p>
        <summary><code>LICENSE-MIT</code></summary><pre>\nThe &#34;Software&#34; of A &#60;a@example.com&#62;\n</pre>
        <h3>📦 wasi-0.11.1+wasi-preview</h3><p><b>License:</b> ISC</p>";

    #[test]
    fn it_reads_the_crates_of_the_page() {
        let entries = listed(PAGE);
        assert_eq!(entries.len(), 2);
        assert_eq!((&*entries[0].name, &*entries[0].title), ("rustc_demangle", "rustc-demangle 0.1.27"));
        assert_eq!(entries[0].texts, ["The \"Software\" of A <a@example.com>"]);
        assert!(entries[1].texts.is_empty());
    }

    #[test]
    fn it_has_a_text_for_each_crate_and_fails_for_one_without() {
        let (root, target) = (xtask_demo::run::root(), Target::named("x86_64-linux-gnu").expect("a target"));
        let found = notices(&root, target).expect("the toolchain has the page");
        for name in ["gimli ", "addr2line ", "hashbrown ", "rustc-demangle ", "miniz_oxide ", "libc "] {
            let notice = found.iter().find(|notice| notice.title.starts_with(name)).expect(name);
            assert!(notice.texts.iter().all(|text| text.len() > 500) && !notice.texts.is_empty(), "{name}");
        }
        let empty = tempfile::tempdir().expect("a folder");
        let message = notices(empty.path(), target).expect_err("no licences").to_string();
        assert!(message.contains("contains the crate ") && !message.contains('\n'), "{message}");
    }
}
