//! Inputs to start with, from the vectors that every language runs.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::target::root;

/// Returns the cases of `tests/vectors/NAME`, each as JSON.
pub fn vectors(name: &str) -> Vec<Value> {
    let folder = root().join("tests/vectors").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry of the folder").path())
        .map(|path| if path.is_dir() { path.join("case.json") } else { path })
        .collect();
    files.sort();
    let cases = files.iter().map(|file| {
        let text = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_slice(&text).expect("a vector is JSON")
    });
    cases.collect()
}

/// Returns the files of the vectors of sources, which are texts with a pair.
pub fn source_files() -> Vec<Vec<u8>> {
    let mut folders = vec![root().join("tests/vectors/source")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the vectors") {
            let path = entry.expect("an entry of the folder").path();
            let is_text = path.parent().is_some_and(|folder| folder.ends_with("files"));
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(_) if is_text => files.extend(fs::read(path).ok().filter(|text| text.len() < 2048)),
                _ => {}
            }
        }
    }
    files.sort();
    files.dedup();
    files
}

/// Returns the text at `pointer` of every case that has one.
pub fn texts(cases: &[Value], pointer: &str) -> Vec<Vec<u8>> {
    let text = |case: &Value| Some(case.pointer(pointer)?.as_str()?.as_bytes().to_vec());
    let mut texts: Vec<Vec<u8>> = cases.iter().filter_map(text).filter(|text| text.len() < 2048).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// Returns every text with `first` before it.
pub fn after(first: &[u8], texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    texts.into_iter().map(|text| [first, &text].concat()).collect()
}
