//! `rotate`: replaces the pair after a reset. A reader never sees half of each pair.

use justcall_auth::diagnostics::readable_by_others;
use justcall_auth::source::{Content, LoadedSource, ProcessEnvironment};
use justcall_auth::{Account, Credentials, Error, ErrorKind, Finding, Source};
use serde_json::{Value, json};

use super::verify::account_json;
use crate::arguments::{Global, RotateArguments};
use crate::destination::Destination;
use crate::failure::Failure;
use crate::new_pair::{NewPair, description, verify};
use crate::output::Output;
use crate::time::rfc3339;
use crate::{by_hand, lines, terminal, watch};

pub(super) fn run(global: &Global, arguments: &RotateArguments, output: &Output) -> Result<(), Failure> {
    let source = Source::parse(&global.source)?.resolve(&ProcessEnvironment).map_err(first_pair)?;
    // A source that cannot be written is reported before the user resets the pair.
    let target = Destination::of(&source).transpose()?;
    let current = CurrentPair::read(&source, global, output)?;
    guide(&current, output);
    let expected = global.expected_account.or(current.account.as_ref().and_then(Account::id));
    let new = NewPair::obtain(global, expected, output)?;
    if expected.is_none() {
        confirm(&new.account)?;
    }
    let rotation =
        Rotation { arguments, source: &source, target: target.as_ref(), current: &current, new: &new };
    let report = rotation.carry_out(global, output)?;
    Ok(output.success(&report.text(), report.json())?)
}

fn first_pair(error: Error) -> Error {
    if error.kind() != ErrorKind::CredentialsMissing {
        return error;
    }
    error.with_hint(
        "Set --source to the source of the pair, such as file:PATH, or store a first pair with `justcall-auth setup`.",
    )
}

/// The current pair of the source.
struct CurrentPair {
    loaded: Option<LoadedSource>,
    /// The account of the pair, if the service still returns it.
    account: Option<Account>,
}

impl CurrentPair {
    /// Reads the pair. Asks the service for its account, unless an expected account is set.
    fn read(source: &Source, global: &Global, output: &Output) -> Result<Self, Error> {
        let loaded = match source.load(&ProcessEnvironment) {
            Ok(loaded) => Some(loaded),
            // A new pair is the remedy for this error.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::CredentialsMalformed | ErrorKind::CredentialsMissing
                ) =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        let account = match &loaded {
            Some(loaded) if global.expected_account.is_none() => {
                account_of(&loaded.pair.credentials, global, output)?
            }
            _ => None,
        };
        Ok(Self { loaded, account })
    }

    fn is(&self, pair: &Credentials) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.pair.credentials.same_pair(pair))
    }

    fn is_marked(&self) -> bool {
        self.loaded.as_ref().is_some_and(|loaded| loaded.pair.previous_compromised)
    }
}

/// Returns the account of the current pair, or `None` if the service already rejects the pair.
fn account_of(credentials: &Credentials, global: &Global, output: &Output) -> Result<Option<Account>, Error> {
    match verify(global, credentials, None, output) {
        Ok(account) => Ok(Some(account)),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidCredentials | ErrorKind::Forbidden) => {
            Ok(None)
        }
        // Without the service, the new pair cannot be verified either.
        Err(error) => Err(error),
    }
}

/// Prints the manual steps in the words of the dashboard.
fn guide(current: &CurrentPair, output: &Output) {
    if !terminal::is_interactive() {
        return;
    }
    let found = match &current.loaded {
        None => "The source contains no valid pair.\n".to_owned(),
        Some(loaded) => {
            let description = match current.account.as_ref().map(description) {
                Some(Some(description)) => format!(" ({description})"),
                _ => String::new(),
            };
            format!(
                "{} contains the pair with the key {}{description}.\n",
                loaded.place,
                loaded.pair.credentials.key_hint()
            )
        }
    };
    output.diagnose(&format!(
        "{found}In JustCall, as an Admin or Owner, open Settings → API & Webhooks. Click Revoke next to the key, then Generate API Key.\n\
         JustCall then rejects the old pair. The secret is shown only once, so copy the key and the secret now.\n"
    ));
}

/// Asks whether the account of the new pair is right. The current pair no longer shows its account.
fn confirm(account: &Account) -> Result<(), Error> {
    // If the service returns no account, there is nothing to compare.
    let (Some(id), Some(description)) = (account.id(), description(account)) else { return Ok(()) };
    let message = format!(
        "The new pair works and belongs to {description}. The account of the current pair is unknown, so the accounts cannot be compared. Nothing was changed."
    );
    let refused = Error::with_message(ErrorKind::WrongAccount, message)
        .with_hint(format!("If account {id} is the right account, pass --expected-account {id}."));
    if !terminal::is_interactive() {
        return Err(refused);
    }
    let question =
        format!("The new pair works and belongs to {description}. Is this the right account? (yes or no)");
    match terminal::ask(&question, "no")?.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(refused),
    }
}

/// A new valid pair, and the source that it is written to.
struct Rotation<'a> {
    arguments: &'a RotateArguments,
    source: &'a Source,
    target: Option<&'a Destination>,
    current: &'a CurrentPair,
    new: &'a NewPair,
}

