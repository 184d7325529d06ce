//! The local check of a pasted text, or of the surroundings: what `default:` would use, and what would mislead it.
//!
//! Nothing is sent and no program is run. The findings of a pair itself are the protocol crate's.

use std::path::Path;

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_protocol::service::KEY_VARIABLE;
use zeroize::Zeroizing;

pub use justcall_auth_protocol::diagnose::{Code, Example, Finding, MAX_HALF, Severity, pair, text};

use crate::source::{self, CHOICE, Environment, PLACES, Source, setting, usual_places};

/// Many integrations read it; the service knows no such secret.
const WEBHOOK_VARIABLE: &str = "JUSTCALL_WEBHOOK_SECRET";

/// Returns what is wrong with `text` as a pair, a header's value or a header line. The worst comes first; a message never
/// holds the value. Of `environment` only the API key counts, by which halves that were swapped are recognised.
pub fn diagnose(text: &[u8], environment: &dyn Environment) -> Vec<Finding> {
    let key = environment.variable(KEY_VARIABLE).map(|key| Zeroizing::new(key.into_encoded_bytes()));
    justcall_auth_protocol::diagnose::text(text, key.as_deref().map(|key| key.trim_ascii()))
}

/// Returns what is wrong with the pair that `default:` would use, and what would mislead it where it looks. The worst comes
/// first; a message never holds the value.
///
/// Offline: a source that needs the network is not asked, and a program is never run. Blocks while files are read.
pub fn diagnose_environment(environment: &dyn Environment) -> Vec<Finding> {
    let mut found = Vec::new();
    if setting(environment, WEBHOOK_VARIABLE).is_some() {
        found.push(Finding::at(Code::WebhookSecretVariable, WEBHOOK_VARIABLE));
    }
    let chosen = source::choice(environment).map(|choice| CheckedPlace::chosen(&choice, environment));
    found.extend(chosen.as_ref().and_then(CheckedPlace::readable_by_others));
    let usual = usual_places().map(|usual| CheckedPlace::of(usual.name, usual.source, environment));
    let present: Vec<CheckedPlace> =
        chosen.into_iter().chain(usual.filter(CheckedPlace::is_present)).collect();
    match present.first() {
        None => {
            let places = format!("{CHOICE}, {}", PLACES.join(", "));
            found.push(Finding::at(Code::NothingFound, &places));
        }
        Some(used) => {
            found.extend(used.findings());
            found.extend(disagreement(used, &present[1..]));
        }
    }
    found.sort_by_key(|finding| (finding.severity(), finding.code()));
    found
}

/// One place and what it holds.
struct CheckedPlace {
    name: &'static str,
    source: Option<Source>,
    pair: PlaceContent,
}

enum PlaceContent {
    Pair(Credentials),
    Failure(Error),
    /// Only the network could tell.
    Unknown,
}

impl CheckedPlace {
    fn chosen(spelling: &str, environment: &dyn Environment) -> Self {
        match Source::parse(spelling) {
            // Refused by `default:` as well.
            Ok(Source::Command(_) | Source::Default) => {
                let error = Error::new(ErrorKind::InvalidArgument);
                Self { name: CHOICE, source: None, pair: PlaceContent::Failure(error) }
            }
            Ok(source) => Self::of(CHOICE, source, environment),
            Err(error) => Self { name: CHOICE, source: None, pair: PlaceContent::Failure(error) },
        }
    }

    fn of(name: &'static str, source: Source, environment: &dyn Environment) -> Self {
        let pair = match &source {
            Source::Env { .. } | Source::File(_) | Source::Dir { .. } | Source::Systemd { .. } => {
                match source.load(environment) {
                    Ok(loaded) => PlaceContent::Pair(loaded.pair.credentials),
                    Err(error) => PlaceContent::Failure(error),
                }
            }
            _ => PlaceContent::Unknown,
        };
        Self { name, source: Some(source), pair }
    }

    /// Whether `default:` would stop here: only what is absent is passed over.
    fn is_present(&self) -> bool {
        !matches!(&self.pair, PlaceContent::Failure(error) if error.kind() == ErrorKind::CredentialsMissing)
    }

    fn findings(&self) -> Vec<Finding> {
        let code = match &self.pair {
            PlaceContent::Unknown => return Vec::new(),
            PlaceContent::Pair(pair) => return self.named(&pair.findings()),
            PlaceContent::Failure(error) => match error.kind() {
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

/// That other places hold another pair than the one that is used.
fn disagreement(used: &CheckedPlace, others: &[CheckedPlace]) -> Option<Finding> {
    let PlaceContent::Pair(pair) = &used.pair else { return None };
    let differs =
        |place: &&CheckedPlace| matches!(&place.pair, PlaceContent::Pair(other) if !other.same_pair(pair));
    let names: Vec<&str> = others.iter().filter(differs).map(|place| place.name).collect();
    let places = || format!("{}; {}", used.name, names.join("; "));
    (!names.is_empty()).then(|| Finding::at(Code::SourcesDisagree, &places()))
}

/// That others can read `file`. Not what a container mounts: there everybody may read it, and there is nobody else.
pub(crate) fn readable_by_others(file: &Path) -> Option<Finding> {
    let warned = !file.starts_with("/run/secrets") && others_can_read(file);
    warned.then(|| Finding::at(Code::ReadableByOthers, &source::shown(file)))
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.mode() & 0o044 != 0)
}

/// Elsewhere rights are no matter of nine bits.
#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Vec<Finding> {
        diagnose_environment(&variables)
    }

    #[test]
    fn it_names_the_places_and_never_what_they_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pair");
        std::fs::write(&file, "canary-7f:canary-3a").expect("a file");
        let found = found(&[
            ("JUSTCALL_CREDENTIALS", &format!("file:{}", file.display())),
            ("JUSTCALL_API_KEY", "canary-5b"),
            ("JUSTCALL_API_SECRET", "canary-9d"),
            ("JUSTCALL_WEBHOOK_SECRET", "canary-1c"),
        ]);
        let disagreement = &found[0];
        assert_eq!(disagreement.code(), Code::SourcesDisagree);
        assert_eq!(
            disagreement.place(),
            Some("JUSTCALL_CREDENTIALS; JUSTCALL_API_KEY and JUSTCALL_API_SECRET")
        );
        assert!(!format!("{found:?}").contains("canary"), "{found:?}");
    }

    #[test]
    fn it_runs_no_program_and_repeats_no_pair_given_as_a_source() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ran");
        for choice in [format!("command:touch {}", file.display()), "canary-7f:canary-3a".into()] {
            let found = found(&[("JUSTCALL_CREDENTIALS", &choice)]);
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].code(), Code::SourceMisspelt);
            assert_eq!(
                found[0].message(),
                "JUSTCALL_CREDENTIALS: It names no source that may be used there."
            );
        }
        assert!(!file.exists());
    }
}
