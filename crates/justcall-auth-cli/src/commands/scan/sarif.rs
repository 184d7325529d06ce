//! The report of a scan as SARIF 2.1.0 (OASIS), which code hosts show beside the lines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::scan::{Code, Finding, Report, Unread};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The one run of a log.
pub(super) fn log(report: &Report) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "justcall-auth",
                "semanticVersion": justcall_auth::VERSION,
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": Code::ALL.iter().copied().map(rule).collect::<Vec<_>>(),
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

fn rule(code: Code) -> Value {
    json!({
        "id": code.name(),
        "shortDescription": {"text": code.message()},
        "fullDescription": {"text": code.explanation()},
        "help": {"text": code.remedy()},
        "defaultConfiguration": {"level": "error"},
        // What GitHub sorts by: from 9.0 critical, from 7.0 high.
        "properties": {"tags": ["security"], "security-severity": if code == Code::OwnSecret { "9.8" } else { "8.0" }},
    })
}

fn result(finding: &Finding) -> Value {
    let browsers = if finding.is_shipped { " Browsers get it." } else { "" };
    let index = Code::ALL.iter().position(|code| *code == finding.code);
    json!({
        "ruleId": finding.code.name(),
        "ruleIndex": index,
        "level": "error",
        "message": {"text": format!("{}{browsers} {}", finding.code.message(), finding.code.remedy())},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(&finding.place.path)},
            "region": {"startLine": finding.line, "startColumn": finding.column},
        }}],
        "partialFingerprints": {"secret/v1": finding.fingerprint.to_string()},
        "properties": {
            "severity": finding.severity(),
            "form": finding.form,
            "key_hint": finding.key_hint,
            "commit": finding.place.commit,
            "shipped_to_browsers": finding.is_shipped,
        },
    })
}

fn notification(unread: &Unread) -> Value {
    json!({
        "level": "error",
        "message": {"text": format!("It was not looked at: {}.", unread.why)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(&unread.path)}}}],
    })
}

/// A path as a reference relative to wherever the scan ran, or as a file: URL.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        // A colon in the first part would be read as a scheme.
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(byte.into());
        } else {
            write!(uri, "%{byte:02X}").expect("a String takes everything");
        }
    }
    uri
}
