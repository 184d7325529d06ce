//! `scan`: finds pairs in files and in git history.

mod sarif;
mod text;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Error, ErrorKind, Source};
use justcall_auth_scan::{
    Baseline, Buffer, Files, History, Known, Location, Report, ScanCode, ScanFinding, Scanner, Unread,
    baseline_of,
};
use serde_json::{Value, json};

use crate::arguments::{Global, ScanArguments};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::spinner::Spinner;

/// The default source, which may contain no pair. Then `scan` searches only for the form of pairs.
const DEFAULT: &str = "default:";
const STANDARD_INPUT: &str = "standard input";

pub(super) fn run(global: &Global, arguments: &ScanArguments, output: &Output) -> Result<(), Failure> {
    if arguments.reflog && arguments.git.as_ref().is_some_and(|range| !range.is_empty()) {
        let message = "The option --reflog cannot be combined with a range of --git, because --reflog extends the whole history.";
        return Err(Error::invalid_argument(message)
            .with_hint("Leave out either the range or --reflog.")
            .into());
    }
    let own = own_pair(&global.source)?;
    let remark = own.remark();
    let mut scanner = Scanner { known: own.known, ..Scanner::default() };
    if let Some(path) = &arguments.baseline {
        scanner.baseline = Baseline::read(path).map_err(|error| masked(&error, &scanner))?;
    }
    let seen = Arc::new(AtomicU64::new(0));
    let spinner = output.has_live_terminal().then(|| {
        let seen = Arc::clone(&seen);
        Spinner::with_text(move || format!("{} scanned", text::amount(seen.load(Ordering::Relaxed))))
    });
    let report = match &arguments.git {
        Some(range) => History {
            repository: arguments.repository.as_deref().unwrap_or(Path::new(".")),
            range: Some(range.as_str()).filter(|range| !range.is_empty()),
            includes_reflog: arguments.reflog,
        }
        .scan(&scanner, &seen)
        .map_err(|error| masked(&error, &scanner))?,
        None => scan_files(&scanner, arguments, &own.files, &seen),
    };
    drop(spinner);
    if let Some(path) = &arguments.write_baseline {
        return write_baseline(path, &report, output);
    }
    show(&scanner, &report, remark, arguments, output)?;
    if report.findings.is_empty() && report.unread.is_empty() {
        return Ok(());
    }
    Err(Failure::Reported(Exit::Failure))
}

/// The user's own pair, if it can be searched for.
#[derive(Default)]
struct OwnPair {
    is_given: bool,
    known: Option<Known>,
    /// The files of the source, which are not scanned.
    files: Vec<PathBuf>,
}

impl OwnPair {
    /// Returns the reason why the own pair is not searched for.
    fn remark(&self) -> Option<&'static str> {
        match (&self.known, self.is_given) {
            (Some(_), _) => None,
            (None, true) => {
                Some("Your own secret is too short to be distinguished from other text. Therefore")
            }
            (None, false) => Some("No source contains a pair of your own. Therefore"),
        }
    }
}

fn own_pair(source: &str) -> Result<OwnPair, Failure> {
    match Source::parse(source)?.load(&ProcessEnvironment) {
        Ok(loaded) => {
            let files = loaded.files.iter().filter_map(|file| file.canonicalize().ok()).collect();
            Ok(OwnPair { is_given: true, known: Known::new(&loaded.pair.credentials), files })
        }
        Err(error) if error.kind() == ErrorKind::CredentialsMissing && source == DEFAULT => {
            Ok(OwnPair::default())
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns `error` with the pair masked, because any path may contain it.
fn masked(error: &Error, scanner: &Scanner) -> Error {
    Error::with_message(error.kind(), scanner.mask(error.message())).with_hint(error.hint())
}

fn scan_files(scanner: &Scanner, arguments: &ScanArguments, except: &[PathBuf], seen: &AtomicU64) -> Report {
    let (input, paths): (Vec<_>, Vec<_>) =
        arguments.paths.iter().cloned().partition(|path| path.as_os_str() == "-");
    let files = Files { paths: &paths, respect_gitignore: arguments.respect_gitignore, except };
    let mut report = files.scan(scanner, seen);
    if !input.is_empty() {
        let location = Location { path: STANDARD_INPUT.to_owned(), commit: None };
        let outcome =
            scanner.scan(&location, "", &mut io::stdin().lock(), &mut Buffer::default(), &mut report);
        if let Err(error) = outcome {
            report.unread.push(Unread { path: location.path, why: error.to_string() });
        }
    }
    report.settle();
    report
}

fn show(
    scanner: &Scanner,
    report: &Report,
    remark: Option<&str>,
    arguments: &ScanArguments,
    output: &Output,
) -> Result<(), Failure> {
    if arguments.sarif {
        Output::print_json(&sarif::log(report))?;
    } else if output.is_json() {
        Output::print_json(&json(scanner, report))?;
    } else {
        output.print(&text::findings(&report.findings, output.argument_mask()))?;
        output.diagnose(&text::unread(report, output.argument_mask()));
        output.print(&text::summary(report, remark))?;
    }
    Ok(())
}

fn json(scanner: &Scanner, report: &Report) -> Value {
    let unread = |unread: &Unread| json!({"path": unread.path, "why": unread.why});
    json!({
        "ok": report.findings.is_empty() && report.unread.is_empty(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "allowed": report.allowed,
        "texts": report.texts,
        "bytes": report.bytes,
        "unread": report.unread.iter().map(unread).collect::<Vec<_>>(),
        "own_pair": scanner.known.is_some(),
    })
}

fn finding(finding: &ScanFinding) -> Value {
    json!({
        "code": finding.code.name(),
        "severity": finding.severity(),
        "message": finding.code.message(),
        "remedy": finding.code.remedy(),
        "path": finding.location.path,
        "commit": finding.location.commit,
        "line": finding.line,
        "column": finding.column,
        "form": finding.form,
        "key_hint": finding.key_hint,
        "fingerprint": finding.fingerprint.to_string(),
        "shipped_to_browsers": finding.is_shipped,
    })
}

/// Writes a baseline that allows the findings, except those of the user's own pair.
fn write_baseline(path: &Path, report: &Report, output: &Output) -> Result<(), Failure> {
    let (live, others): (Vec<ScanFinding>, Vec<ScanFinding>) =
        report.findings.iter().cloned().partition(|finding| finding.code == ScanCode::OwnSecret);
    std::fs::write(path, baseline_of(&others))
        .map_err(|error| Failure::File { path: path.to_owned(), error })?;
    output.diagnose(&text::unread(report, output.argument_mask()));
    output.print(&text::findings(&live, output.argument_mask()))?;
    if live.is_empty() && report.unread.is_empty() {
        return Ok(());
    }
    Err(Failure::Reported(Exit::Failure))
}
