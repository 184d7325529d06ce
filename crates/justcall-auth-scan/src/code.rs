//! The codes of findings: names, messages and remedies in one table.

/// The kind of a finding. Its name is stable: scripts and baselines contain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScanCode {
    /// The secret of the user's own pair, in any form.
    OwnSecret,
    /// An API key and its secret, by their shape and their names.
    LeakedPair,
    /// An API secret without its key, by its shape and its name.
    LeakedSecret,
}

struct Row {
    name: &'static str,
    message: &'static str,
    remedy: &'static str,
    explanation: &'static str,
    bad: &'static str,
    good: &'static str,
}

impl ScanCode {
    /// All codes, the worst first.
    pub const ALL: &[Self] = &[Self::OwnSecret, Self::LeakedPair, Self::LeakedSecret];

    const fn row(self) -> &'static Row {
        match self {
            Self::OwnSecret => &Row {
                name: "own_secret",
                message: "Your own API secret, which works now, is in it.",
                remedy: "Reset the pair in JustCall under Settings → API & Webhooks, put the new one where the source is, then take it out of the file.",
                explanation: "The secret of the pair that the source gives was found as it is, or in base64, URL-encoded, in hexadecimal, escaped for JSON or HTML, or as UTF-16. Whoever can read the place can call the API as you. No comment and no baseline silences it: as long as the pair works, it is a leak. In history it stays readable after the file is gone, so a reset comes first.",
                bad: "JUSTCALL_API_SECRET=… in a file under version control",
                good: "the same line in the environment of the program, or a source such as file:/run/secrets/justcall",
            },
            Self::LeakedPair => &Row {
                name: "leaked_pair",
                message: "What is shaped like an API key and its secret of JustCall is in it.",
                remedy: "If it was ever real, reset it in JustCall under Settings → API & Webhooks; load the pair from the environment. If it never was, end the line with a comment: justcall-auth: allow.",
                explanation: "A key and a secret, drawn at random by the look of them, stand beside names that tell so: JUSTCALL_API_SECRET, api_secret near api.justcall.io, an Authorization header with key:secret. The service was not asked whether they work.",
                bad: "headers = {\"Authorization\": \"<key>:<secret>\"}",
                good: "headers = {\"Authorization\": client.authorization()}",
            },
            Self::LeakedSecret => &Row {
                name: "leaked_secret",
                message: "What is shaped like an API secret of JustCall is in it.",
                remedy: "If it was ever real, reset the pair in JustCall under Settings → API & Webhooks; load it from the environment. If it never was, end the line with a comment: justcall-auth: allow.",
                explanation: "A secret by its name and by its look stands there without its key. The key is shown in the dashboard to every Admin and sent with every request: the secret is what protects the account, and what signs its webhooks.",
                bad: "JUSTCALL_API_SECRET: <secret>, in docker-compose.yml",
                good: "JUSTCALL_API_SECRET: ${JUSTCALL_API_SECRET:?}",
            },
        }
    }

    /// Returns the name that outputs and `explain` use.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Returns one sentence about what was found.
    pub const fn message(self) -> &'static str {
        self.row().message
    }

    /// Returns what to do about it.
    pub const fn remedy(self) -> &'static str {
        self.row().remedy
    }

    /// Returns the long explanation.
    pub const fn explanation(self) -> &'static str {
        self.row().explanation
    }

    /// Returns a bad example and a good one.
    pub const fn example(self) -> (&'static str, &'static str) {
        (self.row().bad, self.row().good)
    }
}
