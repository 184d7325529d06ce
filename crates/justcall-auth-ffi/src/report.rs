//! What a local check found.

use std::ffi::{CString, c_char};
use std::ptr;

use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Finding, ProtectionReport, Severity, diagnose, diagnose_environment};

use crate::error::justcall_error;
use crate::fallible::fallible;
use crate::function::{free, infallible};
use crate::output;
use crate::status::justcall_status;

/// A list of findings, the worst first; empty if nothing is wrong. Immutable: any number of threads
/// may use one at once.
pub struct justcall_report {
    lines: Vec<Line>,
}

struct Line {
    severity: i32,
    code: CString,
    message: CString,
    remedy: CString,
}

/// Worth knowing if the service rejects the pair.
pub const JUSTCALL_SEVERITY_NOTE: i32 = 0;
/// Works, but is rarely meant.
pub const JUSTCALL_SEVERITY_WARNING: i32 = 1;
/// Cannot work; the library would send nothing.
pub const JUSTCALL_SEVERITY_ERROR: i32 = 2;

impl justcall_report {
    fn new(findings: &[Finding]) -> Self {
        let line = |finding: &Finding| Line {
            severity: match finding.severity() {
                Severity::Note => JUSTCALL_SEVERITY_NOTE,
                Severity::Warning => JUSTCALL_SEVERITY_WARNING,
                Severity::Error => JUSTCALL_SEVERITY_ERROR,
            },
            code: output::text(finding.code().name()),
            message: output::text(finding.message()),
            remedy: output::text(finding.remedy()),
        };
        Self { lines: findings.iter().map(line).collect() }
    }

    /// What keeps a client's pair, as a list of one.
    pub(crate) fn of_protection(protection: &ProtectionReport) -> Self {
        let obtained = protection.obtained().name();
        let message = format!(
            "The memory protection of the pair is {obtained}, although {} was requested.",
            protection.asked().name()
        );
        let severity = protection.why_not().map_or(JUSTCALL_SEVERITY_NOTE, |_| JUSTCALL_SEVERITY_WARNING);
        Self {
            lines: vec![Line {
                severity,
                code: output::text(obtained),
                message: output::text(&message),
                remedy: output::text(protection.why_not().unwrap_or_default()),
            }],
        }
    }
}

/// Checks a pair as people paste it: `key:secret`, a header value or a header line, `text_length`
/// bytes that need no NUL. Sends nothing. Reads no other input but the variable JUSTCALL_API_KEY,
/// to detect a key and a secret in the wrong order.
///
/// Findings are not a failure. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `text` or `out` is
/// NULL. On success `*out` is yours, to be freed with justcall_report_free(); on failure it is
/// NULL. No text of the report holds what was passed. Does not block.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_diagnose(
    text: *const c_char,
    text_length: usize,
    out: *mut *mut justcall_report,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, |text: bytes(text_length)| {
        Ok(justcall_report::new(&diagnose(text, &ProcessEnvironment)))
    })
}

/// Checks the pair that `"default:"` would use, and every source that `"default:"` reads. Also
/// reports sources that could mislead a program, such as a second one with a different pair. Sends
/// nothing and runs no program.
///
/// Findings are not a failure. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT if `out` is NULL. On
/// success `*out` is yours, to be freed with justcall_report_free(); on failure it is NULL. No text
/// of the report holds a key or a secret. Blocks while files are read. Any thread may call this
/// while no other changes the environment.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_diagnose_environment(
    out: *mut *mut justcall_report,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, || Ok(justcall_report::new(&diagnose_environment(&ProcessEnvironment))))
}

/// Returns how many findings there are. Returns 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_count(report: *const justcall_report) -> usize {
    infallible!(0, |report| report.lines.len())
}

/// Returns how bad finding number `index`, from 0, is: one of the JUSTCALL_SEVERITY numbers.
/// Returns -1 if there is no such finding or `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_severity(report: *const justcall_report, index: usize) -> i32 {
    infallible!(-1, |report| report.lines.get(index)?.severity)
}

/// Returns what finding number `index` is, such as `"trailing_whitespace"`: the same in every
/// language. Returns NULL if there is no such finding or `report` is NULL. The text lives as long
/// as `report`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_code(report: *const justcall_report, index: usize) -> *const c_char {
    infallible!(ptr::null(), |report| report.lines.get(index)?.code.as_ptr())
}

/// Returns what finding number `index` says, in a sentence. Returns NULL if there is no such
/// finding or `report` is NULL. The text lives as long as `report`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_message(
    report: *const justcall_report,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |report| report.lines.get(index)?.message.as_ptr())
}

/// Returns what to do about finding number `index`. Returns NULL if there is no such finding or
/// `report` is NULL. The text lives as long as `report`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_remedy(
    report: *const justcall_report,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |report| report.lines.get(index)?.remedy.as_ptr())
}

/// Frees a report and every text borrowed from it. Does nothing if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_free(report: *mut justcall_report) {
    free!(report);
}
