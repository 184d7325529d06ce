//! `setup`: a first pair, from the dashboard to the lines that use it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use justcall_auth::source::{Content, shown};
use justcall_auth::{Error, Source};
use serde_json::{Value, json};

use super::verify::account_json;
use crate::arguments::{Global, SetupArguments};
use crate::failure::{CYAN, Failure};
use crate::new_pair::{NewPair, whose};
use crate::output::Output;
use crate::snippets::Language;
use crate::store::Target;
use crate::time::rfc3339;
use crate::{by_hand, lines, terminal, watch};

/// What `--source` is where it is not given.
const NOT_CHOSEN: &str = "default:";

pub(super) fn run(global: &Global, arguments: &SetupArguments, output: &Output) -> Result<(), Failure> {
    let spelling = place(global)?;
    let source = Source::parse(&spelling)?;
    let language = language(arguments)?;
    // What cannot be written is said before anybody makes a pair.
    let target = Target::first(&source).transpose()?;
    guide(output);
    let new = NewPair::obtain(global, global.expected_account, output)?;
    let mut outcome = Outcome {
        new: &new,
        place: target.as_ref().map(|target| target.place().to_owned()),
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
            outcome.repository = repository(&source);
        }
        None => outcome.steps = by_hand::steps(&source, false),
    }
    if by_hand::can_change(&source) {
        if !outcome.steps.is_empty() {
            output.diagnose(&lines::steps(&outcome.steps));
        }
        watch::until_served(&source, &new.credentials, global.timeout, output)?;
    }
    Ok(output.success(&outcome.text(), outcome.json())?)
}

/// The source that is to have the pair.
fn place(global: &Global) -> Result<String, Error> {
    if global.source != NOT_CHOSEN {
        return Ok(absolute(&global.source));
    }
    if !terminal::is_attended() {
        return Err(Error::invalid_argument("Where the pair is to be kept is not given.")
            .with_hint("Name it, as --source file:/etc/justcall.json."));
    }
    let usual = usual_file().map(|path| path.display().to_string()).unwrap_or_default();
    terminal::say(
        "A file is what most programs read best; dir:PATH is laid out as Kubernetes does, env: is told and not written.\n",
    );
    let answer = terminal::ask("Where shall the pair be kept? (a file, or a source)", &usual)?;
    let is_source = Source::parse(&answer).is_ok();
    Ok(absolute(&if is_source { answer } else { format!("file:{answer}") }))
}

/// `spelling` with a path that means the same in every folder, and `~` as a shell would take it.
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

/// The user's own folder. Rust before 1.87 warns of what this did on Windows in older versions still.
#[allow(deprecated)]
fn home() -> Option<PathBuf> {
    std::env::home_dir()
}

/// Where programs of a user keep what is theirs.
fn usual_file() -> Option<PathBuf> {
    let configured = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = configured.or_else(|| Some(home()?.join(".config")))?;
    Some(folder.join("justcall/credentials.json"))
}

fn language(arguments: &SetupArguments) -> Result<Option<Language>, Error> {
    if arguments.language.is_some() || !terminal::is_attended() {
        return Ok(arguments.language);
    }
    let answer = terminal::ask(&format!("Lines for which language? ({})", Language::names()), "python")?;
    let unknown = |_| {
        Error::invalid_argument("There are no lines for that language.")
            .with_hint(format!("There are some for {}.", Language::names()))
    };
    Language::from_str(&answer, true).map(Some).map_err(unknown)
}

/// Tells a person what to do, in the dashboard's own words.
fn guide(output: &Output) {
    if terminal::is_attended() {
        output.diagnose(
            "Log in to JustCall as an Admin or Owner, open Settings → API & Webhooks and click Generate API Key.\n\
             Copy both halves at once: the secret is shown only once. If it is lost, click Revoke next to the key and generate a new pair; the\n\
             old one is rejected from then on.\n",
        );
    }
}

/// Where the pair may be committed by mistake: the repository that its place is in.
fn repository(source: &Source) -> Option<PathBuf> {
    let (Source::File(path) | Source::Dir { path, .. }) = source else { return None };
    path.ancestors().skip(1).find(|folder| folder.join(".git").exists()).map(PathBuf::from)
}

fn in_repository(folder: &Path) -> String {
    format!("It is inside the repository {}.", shown(folder))
}

const OUT_OF_REPOSITORY: &str =
    "Keep it out of version control: by a line in .gitignore, or better by another place.";

/// What was done.
struct Outcome<'a> {
    new: &'a NewPair,
    source: String,
    /// Where it was written, if it was.
    place: Option<String>,
    steps: Vec<String>,
    /// The repository that the place is in.
    repository: Option<PathBuf>,
    language: Option<Language>,
    snippet: Option<String>,
}

impl Outcome<'_> {
    fn text(&self) -> String {
        let hint = self.new.credentials.key_hint();
        let whose = whose(&self.new.account).map(|whose| format!(": {whose}")).unwrap_or_default();
        let accepted = format!("The service accepts the pair with the key {hint}{whose}.");
        let mut text = lines::well(&accepted);
        text += &match &self.place {
            Some(place) => lines::well(&format!("{place} has it, for its owner alone.")),
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
            "place": self.place,
            "by_hand": self.steps,
            "warnings": self.repository.as_deref().map(in_repository).into_iter().collect::<Vec<_>>(),
            "language": self.language.map(Language::name),
            "snippet": self.snippet,
            "account": account_json(&self.new.account, self.new.credentials.key_hint()),
        })
    }
}
