//! The report of a scan as text.

use std::fmt::Write as _;

use clap::builder::styling::{AnsiColor, Style};
use justcall_auth::printable;
use justcall_auth_scan::{Report, ScanCode, ScanFinding};

use crate::argument_mask::ArgumentMask;
use crate::failure::{CYAN, RED};

const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const BOLD: Style = Style::new().bold();

/// The number of digits shown of a commit's name. git accepts this abbreviation.
const COMMIT: usize = 12;

/// Returns one line for each finding, in the format of compilers.
pub(super) fn findings(findings: &[ScanFinding], argument_mask: &ArgumentMask) -> String {
    let mut text = String::new();
    for finding in findings {
        let style = if finding.severity() == "severe" { RED } else { YELLOW };
        let shipped = if finding.is_shipped { ", browsers receive it" } else { "" };
        let key = finding.key_hint.as_ref().map(|hint| format!(" of the key {hint}")).unwrap_or_default();
        writeln!(
            text,
            "{}: {style}{} ({}{shipped}){style:#}: the secret {}{key}, {}",
            place(finding, argument_mask),
            finding.code.name(),
            finding.severity(),
            finding.fingerprint,
            finding.form,
        )
        .expect("a String takes everything");
    }
    text
}

/// Returns the location in the format of compilers.
fn place(finding: &ScanFinding, argument_mask: &ArgumentMask) -> String {
    let commit = finding.location.commit.as_ref().map(|commit| {
        let short = commit.get(..COMMIT).unwrap_or(commit);
        format!("{short}:")
    });
    let path = printable::on_lines(&argument_mask.mask(&finding.location.path)).replace('\n', "?");
    format!("{BOLD}{}{path}{BOLD:#}:{}:{}", commit.unwrap_or_default(), finding.line, finding.column)
}

/// Returns a line for each text that could not be scanned.
pub(super) fn unread(report: &Report, argument_mask: &ArgumentMask) -> String {
    let mut text = String::new();
    for unread in &report.unread {
        let (path, why) =
            (printable::on_lines(&argument_mask.mask(&unread.path)), printable::on_lines(&unread.why));
        writeln!(text, "{RED}✗{RED:#} {path} was not scanned: {why}.").expect("a String takes everything");
    }
    text
}

/// Returns the result, and the remedy for each kind of finding. `remark` is the reason if only forms were searched for.
pub(super) fn summary(report: &Report, remark: Option<&str>) -> String {
    let what = format!("{} texts, {}", report.texts, amount(report.bytes));
    let mut text = match (report.findings.len(), report.unread.is_empty()) {
        (0, true) => format!("{GREEN}✓{GREEN:#} Nothing found in {what}."),
        (0, false) => {
            format!("{RED}✗{RED:#} Nothing found in {what}, but not everything could be scanned.")
        }
        (count, _) => format!("\n{RED}✗{RED:#} {count} found in {what}."),
    };
    if report.allowed > 0 {
        write!(text, " {} more allowed.", report.allowed).expect("a String takes everything");
    }
    text.push('\n');
    if let Some(remark) = remark {
        writeln!(text, "  {remark} the scan searched only for text with the form of a pair.")
            .expect("a String takes everything");
    }
    for code in
        ScanCode::ALL.iter().filter(|code| report.findings.iter().any(|finding| finding.code == **code))
    {
        writeln!(text, "{CYAN}→{CYAN:#} {}: {} {}", code.name(), code.message(), code.remedy())
            .expect("a String takes everything");
    }
    text
}

/// Returns a number of bytes with a unit.
pub(super) fn amount(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}
