//! The one table of the findings of a scan.

use justcall_auth::diagnose::Example;
use justcall_auth::table;

table! {
    /// The kind of a finding, the worst first. Its name is stable: scripts and baselines contain it.
    pub enum ScanCode {
        /// The name that outputs and `explain` use.
        name: &'static str,
        /// One sentence about what was found.
        message: &'static str,
        /// What to do about it.
        remedy: &'static str,
        /// The long explanation.
        explanation: &'static str,
        /// A bad example and a good one.
        example: Example,
    }

    /// The secret of the user's own pair, in any form.
    OwnSecret { name: "own_secret",
        message: "The text contains your current API secret.",
        remedy: "Reset the pair in JustCall under Settings → API & Webhooks, write the new pair to the source, then remove the secret from the file.",
        explanation: "The secret of the pair in the source was found in plain text, base64, URL encoding, hexadecimal, JSON or HTML escapes, or UTF-16. Everyone who can read the secret can call the API as you. Comments and baselines do not allow this secret while the pair works. The history of git contains the secret even after the file is deleted, so reset the pair first.",
        example: Example {
            bad: "JUSTCALL_API_SECRET=… in a file under version control",
            good: "the same line in the environment of the program, or a source such as file:/run/secrets/justcall",
        },
    }
    /// An API key and its secret, by their shape and their names.
    LeakedPair { name: "leaked_pair",
        message: "The text contains what looks like a JustCall API key and its secret.",
        remedy: "If the pair was ever real, reset it in JustCall under Settings → API & Webhooks, and load the new pair from the environment. If the pair was never real, end the line with the comment `justcall-auth: allow`.",
        explanation: "A key and a secret that look random were found near a name such as JUSTCALL_API_SECRET, near api_secret and api.justcall.io, or in an Authorization header. `scan` does not ask the service whether the pair works.",
        example: Example {
            bad: "headers = {\"Authorization\": \"<key>:<secret>\"}",
            good: "headers = {\"Authorization\": client.authorization()}",
        },
    }
    /// An API secret without its key, by its shape and its name.
    LeakedSecret { name: "leaked_secret",
        message: "The text contains what looks like a JustCall API secret.",
        remedy: "If the secret was ever real, reset the pair in JustCall under Settings → API & Webhooks, and load the new pair from the environment. If the secret was never real, end the line with the comment `justcall-auth: allow`.",
        explanation: "A value looks like a secret and has the name of a secret, but no key was found. The secret is enough for an attacker, because every Admin can see the key in the dashboard. The secret protects the account and signs its webhooks.",
        example: Example {
            bad: "JUSTCALL_API_SECRET: <secret>, in docker-compose.yml",
            good: "JUSTCALL_API_SECRET: ${JUSTCALL_API_SECRET:?}",
        },
    }
}
