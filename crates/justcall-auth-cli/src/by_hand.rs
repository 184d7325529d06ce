//! What to do where this command cannot write: no other program's store is changed behind its back.

use std::path::Path;

use justcall_auth::Source;
use justcall_auth::source::shown;

/// How to put a pair where `source` reads it, step by step; the pair itself is in none of them.
pub(crate) fn steps(source: &Source, previous_compromised: bool) -> Vec<String> {
    let mut steps = match source {
        Source::Env { key, secret, .. } => vec![
            format!(
                "Set {key} and {secret} to the new halves where the program's environment comes from: its systemd unit, container, CI secret or shell profile."
            ),
            "Restart the program: the environment of a running one does not change.".to_owned(),
        ],
        Source::Systemd { .. } => vec![
            "Write the new halves to the files that the unit's LoadCredential= names, or encrypt them anew with `systemd-creds encrypt` for LoadCredentialEncrypted=.".to_owned(),
            "systemctl restart UNIT: a running unit keeps the credentials that it started with.".to_owned(),
        ],
        Source::Command(words) => vec![command(words)],
        Source::File(path) => vec![format!(
            "Write the new pair to the file {}: JSON {{\"api_key\": …, \"api_secret\": …}}, dotenv lines or one line key:secret.",
            shown(path)
        )],
        Source::Dir { path, key, secret } => {
            vec![format!("Write the new halves to the files {key} and {secret} in the folder {}.", shown(path))]
        }
        _ => vec!["Put the new pair where the program gets it from.".to_owned()],
    };
    if previous_compromised {
        steps.push(match source {
            Source::Command(_) => {
                "Let its JSON say \"previous_compromised\": true as well: webhooks that are signed with the old secret are refused at once then.".to_owned()
            }
            _ => "Restart every program that checks webhooks: until then it believes the old secret for up to 15 minutes.".to_owned(),
        });
    }
    steps
}

/// Whether what `source` gives can change while this command runs: an environment does not, nor what systemd gave a unit.
pub(crate) fn can_change(source: &Source) -> bool {
    !matches!(source, Source::Env { .. } | Source::Systemd { .. })
}

/// For stores that many use, the command that takes a new value from standard input or a prompt.
const STORES: &[(&str, &str)] = &[
    (
        "op",
        "edit the item in 1Password's app, for the arguments of `op item edit` show in the list of processes",
    ),
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
    fn it_tells_what_to_do_for_every_source_that_has_a_spelling() {
        for (spelling, word) in [
            ("env:A,B", "Set A and B"),
            ("systemd:", "systemctl restart"),
            ("command:/usr/bin/pass show justcall", "pass edit"),
            ("command:ours --token canary", "`ours`"),
            ("file:/x", "/x"),
            ("dir:/x", "api_key and api_secret"),
        ] {
            let source = Source::parse(spelling).expect("a spelling");
            let said = steps(&source, false).join(" ");
            assert!(said.contains(word) && !said.contains("canary"), "{spelling}: {said}");
            assert_eq!(steps(&source, true).len(), steps(&source, false).len() + 1);
        }
    }
}
