//! The local check of a pasted text or of the environment: what `default:` would use, and what may mislead it.
//!
//! Sends nothing and runs no program. The findings about a pair itself come from the protocol crate.

use std::path::Path;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service::KEY_VARIABLE;
use zeroize::Zeroizing;

pub use justcall_auth_protocol::diagnose::{Code, Example, Finding, MAX_HALF, Severity, pair, text};

use crate::source::{self, CHOICE, DEFAULT_SOURCES, Environment, Source, default_sources, setting};

/// Many integrations read this variable, but the service has no such secret.
const WEBHOOK_VARIABLE: &str = "JUSTCALL_WEBHOOK_SECRET";

/// Checks `text` as a pair, the value of a header, or a header line. Returns the worst finding first. A message never
/// contains the value. Reads only the API key from `environment`, to recognise swapped halves.
pub fn diagnose(text: &[u8], environment: &dyn Environment) -> Vec<Finding> {
    let key = environment.variable(KEY_VARIABLE).map(|key| Zeroizing::new(key.into_encoded_bytes()));
    justcall_auth_protocol::diagnose::text(text, key.as_deref().map(|key| key.trim_ascii()))
}

/// Checks the pair that `default:` would use, and the default sources. Returns the worst finding first. A message never
/// contains the value.
///
/// Works offline: does not read a source that needs the network, and never runs a program. Blocks while files are read.
pub fn diagnose_environment(environment: &dyn Environment) -> Vec<Finding> {
    let mut findings = Vec::new();
    if setting(environment, WEBHOOK_VARIABLE).is_some() {
        findings.push(Finding::at(Code::WebhookSecretVariable, WEBHOOK_VARIABLE));
    }
    let chosen = source::choice(environment).map(|choice| CheckedSource::chosen(&choice, environment));
    findings.extend(chosen.as_ref().and_then(CheckedSource::readable_by_others));
    let usual = default_sources().map(|usual| CheckedSource::of(usual.name, usual.source, environment));
    let present: Vec<CheckedSource> =
        chosen.into_iter().chain(usual.filter(CheckedSource::is_present)).collect();
    match present.first() {
        None => {
            let places = format!("{CHOICE}, {}", DEFAULT_SOURCES.join(", "));
            findings.push(Finding::at(Code::NothingFound, &places));
        }
        Some(used) => {
            findings.extend(used.findings());
            findings.extend(disagreement(used, &present[1..]));
        }
    }
    findings.sort_by_key(|finding| (finding.severity(), finding.code()));
    findings
}

/// A default source and its content.
struct CheckedSource {
    name: &'static str,
    source: Option<Source>,
    pair: CheckedContent,
}

enum CheckedContent {
    Pair(Credentials),
    Failure(Error),
    /// The content can only be read over the network.
    Unknown,
}

impl CheckedSource {
    fn chosen(spelling: &str, environment: &dyn Environment) -> Self {
        match Source::parse(spelling) {
            // `default:` refuses these too.
            Ok(Source::Command(_) | Source::Default) => {
                let error = Error::new(ErrorKind::InvalidArgument);
                Self { name: CHOICE, source: None, pair: CheckedContent::Failure(error) }
            }
            Ok(source) => Self::of(CHOICE, source, environment),
            Err(error) => Self { name: CHOICE, source: None, pair: CheckedContent::Failure(error) },
        }
    }

    fn of(name: &'static str, source: Source, environment: &dyn Environment) -> Self {
        let pair = match &source {
            Source::Env { .. } | Source::File(_) | Source::Dir { .. } | Source::Systemd { .. } => {
                match source.load(environment) {
                    Ok(loaded) => CheckedContent::Pair(loaded.pair.credentials),
                    Err(error) => CheckedContent::Failure(error),
                }
            }
            _ => CheckedContent::Unknown,
        };
        Self { name, source: Some(source), pair }
    }

    /// Returns true if `default:` would stop at this source. It passes over only absent pairs.
    fn is_present(&self) -> bool {
        !matches!(&self.pair, CheckedContent::Failure(error) if error.kind() == ErrorKind::CredentialsMissing)
    }

