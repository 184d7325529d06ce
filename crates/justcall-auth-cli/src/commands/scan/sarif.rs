//! The report of a scan as SARIF 2.1.0 (OASIS), which code hosts display beside the lines.

use justcall_auth::encoding::{AsciiSet, all_but, push_percent_encoded};
use justcall_auth_scan::{Report, ScanCode, ScanFinding, Unread};
use serde_json::{Value, json};

/// Characters that a path in a URI must not contain. A colon in its first part would end a scheme.
static NOT_IN_PATH: AsciiSet = all_but(b"-._~/");

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Returns a log with one run.
pub(super) fn log(report: &Report) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "justcall-auth",
                "semanticVersion": justcall_auth::VERSION,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": ScanCode::ALL.iter().copied().map(rule).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unread.is_empty(),
                "toolExecutionNotifications": report.unread.iter().map(notification).collect::<Vec<_>>(),
            }],
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(code: ScanCode) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": {"text": code.message()},
        "fullDescription": {"text": code.explanation()},
        "help": {"text": code.remedy()},
        "defaultConfiguration": {"level": "error"},
        // GitHub sorts by this number: from 9.0 critical, from 7.0 high.
        "properties": {"tags": ["security"], "security-severity": if code == ScanCode::OwnSecret { "9.8" } else { "8.0" }},
    })
}

fn result(finding: &ScanFinding) -> Value {
    let browsers = if finding.is_shipped { " Browsers receive this text." } else { "" };
    let index = ScanCode::ALL.iter().position(|code| *code == finding.code);
    json!({
        "ruleId": finding.code.name(),
        "ruleIndex": index,
        "level": "error",
        "message": {"text": format!("{}{browsers} {}", finding.code.message(), finding.code.remedy())},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.location.path)},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }}],
        "partialFingerprints": {"secret/v1": finding.fingerprint.to_string()},
        "properties": {
            "severity": finding.severity(),
            "form": finding.form,
            "key_hint": finding.key_hint,
            "commit": finding.location.commit,
            "shipped_to_browsers": finding.is_shipped,
        },
    })
}

fn notification(unread: &Unread) -> Value {
    json!({
        "level": "error",
        "message": {"text": format!("The text was not scanned: {}.", unread.why)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&unread.path)}}}],
    })
}

/// Returns a path as a reference relative to the folder of the scan, or as a `file:` URL.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    push_percent_encoded(path, &NOT_IN_PATH, &mut uri);
    uri
}
