//! `default:`: the source in the environment, else the first default source that has a pair.

use std::path::Path;

use justcall_auth_protocol::error::Error;

use super::failure::missing;
use super::spellings::{KEY_FILE, SECRET_FILE, refuse};
use super::{Environment, LoadedSource, Source, setting};
use crate::context::CallContext;

/// The variable that selects the source. It cannot select a program, so that a variable cannot run code.
pub(crate) const CHOICE: &str = "JUSTCALL_CREDENTIALS";

/// The path of a secret named `justcall` in Docker and Kubernetes: a file or a folder.
const MOUNTED: &str = "/run/secrets/justcall";

/// The default sources in order, with their names for messages.
pub(crate) const DEFAULT_SOURCES: [&str; 3] =
    ["JUSTCALL_API_KEY and JUSTCALL_API_SECRET", "systemd's $CREDENTIALS_DIRECTORY", MOUNTED];

/// A default source.
pub(crate) struct DefaultSource {
    pub name: &'static str,
    pub source: Source,
}

pub(super) fn load(environment: &dyn Environment, context: &CallContext) -> Result<LoadedSource, Error> {
    resolve(environment, context)?.load_within(environment, context)
}

/// Returns the source to use: the one that the environment selects, which is not read, or the first default source that
/// has any content.
pub(super) fn resolve(environment: &dyn Environment, context: &CallContext) -> Result<Source, Error> {
    if let Some(choice) = choice(environment) {
        return chosen(&choice);
    }
    // Only absent pairs are passed over. A malformed one must stop the search.
    let holding = default_sources().find(|place| place.source.has_content(environment, context));
    holding.map(|place| place.source).ok_or_else(|| {
        let places = DEFAULT_SOURCES.join("; ");
        missing(&format!("{CHOICE}, which can hold a source; the environment variables {places}"))
    })
}

/// Returns the source that the environment selects, in its spelling, or `None` if the variable is empty or not set.
pub(crate) fn choice(environment: &dyn Environment) -> Option<String> {
    Some(setting(environment, CHOICE)?.to_string_lossy().into_owned())
}

/// Returns the default sources in order, without a mount that does not exist.
pub(crate) fn default_sources() -> impl Iterator<Item = DefaultSource> {
    let systemd = Source::Systemd { key: KEY_FILE.into(), secret: SECRET_FILE.into() };
    let sources = [Some(Source::environment()), Some(systemd), mounted()];
    DEFAULT_SOURCES
        .into_iter()
        .zip(sources)
        .filter_map(|(name, source)| Some(DefaultSource { name, source: source? }))
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
        Source::Command(_) => Err(named(refuse("`command:` is allowed only in code or on the command line"))),
        Source::Default => Err(named(refuse("it is `default:`, which reads this variable"))),
        source => Ok(source),
    }
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::diagnose::Code;

    use super::super::SPELLINGS;
    use super::*;

    #[test]
    fn it_searches_the_documented_sources_in_their_order() {
        let stand_in_order = |text: &str, names: &[&str]| {
            let at = names.iter().map(|name| text.find(name).unwrap_or_else(|| panic!("{name} in {text}")));
            assert!(at.is_sorted(), "{text}");
        };
        let (_, what) = SPELLINGS.iter().find(|(spelling, _)| *spelling == "default:").expect("one");
        stand_in_order(what, &[CHOICE, "env:", "systemd:", MOUNTED]);
        let explained = Code::NothingFound.explanation();
        stand_in_order(explained, &[CHOICE, DEFAULT_SOURCES[0], "systemd's", MOUNTED]);
        let spelled: Vec<String> = default_sources().map(|place| format!("{:?}", place.source)).collect();
        assert!(spelled[0].starts_with("Env(JUSTCALL_API_KEY, JUSTCALL_API_SECRET"), "{spelled:?}");
        assert!(spelled[1].starts_with("Systemd"), "{spelled:?}");
        assert!(
            default_sources().map(|place| place.name).eq(DEFAULT_SOURCES.into_iter().take(spelled.len()))
        );
    }

    #[test]
    fn it_accepts_every_choice_but_a_program_and_itself() {
        let refused = |choice: &str| chosen(choice).expect_err(choice).message().to_owned();
        assert_eq!(format!("{:?}", chosen("file:/pair")), format!("{:?}", Source::parse("file:/pair")));
        for (choice, why) in [
            ("command:cat pair", "only in code or on the command line"),
            ("default:", "which reads this variable"),
            ("files:/pair", ""),
        ] {
            let message = refused(choice);
            assert!(message.starts_with(&format!("The variable {CHOICE}: ")), "{message}");
            assert!(message.contains(why), "{message}");
        }
    }
}
