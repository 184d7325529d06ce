//! `rotate`: another pair in the place of the one that was reset, without half of either in between.

use justcall_auth::diagnostics::readable_by_others;
use justcall_auth::source::{Content, Loaded, ProcessEnvironment};
use justcall_auth::{Account, Credentials, Error, ErrorKind, Finding, Source};
use serde_json::{Value, json};

use super::verify::account_json;
use crate::arguments::{Global, RotateArguments};
use crate::failure::Failure;
use crate::new_pair::{NewPair, verify, whose};
use crate::output::Output;
use crate::store::Target;
use crate::time::rfc3339;
use crate::{by_hand, lines, terminal, watch};

pub(super) fn run(global: &Global, arguments: &RotateArguments, output: &Output) -> Result<(), Failure> {
    let source = Source::parse(&global.source)?.resolve(&ProcessEnvironment).map_err(first_pair)?;
    // What cannot be written is said before anybody resets a pair.
    let target = Target::of(&source).transpose()?;
    let present = Present::look(&source, global, output)?;
    guide(&present, output);
    let expected = global.expected_account.or(present.account.as_ref().and_then(Account::id));
    let new = NewPair::obtain(global, expected, output)?;
    if expected.is_none() {
        confirm(&new.account)?;
    }
    let rotation =
        Rotation { arguments, source: &source, target: target.as_ref(), present: &present, new: &new };
    let outcome = rotation.carry_out(global, output)?;
    Ok(output.success(&outcome.text(), outcome.json())?)
}

fn first_pair(error: Error) -> Error {
    if error.kind() != ErrorKind::CredentialsMissing {
        return error;
    }
    error.with_hint(
        "Name the source that has the pair, as --source file:PATH; `justcall-auth setup` stores a first one.",
    )
}

/// What the source gives now.
struct Present {
    loaded: Option<Loaded>,
    /// Whose it is, where the service still tells.
    account: Option<Account>,
}

impl Present {
    /// Reads it, and asks the service whose it is unless that is given.
    fn look(source: &Source, global: &Global, output: &Output) -> Result<Self, Error> {
        let loaded = match source.load(&ProcessEnvironment) {
            Ok(loaded) => Some(loaded),
            // Another pair is just what helps.
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

/// Whose the present pair is; `None` once the service rejects it.
fn account_of(credentials: &Credentials, global: &Global, output: &Output) -> Result<Option<Account>, Error> {
    match verify(global, credentials, None, output) {
        Ok(account) => Ok(Some(account)),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidCredentials | ErrorKind::Forbidden) => {
            Ok(None)
        }
        // Without the service the new pair could not be verified either.
        Err(error) => Err(error),
    }
}

/// Tells a person what to do, in the dashboard's own words.
fn guide(present: &Present, output: &Output) {
    if !terminal::is_attended() {
        return;
    }
    let held = match &present.loaded {
        None => "The source has no pair that could be used.\n".to_owned(),
        Some(loaded) => {
            let whose = match present.account.as_ref().map(whose) {
                Some(Some(whose)) => format!(" ({whose})"),
                _ => String::new(),
            };
            format!(
                "{} gives the pair with the key {}{whose}.\n",
                loaded.place,
                loaded.pair.credentials.key_hint()
            )
        }
    };
    output.diagnose(&format!(
        "{held}In JustCall, as an Admin or Owner, open Settings → API & Webhooks. Click Revoke next to the key, then Generate API Key.\n\
         From then on the old pair is rejected. The secret is shown only once: copy both halves now.\n"
    ));
}

/// The present pair does not tell whose it is any more: is the new one the right account's?
fn confirm(account: &Account) -> Result<(), Error> {
    // Where the service does not tell, there is nothing to compare.
    let (Some(id), Some(whose)) = (account.id(), whose(account)) else { return Ok(()) };
    let message = format!(
        "The new pair works, for {whose}; whose the present pair is, the service does not tell any more. Nothing was changed."
    );
    let refused = Error::with_message(ErrorKind::WrongAccount, message)
        .with_hint(format!("If that is the right account, give --expected-account {id}."));
    if !terminal::is_attended() {
        return Err(refused);
    }
    let question = format!("The new pair works, for {whose}. Is that the right account? (yes or no)");
    match terminal::ask(&question, "no")?.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(refused),
    }
}

/// A new pair that is good, on its way to the source.
struct Rotation<'a> {
    arguments: &'a RotateArguments,
    source: &'a Source,
    target: Option<&'a Target>,
    present: &'a Present,
    new: &'a NewPair,
}