    fn findings(&self) -> Vec<Finding> {
        let code = match &self.pair {
            CheckedContent::Unknown => return Vec::new(),
            CheckedContent::Pair(pair) => return self.named(&pair.findings()),
            CheckedContent::Failure(error) => match error.kind() {
                ErrorKind::CredentialsMalformed if !error.findings().is_empty() => {
                    return self.named(error.findings());
                }
                ErrorKind::CredentialsMalformed => Code::SourceUnparsable,
                ErrorKind::CredentialsMissing => Code::NothingFound,
                ErrorKind::InvalidArgument => Code::SourceMisspelt,
                _ => Code::SourceUnreadable,
            },
        };
        vec![Finding::at(code, self.name)]
    }

    fn named(&self, findings: &[Finding]) -> Vec<Finding> {
        findings.iter().map(|finding| finding.clone().in_place(self.name)).collect()
    }

    fn readable_by_others(&self) -> Option<Finding> {
        match &self.source {
            Some(Source::File(path)) => readable_by_others(path),
            _ => None,
        }
    }
}

/// Reports that other default sources hold pairs other than the one in use.
fn disagreement(used: &CheckedSource, others: &[CheckedSource]) -> Option<Finding> {
    let CheckedContent::Pair(pair) = &used.pair else { return None };
    let differs =
        |place: &&CheckedSource| matches!(&place.pair, CheckedContent::Pair(other) if !other.same_pair(pair));
    let names: Vec<&str> = others.iter().filter(differs).map(|place| place.name).collect();
    let places = || format!("{}; {}", used.name, names.join("; "));
    (!names.is_empty()).then(|| Finding::at(Code::SourcesDisagree, &places()))
}

/// Reports that other users can read `file`. Files that a container mounts are exempt: all users may read them there,
/// but the container has only one user.
pub(crate) fn readable_by_others(file: &Path) -> Option<Finding> {
    let warned = !file.starts_with("/run/secrets") && others_can_read(file);
    warned.then(|| Finding::at(Code::ReadableByOthers, &source::shown(file)))
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.mode() & 0o044 != 0)
}

/// Other systems do not describe permissions with nine bits.
#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(variables: &[(&str, &str)]) -> Vec<Finding> {
        diagnose_environment(&variables)
    }

    #[test]
    fn it_names_the_sources_but_never_their_content() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pair");
        std::fs::write(&file, "canary-7f:canary-3a").expect("a file");
        let findings = findings(&[
            ("JUSTCALL_CREDENTIALS", &format!("file:{}", file.display())),
            ("JUSTCALL_API_KEY", "canary-5b"),
            ("JUSTCALL_API_SECRET", "canary-9d"),
            ("JUSTCALL_WEBHOOK_SECRET", "canary-1c"),
        ]);
        let disagreement = &findings[0];
        assert_eq!(disagreement.code(), Code::SourcesDisagree);
        assert_eq!(
            disagreement.place(),
            Some("JUSTCALL_CREDENTIALS; JUSTCALL_API_KEY and JUSTCALL_API_SECRET")
        );
        assert!(!format!("{findings:?}").contains("canary"), "{findings:?}");
    }

    #[test]
    fn it_runs_no_program_and_never_prints_a_pair_used_as_a_source() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ran");
        for choice in [format!("command:touch {}", file.display()), "canary-7f:canary-3a".into()] {
            let findings = findings(&[("JUSTCALL_CREDENTIALS", &choice)]);
            assert_eq!(findings.len(), 1);
            assert_eq!(findings[0].code(), Code::SourceMisspelt);
            assert_eq!(findings[0].message(), "JUSTCALL_CREDENTIALS: The text is not a valid source here.");
        }
        assert!(!file.exists());
    }

    #[cfg(unix)]
    #[test]
    fn it_reports_a_file_that_other_users_can_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pair");
        std::fs::write(&file, "").expect("a file");
        for (mode, is_reported) in
            [(0o600, false), (0o711, false), (0o722, false), (0o640, true), (0o604, true), (0o644, true)]
        {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
            let finding = readable_by_others(&file);
            assert_eq!(finding.is_some(), is_reported, "{mode:o}");
            if let Some(finding) = finding {
                assert_eq!(finding.code(), Code::ReadableByOthers);
                assert_eq!(finding.place(), file.to_str());
            }
        }
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("a mode");
        assert!(readable_by_others(folder.path()).is_none(), "a folder contains no pair");
        assert!(readable_by_others(&folder.path().join("absent")).is_none());
    }
}
