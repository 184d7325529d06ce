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

/// A list of findings, sorted so that the worst finding comes first. The list is empty if nothing
/// is wrong. A report is immutable, so several threads may use it at the same time.
pub struct justcall_report {
    lines: Vec<Line>,
}

struct Line {
    severity: i32,
    code: CString,
    message: CString,
    remedy: CString,
}

/// The finding is useful to know if the service rejects the pair.
pub const JUSTCALL_SEVERITY_NOTE: i32 = 0;
/// The pair can work as it is, but the finding is probably a mistake.
pub const JUSTCALL_SEVERITY_WARNING: i32 = 1;
/// The pair cannot work, and the library would send nothing.
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

/// Checks the text that a person pasted as a pair. `text` is `key:secret`, a header value or a
/// header line. `text` is `text_length` bytes and does not need a NUL at the end. Sends nothing.
/// Reads only the environment variable JUSTCALL_API_KEY, to detect a key and a secret in the wrong
/// order.
///
/// Returns JUSTCALL_OK even if the report has findings. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT
/// if `text` or `out` is NULL. On success, free `*out` with justcall_report_free(). On failure,
/// `*out` is NULL. No text of the report contains any part of `text`. Does not block.
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
/// reports sources that could mislead a program, such as a second source with a different pair.
/// Sends nothing and runs no program.
///
/// Returns JUSTCALL_OK even if the report has findings. Fails with JUSTCALL_ERROR_INVALID_ARGUMENT
/// if `out` is NULL. On success, free `*out` with justcall_report_free(). On failure, `*out` is
/// NULL. No text of the report contains a key or a secret. Blocks while it reads files. This
/// function is thread-safe, as long as no other thread changes the environment.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_diagnose_environment(
    out: *mut *mut justcall_report,
    error: *mut *mut justcall_error,
) -> justcall_status {
    fallible!(out, error, || Ok(justcall_report::new(&diagnose_environment(&ProcessEnvironment))))
}

/// Returns the number of findings in a report. Returns 0 if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_count(report: *const justcall_report) -> usize {
    infallible!(0, |report| report.lines.len())
}

/// Returns the severity of finding number `index`, which is one of the JUSTCALL_SEVERITY numbers.
/// The findings are numbered from 0. Returns -1 if the report has no finding with this number, or
/// if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_severity(report: *const justcall_report, index: usize) -> i32 {
    infallible!(-1, |report| report.lines.get(index)?.severity)
}

/// Returns the code of finding number `index`, such as `"trailing_whitespace"`. The code is the
/// same in every programming language. Returns NULL if the report has no finding with this number,
/// or if `report` is NULL. The text is valid until `report` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_code(report: *const justcall_report, index: usize) -> *const c_char {
    infallible!(ptr::null(), |report| report.lines.get(index)?.code.as_ptr())
}

/// Returns a sentence that describes finding number `index`. Returns NULL if the report has no
/// finding with this number, or if `report` is NULL. The text is valid until `report` is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_message(
    report: *const justcall_report,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |report| report.lines.get(index)?.message.as_ptr())
}

/// Returns the remedy for finding number `index`: what to do about it. Returns NULL if the report
/// has no finding with this number, or if `report` is NULL. The text is valid until `report` is
/// freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_remedy(
    report: *const justcall_report,
    index: usize,
) -> *const c_char {
    infallible!(ptr::null(), |report| report.lines.get(index)?.remedy.as_ptr())
}

/// Frees a report and every text that was borrowed from it. Does nothing if `report` is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn justcall_report_free(report: *mut justcall_report) {
    free!(report);
}
