//! `default:` — the source that the environment chooses, else the places where pairs usually are.

use std::path::Path;

use justcall_auth_protocol::error::{Error, ErrorKind};

use super::parse::{self, KEY_FILE, SECRET_FILE};
use super::{Environment, Loaded, Source, env, missing, setting};
use crate::patience::Patience;

/// Chooses the source. Not a program to run: whoever sets a variable must not run code by it.
pub(crate) const CHOICE: &str = "JUSTCALL_CREDENTIALS";

/// Where Docker and Kubernetes put a secret called `justcall`: a file or a folder.
const MOUNTED: &str = "/run/secrets/justcall";

pub(super) fn load(environment: &dyn Environment, patience: &Patience) -> Result<Loaded, Error> {
    resolve(environment, patience)?.load_within(environment, patience)
}

/// The source that is used: the one that the environment chooses, which is not read, or the first that holds anything.
pub(super) fn resolve(environment: &dyn Environment, patience: &Patience) -> Result<Source, Error> {
    if let Some(choice) = choice(environment) {
        return chosen(&choice);
    }
    // Only what is absent is passed over.
    if let Some(source) =
        usual_places().into_iter().find(|source| holds_anything(source, environment, patience))
    {
        return Ok(source);
    }
    Err(missing(&format!(
        "{CHOICE}, which would name a source; the environment variables JUSTCALL_API_KEY and JUSTCALL_API_SECRET; \
         systemd's $CREDENTIALS_DIRECTORY; {MOUNTED}"
    )))
}

fn holds_anything(source: &Source, environment: &dyn Environment, patience: &Patience) -> bool {
    match source {
        // A client resolves its source when it is made, and takes memory for the pair only when it needs it.
        Source::Env { key, secret, .. } => env::is_set(environment, key, secret),
        other => {
            let loaded = other.load_within(environment, patience);
            loaded.err().is_none_or(|error| error.kind() != ErrorKind::CredentialsMissing)
        }
    }
}

/// The source that the environment chooses, as it is spelled there; `None` if the variable is empty or not set.
pub(crate) fn choice(environment: &dyn Environment) -> Option<String> {
    Some(setting(environment, CHOICE)?.to_string_lossy().into_owned())
}

/// Where a pair is looked for unless the environment chooses, in order.
pub(crate) fn usual_places() -> Vec<Source> {
    let mounted = Path::new(MOUNTED);
    let mut places = vec![parse::env(), parse::systemd()];
    if mounted.is_dir() {
        places.push(Source::Dir { path: mounted.into(), key: KEY_FILE.into(), secret: SECRET_FILE.into() });
    } else if mounted.try_exists().unwrap_or(true) {
        places.push(Source::File(mounted.into()));
    }
    places
}

fn chosen(choice: &str) -> Result<Source, Error> {
    let named = |error: Error| {
        let message = format!("The variable {CHOICE}: {}", error.message());
        error.message_is(message)
    };
    match parse::parse(choice).map_err(named)? {
        Source::Command(_) => {
            Err(named(parse::refuse("`command:` may be named in code or on the command line alone")))
        }
        Source::Default => Err(named(parse::refuse("it names `default:`, which asks this variable"))),
        source => Ok(source),
    }
}
