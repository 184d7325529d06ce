//! `setup`: stores a first pair, from the dashboard to the code that uses it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use justcall_auth::source::{Content, ProcessEnvironment, shown};
use justcall_auth::{Error, Source};
use serde_json::{Value, json};

use super::verify::account_json;
use crate::arguments::{Global, SetupArguments};
use crate::destination::Destination;
use crate::failure::{CYAN, Failure};
use crate::new_pair::{NewPair, description};
use crate::output::Output;
use crate::snippets::Language;
use crate::time::rfc3339;
use crate::{by_hand, lines, terminal, watch};

/// The value of `--source` if it is not set.
const NOT_CHOSEN: &str = "default:";

pub(super) fn run(global: &Global, arguments: &SetupArguments, output: &Output) -> Result<(), Failure> {
    let spelling = place(global)?;
    let source = Source::parse(&spelling)?.resolve(&ProcessEnvironment)?;
    let language = language(arguments)?;
    // A source that cannot be written is reported before the user creates a pair.
    let target = Destination::first(&source).transpose()?;
    guide(output);
    let new = NewPair::obtain(global, global.expected_account, output)?;
    let mut report = SetupReport {
        new: &new,
        place: target.as_ref().map(|target| (target.place().to_owned(), target.readers())),
        steps: Vec::new(),
        repository: None,
        language,
        snippet: language.map(|language| {
            language.snippet(&spelling, global.base_url.as_deref(), global.ca_file.as_deref())
        }),
        source: spelling,
    };
    match target {
        Some(target) => {
            let created_at = rfc3339(justcall_auth::unix_time());
            let credentials = &new.credentials;
            target.write(&Content { credentials, created_at: &created_at, previous_compromised: false })?;
            report.repository = repository(&source);
        }
        None => report.steps = by_hand::steps(&source, false),
    }
    if by_hand::can_change(&source) {
        if !report.steps.is_empty() {
            output.diagnose(&lines::steps(&report.steps));
        }
        watch::wait_for_pair(&source, &new.credentials, global.timeout, output)?;
    }
    Ok(output.success(&report.text(), report.json())?)
}

/// Returns the source that will contain the pair.
fn place(global: &Global) -> Result<String, Error> {
    if global.source != NOT_CHOSEN {
        return Ok(absolute(&global.source));
    }
    if !terminal::is_interactive() {
        return Err(Error::invalid_argument("The source for the new pair is missing.")
            .with_hint("Pass the source, such as --source file:/etc/justcall.json."));
    }
    let usual = usual_file().map(|path| path.display().to_string()).unwrap_or_default();
    terminal::print(
        "A file suits most programs. dir:PATH has the layout of Kubernetes. For env:, setup prints the manual steps.\n",
    );
    let answer = terminal::ask("Where should the pair be stored? (a file, or a source)", &usual)?;
    let is_source = Source::parse(&answer).is_ok();
    Ok(absolute(&if is_source { answer } else { format!("file:{answer}") }))
}

/// Returns `spelling` with an absolute path. Expands `~` as a shell does.
fn absolute(spelling: &str) -> String {
    for kind in ["file:", "dir:"] {
        if let Some(path) = spelling.strip_prefix(kind) {
            let path = match (path.strip_prefix("~/"), home()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(path),
            };
            return format!("{kind}{}", std::path::absolute(&path).unwrap_or(path).display());
        }
    }
    spelling.to_owned()
}

/// Returns the user's home folder. The compiler before 1.87 warns because older versions behaved differently on
/// Windows.
#[allow(deprecated)]
fn home() -> Option<PathBuf> {
    std::env::home_dir()
}

/// Returns the usual file for the configuration of the user's programs.
fn usual_file() -> Option<PathBuf> {
    let configured = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = configured.or_else(|| Some(home()?.join(".config")))?;
    Some(folder.join("justcall/credentials.json"))
}

fn language(arguments: &SetupArguments) -> Result<Option<Language>, Error> {
    if arguments.language.is_some() || !terminal::is_interactive() {
        return Ok(arguments.language);
    }
    let answer = terminal::ask(&format!("Code for which language? ({})", Language::names()), "python")?;
    let unknown = |_| {
        Error::invalid_argument("setup cannot print code for that language.")
            .with_hint(format!("Choose one of {}.", Language::names()))
    };
    Language::from_str(&answer, true).map(Some).map_err(unknown)
}

/// Prints the manual steps in the words of the dashboard.
fn guide(output: &Output) {
    if terminal::is_interactive() {
        output.diagnose(
            "Log in to JustCall as an Admin or Owner, open Settings → API & Webhooks and click Generate API Key.\n\
             Copy the key and the secret immediately, because the secret is shown only once. If the secret is lost,\n\
             click Revoke next to the key and generate a new pair. JustCall then rejects the old pair.\n",
        );
    }
}

/// Returns the repository of the place, in which the pair may be committed by mistake.
fn repository(source: &Source) -> Option<PathBuf> {
    let (Source::File(path) | Source::Dir { path, .. }) = source else { return None };
    path.ancestors().skip(1).find(|folder| folder.join(".git").exists()).map(PathBuf::from)
}

fn in_repository(folder: &Path) -> String {
    format!("The source of the pair is inside the repository {}.", shown(folder))
}

const OUT_OF_REPOSITORY: &str = "Store the pair outside of the repository, or add its path to .gitignore.";

/// The result of `setup`.
struct SetupReport<'a> {
    new: &'a NewPair,
    source: String,
    /// The description of the place and of its readers, if the command wrote the pair.
    place: Option<(String, &'static str)>,
    steps: Vec<String>,
    /// The repository that contains the place.
    repository: Option<PathBuf>,
    language: Option<Language>,
    snippet: Option<String>,
}

impl SetupReport<'_> {
    fn text(&self) -> String {
        let hint = self.new.credentials.key_hint();
        let description =
            description(&self.new.account).map(|description| format!(": {description}")).unwrap_or_default();
        let accepted = format!("The service accepts the pair with the key {hint}{description}.");
        let mut text = lines::success(&accepted);
        text += &match &self.place {
            Some((place, readers)) => lines::success(&format!("{place} contains the pair, and {readers}.")),
            None => lines::steps(&self.steps),
        };
        if let Some(folder) = &self.repository {
            text += &lines::caution(&in_repository(folder), OUT_OF_REPOSITORY);
        }
        if let (Some(language), Some(snippet)) = (self.language, &self.snippet) {
            write!(text, "\n{CYAN}→{CYAN:#} {} ({}):\n\n{snippet}", language.name(), language.preparation())
                .expect("a String takes everything");
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "source": self.source,
            "place": self.place.as_ref().map(|(place, _)| place),
            "by_hand": self.steps,
            "warnings": self.repository.as_deref().map(in_repository).into_iter().collect::<Vec<_>>(),
            "language": self.language.map(Language::name),
            "snippet": self.snippet,
            "account": account_json(&self.new.account, self.new.credentials.key_hint()),
        })
    }
}