impl Rotation<'_> {
    fn carry_out(&self, global: &Global, output: &Output) -> Result<Outcome<'_>, Failure> {
        let is_same = self.present.is(&self.new.credentials);
        // A second run with the same pair takes nothing back.
        let compromised = self.arguments.compromised || is_same && self.present.is_marked();
        let done = self.write(is_same && compromised == self.present.is_marked(), compromised)?;
        let mut outcome = Outcome {
            new: self.new,
            place: self.place(),
            done,
            compromised,
            is_told: false,
            cautions: Vec::new(),
        };
        if outcome.done == Done::Tried || !by_hand::can_change(self.source) {
            return Ok(outcome);
        }
        if matches!(outcome.done, Done::ByHand(_)) {
            output.diagnose(&outcome.by_hand());
        }
        let loaded = watch::until_served(self.source, &self.new.credentials, global.timeout, output)?;
        if matches!(outcome.done, Done::ByHand(_)) {
            outcome.done = Done::Served;
        }
        outcome.is_told = loaded.pair.previous_compromised;
        let found = readable_by_others(&loaded);
        let told = |finding: &Finding| (finding.message().to_owned(), finding.remedy().to_owned());
        outcome.cautions = found.iter().map(told).collect();
        Ok(outcome)
    }

    fn write(&self, is_there: bool, compromised: bool) -> Result<Done, Error> {
        match self.target {
            _ if self.arguments.dry_run => Ok(Done::Tried),
            _ if is_there => Ok(Done::Served),
            None => Ok(Done::ByHand(by_hand::steps(self.source, compromised))),
            Some(target) => {
                let created_at = rfc3339(justcall_auth::unix_time());
                let credentials = &self.new.credentials;
                let content =
                    Content { credentials, created_at: &created_at, previous_compromised: compromised };
                target.write(&content)?;
                Ok(Done::Written)
            }
        }
    }

    fn place(&self) -> String {
        match (self.target, &self.present.loaded) {
            (Some(target), _) => target.place().to_owned(),
            (None, Some(loaded)) => loaded.place.clone(),
            (None, None) => "The source".to_owned(),
        }
    }
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
enum Done {
    /// Nothing, as was asked for.
    Tried,
    /// The source has the new pair.
    Written,
    /// It had it already, or it was put there by hand while this command watched.
    Served,
    /// Nothing: these steps are left to do.
    ByHand(Vec<String>),
}

struct Outcome<'a> {
    new: &'a NewPair,
    place: String,
    done: Done,
    compromised: bool,
    /// The source says that the pair before was compromised.
    is_told: bool,
    cautions: Vec<(String, String)>,
}

const UNTOLD: &str =
    "The source does not say that the pair before was compromised: one line key:secret has no place for it.";
const RESTART: &str =
    "Restart every program that checks webhooks: until then it believes the old secret for up to 15 minutes.";

impl Outcome<'_> {
    fn text(&self) -> String {
        let hint = self.new.credentials.key_hint();
        let whose = whose(&self.new.account).map(|whose| format!(": {whose}")).unwrap_or_default();
        let mut text = lines::well(&format!("The service accepts the pair with the key {hint}{whose}."));
        let place = &self.place;
        let done = match &self.done {
            Done::Tried => lines::well(&format!("{place} would get it. Nothing was changed.")),
            Done::ByHand(_) => self.by_hand(),
            Done::Served => lines::well(&format!("{place} has it already.")),
            Done::Written => {
                lines::well(&format!("{place} has it; owner, group, mode and ACL are as they were."))
            }
        };
        text += &done;
        if self.is_served() {
            text += &lines::well("Programs that use this source go on with it by themselves.");
        }
        if self.compromised && self.is_served() {
            text += &if self.is_told {
                lines::well("Webhooks that are signed with the old secret are refused from now on.")
            } else {
                lines::caution(UNTOLD, RESTART)
            };
        }
        for (message, remedy) in &self.cautions {
            text += &lines::caution(message, remedy);
        }
        text
    }

    fn is_served(&self) -> bool {
        matches!(self.done, Done::Written | Done::Served)
    }

    fn by_hand(&self) -> String {
        format!("{} cannot be written by this command. By hand:\n{}", self.place, lines::steps(self.steps()))
    }

    fn steps(&self) -> &[String] {
        if let Done::ByHand(steps) = &self.done { steps } else { &[] }
    }

    fn json(&self) -> Value {
        json!({
            "place": self.place,
            "dry_run": self.done == Done::Tried,
            "written": self.done == Done::Written,
            "by_hand": self.steps(),
            "served": self.is_served(),
            "previous_compromised": self.compromised,
            "compromise_told": self.is_told,
            "warnings": self.cautions.iter().map(|(message, _)| message).collect::<Vec<_>>(),
            "account": account_json(&self.new.account, self.new.credentials.key_hint()),
        })
    }
}
