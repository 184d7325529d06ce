//! A new pair: asked for or read, checked, and proven by the service before anything is written.

use justcall_auth::source::read_text;
use justcall_auth::{Account, Client, Credentials, Error, ErrorKind, Severity};

use crate::arguments::Global;
use crate::failure::{Failure, text};
use crate::lines;
use crate::output::Output;
use crate::spinner::Spinner;
use crate::terminal::{self, Unechoed};

/// What to do where nobody is there to be asked, and nothing was given either.
const NO_INPUT: &str = "Give the new pair on standard input, as key:secret, JSON or dotenv lines; or run the command at a terminal, where it asks.";
/// How often a person may try.
const TRIES: usize = 3;

/// A pair that the service accepts.
#[derive(Debug)]
pub(crate) struct NewPair {
    pub credentials: Credentials,
    pub account: Account,
}

impl NewPair {
    /// Takes a pair from standard input, or asks for it there where that is a terminal, and verifies it. With an expected
    /// account, a pair of another one is refused.
    pub fn obtain(global: &Global, expected: Option<u64>, output: &Output) -> Result<Self, Failure> {
        if !terminal::is_attended() {
            let text = terminal::read_stdin()?;
            if text.as_ref().trim_ascii().is_empty() {
                return Err(Error::with_message(
                    ErrorKind::CredentialsMissing,
                    "Standard input holds no pair.",
                )
                .with_hint(NO_INPUT)
                .into());
            }
            let credentials = read_text(text.as_ref())?;
            return Ok(Self::prove(global, credentials, expected, output)?);
        }
        for tried in 1.. {
            let proven = ask().and_then(|credentials| Self::prove(global, credentials, expected, output));
            match proven {
                Err(error) if tried < TRIES && is_slip(error.kind()) => {
                    output.diagnose(&text(&error, output.unechoed()));
                    output.diagnose("Try again.\n");
                }
                proven => return Ok(proven?),
            }
        }
        unreachable!("the last try returns")
    }

    fn prove(
        global: &Global,
        credentials: Credentials,
        expected: Option<u64>,
        output: &Output,
    ) -> Result<Self, Error> {
        warn(&credentials, output);
        let account = verify(global, &credentials, expected, output)?;
        Ok(Self { credentials, account })
    }
}

/// Asks the service whose `credentials` are.
pub(crate) fn verify(
    global: &Global,
    credentials: &Credentials,
    expected: Option<u64>,
    output: &Output,
) -> Result<Account, Error> {
    let mut config = global.config()?;
    config.set_credentials(credentials.clone());
    if let Some(id) = expected {
        config.set_expected_account(id)?;
    }
    let _spinner = output.is_watched().then(|| Spinner::start("asking the service".into()));
    Client::new(&config)?.verify()
}

/// Whose a pair is, in a few words.
pub(crate) fn whose(account: &Account) -> Option<String> {
    let id = account.id().map(|id| format!("account {id}"));
    let details: Vec<&str> = [id.as_deref(), account.email(), account.plan()].into_iter().flatten().collect();
    (!details.is_empty()).then(|| details.join(", "))
}

/// What a person mistypes, or copies from the wrong place.
fn is_slip(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::CredentialsMalformed | ErrorKind::InvalidCredentials | ErrorKind::WrongAccount)
}

fn ask() -> Result<Credentials, Error> {
    let mut terminal = Unechoed::start()?;
    let first = terminal.ask("API key (what you type or paste is not shown): ")?;
    // Whoever copies both at once may paste both at once.
    if first.as_ref().contains(&b':') {
        return read_text(first.as_ref());
    }
    let secret = terminal.ask("API secret: ")?;
    Credentials::new(first.as_ref(), secret.as_ref())
}

/// What the local check noticed, though the pair may be sent.
fn warn(credentials: &Credentials, output: &Output) {
    let found = credentials.findings();
    let warnings = found.iter().filter(|finding| finding.severity() == Severity::Warning);
    let said: Vec<String> =
        warnings.map(|finding| lines::caution(finding.message(), finding.remedy())).collect();
    if !output.is_json() {
        output.diagnose(&said.concat());
    }
}
