//! Reads the arguments, and tells what is wrong with them without repeating what may be a secret.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, FromArgMatches, ValueEnum};
use justcall_auth::Error;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::unechoed::{NOT_SHOWN, is_plain_word};

/// What came of arguments that name nothing to do: help, the version, or what is wrong with them.
#[derive(Debug)]
pub(crate) struct Unparsed {
    error: clap::Error,
    json: bool,
}

/// Reads the arguments, which begin with the program's own name.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Arguments, Unparsed> {
    let unparsed = |error| Unparsed { error, json: asks_for_json(arguments) };
    Arguments::command()
        .color(color(arguments))
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches))
        .map_err(|error| unparsed(discreet(error)))
}

impl Unparsed {
    /// Shows it and says how the command ends.
    pub fn show(&self) -> Exit {
        let wrong = self.error.use_stderr();
        if wrong && self.json {
            return Failure::Known(self.as_failure()).show(&Output::json());
        }
        match self.error.print() {
            Ok(()) => {}
            // Nobody reads any more.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => return Failure::Output(error).show(&Output::plain()),
        }
        if wrong { Exit::Usage } else { Exit::Success }
    }

    /// The same as a row of the error table.
    fn as_failure(&self) -> Error {
        if self.error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Error::invalid_argument("No command was given.").with_hint("See justcall-auth --help.");
        }
        let text = self.error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        let join = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Error::invalid_argument(format!("{}.", join(message))).with_hint(join(rest))
    }
}

/// `error` without what the user gave, unless that is surely no secret.
fn discreet(mut error: clap::Error) -> clap::Error {
    let mut given = vec![ContextKind::InvalidValue];
    match error.kind() {
        ErrorKind::UnknownArgument => given.push(ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => given.push(ContextKind::InvalidSubcommand),
        _ => {}
    }
    for kind in given {
        let is_plain = match error.get(kind) {
            None | Some(ContextValue::None) => true,
            Some(ContextValue::String(word)) => is_plain_word(word),
            Some(_) => false,
        };
        if !is_plain {
            error.insert(kind, ContextValue::String(NOT_SHOWN.to_owned()));
            let tip = "a key or secret is never an argument: --source says where it comes from".into();
            // It replaces clap's own tips, which repeat the word as well.
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        }
    }
    error
}

/// Whether `--json` is among the arguments, for those that cannot be read.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// What `--color` says, for help and for arguments that cannot be read.
fn color(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<&str> =
        arguments.iter().take_while(|argument| *argument != "--").filter_map(|word| word.to_str()).collect();
    let apart = words.windows(2).filter(|pair| pair[0] == "--color").map(|pair| pair[1]);
    let joined = words.iter().filter_map(|word| word.strip_prefix("--color="));
    apart.chain(joined).find_map(|when| ColorChoice::from_str(when, false).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(arguments: &[&str]) -> String {
        let arguments: Vec<OsString> =
            std::iter::once("justcall-auth").chain(arguments.iter().copied()).map(OsString::from).collect();
        let unparsed = parse(&arguments).expect_err("these are wrong");
        assert!(unparsed.error.use_stderr());
        unparsed.error.render().to_string()
    }

    #[test]
    fn it_does_not_repeat_what_may_be_a_secret() {
        for arguments in [
            &["abc123def456:canary99"][..],
            &["verify", "abc123def456:canary99"],
            &["verify", "canary99"],
            &["verify", "--api-secret=canary99"],
            &["verify", "--canary99"],
            &["verify", "-canary99"],
            &["verify", "--timeout", "canary99"],
            &["verify", "--max-retries=canary99"],
            &["verify", "--color", "canary99"],
            &["verify", "--json=canary99"],
            &["explain", "forbidden", "canary99"],
            &["header", "canary99"],
        ] {
            let text = refused(arguments);
            assert!(!text.contains("canary99"), "{arguments:?}: {text}");
        }
    }

    #[test]
    fn it_repeats_a_misspelt_word_and_suggests_the_right_one() {
        let text = refused(&["verify", "--verfy-path", "/v2/account"]);
        assert!(text.contains("'--verfy-path'") && text.contains("'--verify-path'"), "{text}");
        let text = refused(&["verfy"]);
        assert!(text.contains("'verfy'") && text.contains("'verify'"), "{text}");
    }
}
