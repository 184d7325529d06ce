//! Adds inputs that libFuzzer found to the corpus that git tracks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// The most inputs of a corpus, and the longest one, in bytes. The rest of what libFuzzer finds is not worth its place.
const MOST: usize = 50;
const LONGEST: u64 = 1024;

/// Replaces the corpus of a target by inputs of this run, which are in its folder `home`, of the old corpus and of its failures, that reach code which the
/// seeds do not reach: the shortest ones. Inputs whose names begin with `failure-` stay.
pub fn keep(root: &Path, programs: &Path, seeds: &Path, home: &Path, name: &str) -> Result<()> {
    let corpus = root.join("fuzz/corpus").join(name);
    fs::create_dir_all(&corpus)?;
    let merged = home.join("merged");
    drop(fs::remove_dir_all(&merged));
    fs::create_dir_all(&merged)?;
    let known: Vec<PathBuf> = files(&seeds.join(name))?;
    for seed in &known {
        fs::copy(seed, merged.join(seed.file_name().context("a seed has a name")?))?;
    }
    let mut merge = Command::new(programs.join(name));
    merge.arg("-merge=1").arg(format!("-max_len={LONGEST}")).arg(&merged);
    merge.arg(home.join("inputs")).arg(&corpus);
    let status = merge.current_dir(root).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "libFuzzer cannot merge the inputs of {name}");
    let is_new = |path: &PathBuf| known.iter().all(|seed| seed.file_name() != path.file_name());
    let mut found: Vec<PathBuf> = files(&merged)?.into_iter().filter(is_new).collect();
    let length = |path: &PathBuf| fs::metadata(path).map_or(u64::MAX, |metadata| metadata.len());
    found.retain(|path| length(path) <= LONGEST);
    found.sort_by_key(|path| (length(path), path.clone()));
    // Of all lengths, because the longer ones reach what the shorter ones do not.
    let every = found.len().div_ceil(MOST).max(1);
    let chosen: Vec<&PathBuf> = found.iter().step_by(every).collect();
    let is_failure =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("failure-"));
    let contents: Vec<Vec<u8>> = chosen.iter().map(fs::read).collect::<Result<_, _>>()?;
    for old in files(&corpus)?.iter().filter(|path| !is_failure(path)) {
        fs::remove_file(old)?;
    }
    for (path, bytes) in chosen.iter().zip(contents) {
        let name = path.file_name().context("an input has a name")?.to_string_lossy();
        fs::write(corpus.join(&name[..name.len().min(16)]), bytes)?;
    }
    println!("  {name}: {} of {} new inputs", chosen.len(), found.len());
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    Ok(files)
}
