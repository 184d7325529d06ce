//! `default:` — the source that the environment chooses, else the places where pairs usually are.

use std::path::Path;

use justcall_auth_protocol::error::Error;

use super::failure::missing;
use super::spellings::{KEY_FILE, SECRET_FILE, refuse};
use super::{Environment, Loaded, Source, setting};
use crate::context::CallContext;

/// Chooses the source. Not a program to run: whoever sets a variable must not run code by it.
pub(crate) const CHOICE: &str = "JUSTCALL_CREDENTIALS";

/// Where Docker and Kubernetes put a secret called `justcall`: a file or a folder.
const MOUNTED: &str = "/run/secrets/justcall";

/// Where a pair is looked for unless the environment chooses, in order, as messages call it.
pub(crate) const PLACES: [&str; 3] =
    ["JUSTCALL_API_KEY and JUSTCALL_API_SECRET", "systemd's $CREDENTIALS_DIRECTORY", MOUNTED];

/// One of [`PLACES`].
pub(crate) struct Place {
    pub name: &'static str,
    pub source: Source,
}

pub(super) fn load(environment: &dyn Environment, context: &CallContext) -> Result<Loaded, Error> {
    resolve(environment, context)?.load_within(environment, context)
}

/// The source that is used: the one that the environment chooses, which is not read, or the first that holds anything.
pub(super) fn resolve(environment: &dyn Environment, context: &CallContext) -> Result<Source, Error> {
    if let Some(choice) = choice(environment) {
        return chosen(&choice);
    }
    // Only what is absent is passed over.
    let holding = usual_places().find(|place| place.source.holds_anything(environment, context));
    holding.map(|place| place.source).ok_or_else(|| {
        let places = PLACES.join("; ");
        missing(&format!("{CHOICE}, which would name a source; the environment variables {places}"))
    })
}

/// The source that the environment chooses, as it is spelled there; `None` if the variable is empty or not set.
pub(crate) fn choice(environment: &dyn Environment) -> Option<String> {
    Some(setting(environment, CHOICE)?.to_string_lossy().into_owned())
}

/// The usual places, in order; without what could be mounted and is not.
pub(crate) fn usual_places() -> impl Iterator<Item = Place> {
    let systemd = Source::Systemd { key: KEY_FILE.into(), secret: SECRET_FILE.into() };
    let sources = [Some(Source::environment()), Some(systemd), mounted()];
    PLACES.into_iter().zip(sources).filter_map(|(name, source)| Some(Place { name, source: source? }))
}

fn mounted() -> Option<Source> {
    let path = Path::new(MOUNTED);
    if path.is_dir() {
        return Some(Source::Dir { path: path.into(), key: KEY_FILE.into(), secret: SECRET_FILE.into() });
    }
    path.try_exists().unwrap_or(true).then(|| Source::File(path.into()))
}

fn chosen(choice: &str) -> Result<Source, Error> {
    let named = |error: Error| {
        let message = format!("The variable {CHOICE}: {}", error.message());
        error.with_new_message(message)
    };
    match Source::parse(choice).map_err(named)? {
        Source::Command(_) => {
            Err(named(refuse("`command:` may be named in code or on the command line alone")))
        }
        Source::Default => Err(named(refuse("it names `default:`, which asks this variable"))),
        source => Ok(source),
    }
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::diagnose::Code;

    use super::super::SPELLINGS;
    use super::*;

    #[test]
    fn it_looks_where_the_documents_say_and_in_their_order() {
        let stand_in_order = |text: &str, names: &[&str]| {
            let at = names.iter().map(|name| text.find(name).unwrap_or_else(|| panic!("{name} in {text}")));
            assert!(at.is_sorted(), "{text}");
        };
        let (_, what) = SPELLINGS.iter().find(|(spelling, _)| *spelling == "default:").expect("one");
        stand_in_order(what, &[CHOICE, "env:", "systemd:", MOUNTED]);
        let explained = Code::NothingFound.explanation();
        stand_in_order(explained, &[CHOICE, PLACES[0], "systemd's", MOUNTED]);
        let spelled: Vec<String> = usual_places().map(|place| format!("{:?}", place.source)).collect();
        assert!(spelled[0].starts_with("Env(JUSTCALL_API_KEY, JUSTCALL_API_SECRET"), "{spelled:?}");
        assert!(spelled[1].starts_with("Systemd"), "{spelled:?}");
        assert!(usual_places().map(|place| place.name).eq(PLACES.into_iter().take(spelled.len())));
    }
}
