//! The hash of code. A result stays valid as long as the code has the same hash.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{command, output};

/// How many letters of a hash distinguish versions.
const HASH_LENGTH: usize = 12;

/// Returns the hash of a source file without the tests at its end.
pub fn hash_of_file(root: &Path, path: &str) -> Result<String> {
    hash(root, &read(root, path)?)
}

/// Returns the hash of all files that git's `patterns` match, with their names, without the tests at their ends.
///
/// # Errors
/// Fails if a pattern matches no file: the code behind a misspelt one would not count.
pub fn hash_of_files(root: &Path, patterns: &[&str]) -> Result<String> {
    let options = ["ls-files", "--error-unmatch", "--cached", "--others", "--exclude-standard", "--"];
    let mut list = command(root, "git", &options);
    let paths = output(list.args(patterns))?;
    let mut all = String::new();
    for path in paths.lines().filter(|path| root.join(path).is_file()) {
        writeln!(all, "{path}\n{}", read(root, path)?).expect("a string grows");
    }
    hash(root, &all)
}

fn read(root: &Path, path: &str) -> Result<String> {
    let text = fs::read_to_string(root.join(path)).with_context(|| path.to_owned())?;
    Ok(without_tests(&text).to_owned())
}

/// Returns the part of a source file before its tests.
fn without_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod tests").map_or(text, |(code, _)| code).trim_end()
}

/// Returns the start of git's hash of `text`.
fn hash(root: &Path, text: &str) -> Result<String> {
    let mut git = command(root, "git", &["hash-object", "--stdin"]);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start git")?;
    child.stdin.take().expect("it was piped").write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "git hash-object ended with {}", output.status);
    let hash = String::from_utf8(output.stdout)?;
    Ok(hash.get(..HASH_LENGTH).context("git hash-object printed no hash")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        output(&mut command(folder.path(), "git", &["init", "--quiet"]))?;
        Ok(folder)
    }

    #[test]
    fn it_hashes_the_code_without_its_tests() -> Result<()> {
        let folder = repository()?;
        let hash = |text: &str| {
            fs::write(folder.path().join("a.rs"), text)?;
            hash_of_file(folder.path(), "a.rs")
        };
        let code = hash("fn a() {}\n")?;
        // What `printf 'fn a() {}' | git hash-object --stdin` prints.
        assert_eq!(code, "1e7477ee9eeb");
        assert_eq!(code, hash("fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n")?);
        assert_ne!(code, hash("fn b() {}\n")?);
        Ok(())
    }

    #[test]
    fn it_hashes_the_names_and_the_code_of_the_files_that_match() -> Result<()> {
        let folder = repository()?;
        let hash = || hash_of_files(folder.path(), &["source"]);
        hash().expect_err("there is no file");
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text);
        fs::create_dir(folder.path().join("source"))?;
        put("source/a.rs", "fn a() {}\n")?;
        let first = hash()?;
        put("b.rs", "fn b() {}\n")?;
        put("source/a.rs", "fn a() {}\n\n#[cfg(test)]\nmod tests {}\n")?;
        assert_eq!(hash()?, first, "neither another file nor a test counts");
        put("source/b.rs", "fn b() {}\n")?;
        let second = hash()?;
        assert_ne!(second, first, "a new file");
        fs::rename(folder.path().join("source/b.rs"), folder.path().join("source/c.rs"))?;
        assert_ne!(hash()?, second, "another name");
        let misspelt = hash_of_files(folder.path(), &["source", "sauce"]).expect_err("one matches nothing");
        assert!(misspelt.to_string().contains("sauce"), "{misspelt}");
        Ok(())
    }
}
