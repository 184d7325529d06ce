//! A new pair: entered or read, checked, and proven by the service before it is written.

use justcall_auth::source::read_text;
use justcall_auth::{Account, Client, Credentials, Error, ErrorKind, Severity};

use crate::arguments::Global;
use crate::failure::{Failure, text};
use crate::lines;
use crate::output::Output;
use crate::spinner::Spinner;
use crate::terminal::{self, HiddenInput};

/// The hint if standard input is neither a terminal nor contains a pair.
const NO_INPUT: &str = "Pass the new pair on standard input as key:secret, JSON or dotenv lines, or run the command on a terminal and enter the pair.";
/// How often the user may try.
const MAX_ATTEMPTS: usize = 3;

/// A pair that the service accepts.
#[derive(Debug)]
pub(crate) struct NewPair {
    pub credentials: Credentials,
    pub account: Account,
}

impl NewPair {
    /// Reads a pair from standard input, or prompts for it on a terminal, and verifies it. Refuses a pair of another
    /// account than `expected`.
    pub fn obtain(global: &Global, expected: Option<u64>, output: &Output) -> Result<Self, Failure> {
        if !terminal::is_interactive() {
            let text = terminal::read_stdin()?;
            if text.as_ref().trim_ascii().is_empty() {
                return Err(Error::with_message(
                    ErrorKind::CredentialsMissing,
                    "Standard input contains no pair.",
                )
                .with_hint(NO_INPUT)
                .into());
            }
            let credentials = read_text(text.as_ref())?;
            return Ok(Self::prove(global, credentials, expected, output)?);
        }
        for attempt in 1.. {
            let proven = ask().and_then(|credentials| Self::prove(global, credentials, expected, output));
            match proven {
                Err(error) if attempt < MAX_ATTEMPTS && is_input_mistake(error.kind()) => {
                    output.diagnose(&text(&error, output.argument_mask()));
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

/// Asks the service for the account of `credentials`.
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
    let _spinner = output.has_live_terminal().then(|| Spinner::start("asking the service".into()));
    Client::new(&config)?.verify()
}

/// Returns a short description of an account, or `None` if it has no details.
pub(crate) fn description(account: &Account) -> Option<String> {
    let id = account.id().map(|id| format!("account {id}"));
    let details: Vec<&str> = [id.as_deref(), account.email(), account.plan()].into_iter().flatten().collect();
    (!details.is_empty()).then(|| details.join(", "))
}

/// Returns true for errors that follow from a typing or copying mistake.
fn is_input_mistake(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::CredentialsMalformed | ErrorKind::InvalidCredentials | ErrorKind::WrongAccount)
}

fn ask() -> Result<Credentials, Error> {
    let mut terminal = HiddenInput::start()?;
    let first = terminal.ask("API key (the input is hidden): ")?;
    // A user who copied both halves may paste both at once.
    if first.as_ref().contains(&b':') {
        return read_text(first.as_ref());
    }
    let secret = terminal.ask("API secret: ")?;
    Credentials::new(first.as_ref(), secret.as_ref())
}

/// Prints the warnings of the local check. The pair may be sent all the same.
fn warn(credentials: &Credentials, output: &Output) {
    let findings = credentials.findings();
    let warnings = findings.iter().filter(|finding| finding.severity() == Severity::Warning);
    let texts: Vec<String> =
        warnings.map(|finding| lines::caution(finding.message(), finding.remedy())).collect();
    if !output.is_json() {
        output.diagnose(&texts.concat());
    }
}
