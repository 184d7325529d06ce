//! Parsing of the arguments. Messages about them do not repeat words that may be secret.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ColorChoice, CommandFactory, FromArgMatches, ValueEnum};
use justcall_auth::Error;

use crate::argument_mask::{NOT_SHOWN, is_plain_word};
use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// The result for arguments without a command to run: help, the version, or an error.
#[derive(Debug)]
pub(crate) struct Unparsed {
    error: clap::Error,
    json: bool,
}

/// Parses the arguments. The first one is the name of the program.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Arguments, Unparsed> {
    let unparsed = |error| Unparsed { error, json: asks_for_json(arguments) };
    Arguments::command()
        .color(color(arguments))
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches))
        .map_err(|error| unparsed(redacted(error)))
}

impl Unparsed {
    /// Prints the result. Returns the exit code.
    pub fn show(&self) -> Exit {
        let wrong = self.error.use_stderr();
        if wrong && self.json {
            return Failure::Known(self.as_failure()).show(&Output::json());
        }
        match self.error.print() {
            Ok(()) => {}
            // The reader has closed the output.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => return Failure::Output(error).show(&Output::plain()),
        }
        if wrong { Exit::Usage } else { Exit::Success }
    }

    /// Returns the error as a row of the error table.
    fn as_failure(&self) -> Error {
        if self.error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Error::invalid_argument("The command is missing.").with_hint("See justcall-auth --help.");
        }
        let text = self.error.render().to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        let join = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        Error::invalid_argument(format!("{}.", join(message))).with_hint(join(rest))
    }
}

/// Returns `error` with the user's words masked, unless they are certainly not secret.
fn redacted(mut error: clap::Error) -> clap::Error {
    let mut kinds = vec![ContextKind::InvalidValue];
    match error.kind() {
        ErrorKind::UnknownArgument => kinds.push(ContextKind::InvalidArg),
        ErrorKind::InvalidSubcommand => kinds.push(ContextKind::InvalidSubcommand),
        _ => {}
    }
    for kind in kinds {
        let is_plain = match error.get(kind) {
            None | Some(ContextValue::None) => true,
            Some(ContextValue::String(word)) => is_plain_word(word),
            Some(_) => false,
        };
        if !is_plain {
            error.insert(kind, ContextValue::String(NOT_SHOWN.to_owned()));
            let tip =
                "a key or secret is never an argument. Pass the source of the pair with --source".into();
            // This replaces the tips of clap, which would repeat the word.
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        }
    }
    error
}

/// Returns true if `--json` is among the arguments, for arguments that cannot be parsed.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

/// Returns the value of `--color`, for help and for arguments that cannot be parsed.
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
    fn it_does_not_repeat_words_that_may_be_secret() {
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
    fn it_repeats_a_misspelt_option_and_suggests_the_right_one() {
        let text = refused(&["verify", "--verfy-path", "/v2/account"]);
        assert!(text.contains("'--verfy-path'") && text.contains("'--verify-path'"), "{text}");
        let text = refused(&["verfy"]);
        assert!(text.contains("'verfy'") && text.contains("'verify'"), "{text}");
    }
}
