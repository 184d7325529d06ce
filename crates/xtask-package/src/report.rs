//! docs/evidence/packages.md: sizes, and what is inside the binaries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use xtask_demo::run::output;

use crate::binary::{self, Stripped};
use crate::build::Built;
use crate::workspace::commit;

const OTHER_TARGETS: &str = "
## Other targets

`cargo xtask package --target aarch64-linux-gnu` writes the same files for 64-bit ARM where Rust's standard library for it is
installed with rustup. Where it is not, `cargo xtask test --full` builds the library for 64-bit ARM in Debian 13, with the standard
library of the package `libstd-rust-dev:arm64`, compares its symbols with the list, and runs a C program with it under QEMU.
The packages cannot be built there: the sandbox needs Rust 1.88, and Debian 13 has 1.85. A build for musl needs the standard
library of rustup, because no package of Debian 13 has it.

| target | its standard library on the machine of this report |
|---|---|
";

const NEEDED: &str = "
## Why the shared library needs each library

The symbols that it uses, by the library that has them in glibc 2.17, which is the floor. Since glibc 2.34, those of `libdl` and
`libpthread` are in `libc`, and the two files remain for programs that were built before. The dynamic linker has the function
that finds variables of a thread.

| library | symbols | which |
|---|---|---|
";

/// Returns a list, or its first words if there are many.
fn shortened(symbols: &[&str]) -> String {
    let shown = symbols.iter().take(24).map(|symbol| format!("`{symbol}`")).collect::<Vec<_>>().join(", ");
    if symbols.len() > 24 { shown + ", …" } else { shown }
}

/// Returns the text of the report about the files in `dist`.
pub fn text(root: &Path, built: &Built, dist: &Path) -> Result<String> {
    let mut text = String::from(
        "# Packages\n\nWritten by `cargo xtask test --full` and `cargo xtask package --report`: change that, not this file.\n\n",
    );
    let rustc = output(Command::new("rustc").arg("--version"))?;
    writeln!(text, "Commit {}, {}.\n", commit(root)?, rustc.trim())?;
    text.push_str("## Binaries\n\nSizes without debug information. *glibc* is the highest version whose symbols are used.\n\n");
    text.push_str("| file | bytes | exports | glibc | needs |\n|---|---|---|---|---|\n");
    for Stripped { path, .. } in built.binaries() {
        let glibc: Vec<String> = binary::highest_glibc(path)?.iter().map(u32::to_string).collect();
        let needed: Vec<String> = binary::needed(path)?.into_iter().collect();
        let exports = binary::exports(path)?.len();
        writeln!(
            text,
            "| `{}` | {} | {exports} | {} | {} |",
            name(path),
            size(path)?,
            glibc.join("."),
            needed.join(", ")
        )?;
    }
    let library = &built.library;
    let exports = binary::global_symbols(&library.archive)?.len();
    writeln!(text, "| `{}` | {} | {exports} | | |", name(&library.archive), size(&library.archive)?)?;
    text.push_str(NEEDED);
    for (name, symbols) in binary::symbols_of_libraries(&library.shared.path)? {
        let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
        writeln!(text, "| {name} | {} | {} |", symbols.len(), shortened(&symbols))?;
    }
    text.push_str("\n## What the shared library weighs\n\nCode and constants with a symbol, by the crate that the symbol names. Code that was inlined counts for its caller.\n\n| crate | bytes |\n|---|---|\n");
    for (crate_name, bytes) in
        weights(library.shared.debug.as_deref().unwrap_or(&library.shared.path))?.into_iter().take(20)
    {
        writeln!(text, "| {crate_name} | {bytes} |")?;
    }
    text.push_str(OTHER_TARGETS);
    for triple in ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"] {
        let mut rustc = Command::new("rustc");
        let libraries = output(rustc.args(["--print", "target-libdir", "--target", triple]))?;
        let is_installed = Path::new(libraries.trim()).is_dir();
        writeln!(text, "| {triple} | {} |", if is_installed { "installed" } else { "not installed" })?;
    }
    text.push_str("\n## Files of `dist/`\n\n| file | bytes |\n|---|---|\n");
    let mut files = fs::read_dir(dist)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        writeln!(text, "| `{}` | {} |", name(&file.path()), file.metadata()?.len())?;
    }
    Ok(text)
}

/// Returns the names of the crates whose symbols are in a debug file.
pub fn crates(debug: &Path) -> Result<BTreeSet<String>> {
    let is_crate = |name: &String| !name.contains(' ') && name != "other";
    Ok(weights(debug)?.into_iter().map(|(name, _)| name).filter(is_crate).collect())
}

/// Returns the sizes of the symbols of each crate, the largest first.
fn weights(debug: &Path) -> Result<Vec<(String, u64)>> {
    let symbols =
        output(Command::new("nm").args(["--print-size", "--demangle", "--defined-only"]).arg(debug))?;
    let mut weights: BTreeMap<String, u64> = BTreeMap::new();
    for line in symbols.lines() {
        let mut words = line.splitn(4, ' ');
        if let (Some(_), Some(size), Some(_), Some(symbol)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            *weights.entry(crate_of(symbol)).or_default() += u64::from_str_radix(size, 16).unwrap_or(0);
        }
    }
    let mut sorted: Vec<(String, u64)> = weights.into_iter().collect();
    sorted.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    Ok(sorted)
}

/// Returns the crate that a symbol names: for `<a::B as c::D>::e` the first, `a`.
fn crate_of(symbol: &str) -> String {
    if symbol.starts_with("justcall_") && !symbol.contains("::") {
        return "the exported functions".to_owned();
    }
    let Some((before, _)) = symbol.split_once("::") else { return "C and assembly of ring".to_owned() };
    let name = before
        .rsplit(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .next()
        .unwrap_or_default();
    if name.is_empty() { "other".to_owned() } else { name.to_owned() }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path)?.len())
}

#[cfg(test)]
mod tests {
    use super::crate_of;

    #[test]
    fn it_finds_the_crate_of_a_symbol() {
        for (symbol, expected) in [
            ("rustls::conn::ConnectionCore<Data>::process", "rustls"),
            ("<http::header::Map<T> as core::fmt::Debug>::fmt", "http"),
            ("<&mut serde_json::Value as core::fmt::Debug>::fmt", "serde_json"),
            ("justcall_client_new", "the exported functions"),
            ("fe_mul", "C and assembly of ring"),
        ] {
            assert_eq!(crate_of(symbol), expected, "{symbol}");
        }
    }
}