impl Rotation<'_> {
    fn carry_out(&self, global: &Global, output: &Output) -> Result<RotationReport<'_>, Failure> {
        let is_same = self.current.is(&self.new.credentials);
        // A second run with the same pair keeps the mark.
        let compromised = self.arguments.compromised || is_same && self.current.is_marked();
        let change = self.write(is_same && compromised == self.current.is_marked(), compromised)?;
        let mut report = RotationReport {
            new: self.new,
            place: self.place(),
            unchanged: self.target.map(Destination::unchanged).unwrap_or_default(),
            change,
            compromised,
            is_recorded: false,
            cautions: Vec::new(),
        };
        if report.change == SourceChange::Tried || !by_hand::can_change(self.source) {
            return Ok(report);
        }
        if matches!(report.change, SourceChange::ByHand(_)) {
            output.diagnose(&report.by_hand());
        }
        let loaded = watch::wait_for_pair(self.source, &self.new.credentials, global.timeout, output)?;
        if matches!(report.change, SourceChange::ByHand(_)) {
            report.change = SourceChange::Served;
        }
        report.is_recorded = loaded.pair.previous_compromised;
        let found = readable_by_others(&loaded);
        let texts = |finding: &Finding| (finding.message().to_owned(), finding.remedy().to_owned());
        report.cautions = found.iter().map(texts).collect();
        Ok(report)
    }

    fn write(&self, is_there: bool, compromised: bool) -> Result<SourceChange, Error> {
        match self.target {
            _ if self.arguments.dry_run => Ok(SourceChange::Tried),
            _ if is_there => Ok(SourceChange::Served),
            None => Ok(SourceChange::ByHand(by_hand::steps(self.source, compromised))),
            Some(target) => {
                let created_at = rfc3339(justcall_auth::unix_time());
                let credentials = &self.new.credentials;
                let content =
                    Content { credentials, created_at: &created_at, previous_compromised: compromised };
                target.write(&content)?;
                Ok(SourceChange::Written)
            }
        }
    }

    fn place(&self) -> String {
        match (self.target, &self.current.loaded) {
            (Some(target), _) => target.place().to_owned(),
            (None, Some(loaded)) => loaded.place.clone(),
            (None, None) => "The source".to_owned(),
        }
    }
}

/// The change of the source.
#[derive(Debug, PartialEq, Eq)]
enum SourceChange {
    /// Nothing, because of `--dry-run`.
    Tried,
    /// The command wrote the pair.
    Written,
    /// The source contained the pair already, or the user wrote it while this command waited.
    Served,
    /// The user must do these steps.
    ByHand(Vec<String>),
}

struct RotationReport<'a> {
    new: &'a NewPair,
    place: String,
    /// What a write left unchanged.
    unchanged: &'static str,
    change: SourceChange,
    compromised: bool,
    /// True if the source states that the previous pair was compromised.
    is_recorded: bool,
    cautions: Vec<(String, String)>,
}

const NOT_RECORDED: &str = "The source cannot record that the previous pair was compromised, because its form is one line key:secret.";
const RESTART: &str = "Restart every program that verifies webhooks. A program that is not restarted accepts the old secret for up to 15 minutes.";

impl RotationReport<'_> {
    fn text(&self) -> String {
        let hint = self.new.credentials.key_hint();
        let description =
            description(&self.new.account).map(|description| format!(": {description}")).unwrap_or_default();
        let mut text =
            lines::success(&format!("The service accepts the pair with the key {hint}{description}."));
        let place = &self.place;
        let change = match &self.change {
            SourceChange::Tried => {
                lines::success(&format!("{place} would receive the pair. Nothing was changed."))
            }
            SourceChange::ByHand(_) => self.by_hand(),
            SourceChange::Served => lines::success(&format!("{place} already contains the pair.")),
            SourceChange::Written => {
                lines::success(&format!("{place} contains the pair now. {}", self.unchanged))
            }
        };
        text += &change;
        if self.is_served() {
            text +=
                &lines::success("Programs that use this source change to the new pair without a restart.");
        }
        if self.compromised && self.is_served() {
            text += &if self.is_recorded {
                lines::success("Webhooks signed with the old secret are refused from now on.")
            } else {
                lines::caution(NOT_RECORDED, RESTART)
            };
        }
        for (message, remedy) in &self.cautions {
            text += &lines::caution(message, remedy);
        }
        text
    }

    fn is_served(&self) -> bool {
        matches!(self.change, SourceChange::Written | SourceChange::Served)
    }

    fn by_hand(&self) -> String {
        format!(
            "{} cannot be written by this command. Manual steps:\n{}",
            self.place,
            lines::steps(self.steps())
        )
    }

    fn steps(&self) -> &[String] {
        if let SourceChange::ByHand(steps) = &self.change { steps } else { &[] }
    }

    fn json(&self) -> Value {
        json!({
            "place": self.place,
            "dry_run": self.change == SourceChange::Tried,
            "written": self.change == SourceChange::Written,
            "by_hand": self.steps(),
            "served": self.is_served(),
            "previous_compromised": self.compromised,
            "compromise_told": self.is_recorded,
            "warnings": self.cautions.iter().map(|(message, _)| message).collect::<Vec<_>>(),
            "account": account_json(&self.new.account, self.new.credentials.key_hint()),
        })
    }
}
