//! The comparison of the product with a second implementation, in `tests/second`.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{self, cargo, succeed};
use xtask_demo::venv::Venv;

use crate::full::{Report, Stage};

/// The cases of `cargo xtask test`, and those of `--full`.
const CASES: u32 = 20_000;
const FULL_CASES: u32 = 1_000_000;

/// Checks the Python code, compares both implementations, and plants each bug. The program of the product must be built.
pub fn test(root: &Path, venv: &Venv) -> Result<()> {
    let (project, folder) = (root.join("bindings/python"), root.join("tests/second"));
    succeed(&mut venv.command(&folder, "ruff", &["check", "."]))?;
    succeed(&mut venv.command(&folder, "ruff", &["format", "--check", "."]))?;
    let files = ["cases", "compare", "plants", "second"].map(|name| format!("../../tests/second/{name}.py"));
    succeed(venv.command(&project, "python", &["-m", "mypy", "--strict"]).args(files))?;
    let lines = lines_of_code(&fs::read_to_string(folder.join("second.py"))?);
    ensure!(lines <= 300, "tests/second/second.py has {lines} lines of code");
    print!("{}", compare(root, venv, CASES, &seed()?)?);
    print!("{}", plants(root, venv, &seed()?)?);
    Ok(())
}

/// Compares a million cases, and writes the report.
pub fn full(stage: &Stage<'_>) -> Result<()> {
    let (root, venv) = (stage.root, stage.venv()?);
    succeed(&mut cargo(root, &["build", "--quiet", "--package", "justcall-auth-second"]))?;
    let seed = seed()?;
    let command = format!(
        "python3 tests/second/compare.py target/debug/justcall-auth-second --cases {FULL_CASES} --seed {seed}"
    );
    let planted = "one in each row of the second table: each was found";
    let mut report = Report::begin("A second implementation", &command, &seed, planted);
    let table = compare(root, venv, FULL_CASES, &seed)?;
    let plants = plants(root, venv, &seed)?;
    report.add("differences", "0".to_owned());
    let results = format!(
        "The rules of the library exist once more in Python, written from the documents. [Its page](../../tests/second/README.md) explains what\n\
         is compared, and what the comparison found. An exchange is up to four calls, each with its own result.\n\n\
         | part | cases | results |\n|---|---|---|\n{table}\n## Planted bugs\n\n\
         Each bug was planted into one part, and the comparison of the same seed found it in the case that is named.\n\n\
         | bug | found in |\n|---|---|\n{plants}"
    );
    report.write(root, "second", &results)
}

/// Another seed for each run. A difference prints it.
fn seed() -> Result<String> {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).context("a clock before 1970")?;
    Ok(now.as_micros().to_string())
}

/// Returns a row for each part.
fn compare(root: &Path, venv: &Venv, cases: u32, seed: &str) -> Result<String> {
    comparison(root, venv, &["--cases", &cases.to_string(), "--seed", seed])
}

/// Returns a row for each planted bug.
fn plants(root: &Path, venv: &Venv, seed: &str) -> Result<String> {
    comparison(root, venv, &["--plants", "--seed", seed])
}

fn comparison(root: &Path, venv: &Venv, arguments: &[&str]) -> Result<String> {
    let mut python = venv.command(root, "python", &["tests/second/compare.py"]);
    python.arg(run::target_dir(root).join("debug/justcall-auth-second")).args(arguments);
    let output = python.output().context("cannot start Python")?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "the implementations differ, or a planted bug was not found\n{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(printed)
}

/// The lines of Python code: no comments, docstrings or empty lines.
fn lines_of_code(text: &str) -> usize {
    let mut is_text = false;
    let mut lines = 0;
    for line in text.lines().map(str::trim) {
        let quotes = line.matches("\"\"\"").count();
        let is_comment = is_text || line.starts_with("\"\"\"") || line.starts_with('#') || line.is_empty();
        is_text ^= quotes % 2 == 1;
        lines += usize::from(!is_comment);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lines_of_code;

    #[test]
    fn it_counts_lines_of_code() {
        let code =
            "\"\"\"A\nB = 1\n\"\"\"\n\nimport c  # d\n\n# e\ndef f():\n    \"\"\"g\"\"\"\n    return 1\n";
        assert_eq!(lines_of_code(code), 3);
    }
}
