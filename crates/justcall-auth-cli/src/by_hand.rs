//! Manual steps for sources that this command cannot write. It never changes the store of another program.

use std::path::Path;

use justcall_auth::Source;
use justcall_auth::source::shown;

/// Returns the steps that write a pair to `source`. They do not contain the pair.
pub(crate) fn steps(source: &Source, previous_compromised: bool) -> Vec<String> {
    let mut steps = match source {
        Source::Env { key, secret, .. } => vec![
            format!(
                "Set {key} and {secret} to the new key and secret where the program's environment is defined, such as in a systemd unit, container, CI secret or shell profile."
            ),
            "Restart the program, because the environment of a running program does not change.".to_owned(),
        ],
        Source::Systemd { .. } => vec![
            "Write the new key and secret to the files that the unit's LoadCredential= names. If the unit uses LoadCredentialEncrypted=, encrypt these files again with `systemd-creds encrypt`.".to_owned(),
            "Run `systemctl reload UNIT` if the unit has RefreshOnReload=credentials and systemd is version 260 or newer. Otherwise run `systemctl restart UNIT`, because a running unit keeps the credentials that it started with.".to_owned(),
        ],
        Source::Command(words) => vec![command(words)],
        Source::File(path) => vec![format!(
            "Write the new pair to the file {}, as JSON {{\"api_key\": …, \"api_secret\": …}}, dotenv lines or one line key:secret.",
            shown(path)
        )],
        Source::Dir { path, key, secret } => {
            vec![format!("Write the new key and secret to the files {key} and {secret} in the folder {}.", shown(path))]
        }
        _ => vec!["Write the new pair to the place from which the program reads it.".to_owned()],
    };
    if previous_compromised {
        steps.push(match source {
            Source::Command(_) => {
                "Add \"previous_compromised\": true to the JSON of the new pair. Programs then immediately refuse webhooks that were signed with the old secret.".to_owned()
            }
            _ => "Restart every program that verifies webhooks. A program that is not restarted accepts the old secret for up to 15 minutes.".to_owned(),
        });
    }
    steps
}

/// Returns true if the content of `source` can change while this command runs. An environment and systemd credentials
/// cannot.
pub(crate) fn can_change(source: &Source) -> bool {
    !matches!(source, Source::Env { .. } | Source::Systemd { .. })
}

/// Common stores, with the command that reads a new value from standard input or a prompt.
const STORES: &[(&str, &str)] = &[
    ("op", "edit the item in the 1Password app, because process lists show the arguments of `op item edit`"),
    ("pass", "pass edit NAME"),
    ("gopass", "gopass edit NAME"),
    ("aws", "aws secretsmanager put-secret-value --secret-id NAME --secret-string file:///dev/stdin"),
    ("gcloud", "gcloud secrets versions add NAME --data-file=-"),
    ("az", "az keyvault secret set --vault-name VAULT --name NAME --file /dev/stdin"),
    ("vault", "vault kv put -mount=MOUNT PATH - (JSON on standard input)"),
    ("bao", "bao kv put -mount=MOUNT PATH - (JSON on standard input)"),
    ("sops", "sops edit FILE"),
];

fn command(words: &[String]) -> String {
    let program = words.first().map(String::as_str).unwrap_or_default();
    let name = Path::new(program).file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    match STORES.iter().find(|(store, _)| *store == name) {
        Some((_, how)) => format!("Store the new pair where `{program}` reads it: {how}."),
        None => format!("Store the new pair where `{program}` reads it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_returns_steps_for_every_source_with_a_spelling() {
        for (spelling, word) in [
            ("env:A,B", "Set A and B"),
            ("systemd:", "systemctl restart"),
            ("command:/usr/bin/pass show justcall", "pass edit"),
            ("command:ours --token canary", "`ours`"),
            ("file:/x", "/x"),
            ("dir:/x", "api_key and api_secret"),
        ] {
            let source = Source::parse(spelling).expect("a spelling");
            let text = steps(&source, false).join(" ");
            assert!(text.contains(word) && !text.contains("canary"), "{spelling}: {text}");
            assert_eq!(steps(&source, true).len(), steps(&source, false).len() + 1);
        }
    }
}
