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
        message: "Your own API secret, which works now, is in it.",
        remedy: "Reset the pair in JustCall under Settings → API & Webhooks, put the new one where the source is, then take it out of the file.",
        explanation: "The secret of the pair that the source gives was found as it is, or in base64, URL-encoded, in hexadecimal, escaped for JSON or HTML, or as UTF-16. Whoever can read the place can call the API as you. No comment and no baseline silences it: as long as the pair works, it is a leak. In history it stays readable after the file is gone, so a reset comes first.",
        example: Example {
            bad: "JUSTCALL_API_SECRET=… in a file under version control",
            good: "the same line in the environment of the program, or a source such as file:/run/secrets/justcall",
        },
    }
    /// An API key and its secret, by their shape and their names.
    LeakedPair { name: "leaked_pair",
        message: "What is shaped like an API key and its secret of JustCall is in it.",
        remedy: "If it was ever real, reset it in JustCall under Settings → API & Webhooks; load the pair from the environment. If it never was, end the line with a comment: justcall-auth: allow.",
        explanation: "A key and a secret, drawn at random by the look of them, stand beside names that tell so: JUSTCALL_API_SECRET, api_secret near api.justcall.io, an Authorization header with key:secret. The service was not asked whether they work.",
        example: Example {
            bad: "headers = {\"Authorization\": \"<key>:<secret>\"}",
            good: "headers = {\"Authorization\": client.authorization()}",
        },
    }
    /// An API secret without its key, by its shape and its name.
    LeakedSecret { name: "leaked_secret",
        message: "What is shaped like an API secret of JustCall is in it.",
        remedy: "If it was ever real, reset the pair in JustCall under Settings → API & Webhooks; load it from the environment. If it never was, end the line with a comment: justcall-auth: allow.",
        explanation: "A secret by its name and by its look stands there without its key. The key is shown in the dashboard to every Admin and sent with every request: the secret is what protects the account, and what signs its webhooks.",
        example: Example {
            bad: "JUSTCALL_API_SECRET: <secret>, in docker-compose.yml",
            good: "JUSTCALL_API_SECRET: ${JUSTCALL_API_SECRET:?}",
        },
    }
}
