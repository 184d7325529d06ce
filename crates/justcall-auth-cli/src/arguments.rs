//! The arguments. None of them takes a secret.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ColorChoice, Parser, Subcommand};
use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Config, Error, StateFile};

use crate::help;
use crate::snippets::Language;
use crate::values::{account, age, bytes, count, moment, seconds, whole_seconds};

/// JustCall API authentication: checks a pair of API key and secret, says what is wrong, never leaks the secret.
#[derive(Debug, Parser)]
#[command(
    name = "justcall-auth",
    version = justcall_auth::VERSION,
    arg_required_else_help = true,
    after_help = help::SHORT,
    after_long_help = help::long()
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Where the pair comes from; --help lists the spellings
    #[arg(long, global = true, value_name = "SOURCE", default_value = "default:", long_help = help::source())]
    pub source: String,

    /// Where the service is
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "Where the service is [default: https://api.justcall.io]"
    )]
    pub base_url: Option<String>,

    /// A PEM file of certificate authorities to trust in place of the system's
    #[arg(long, global = true, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,

    /// The HTTP proxy to the service, as `http://host:port`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The HTTP proxy to the service, as http://host:port; \"\" for none [default: HTTPS_PROXY]"
    )]
    pub proxy: Option<String>,

    /// The IP address of this machine that connections come from, for an account that allows some addresses only
    #[arg(long, global = true, value_name = "IP")]
    pub local_address: Option<String>,

    /// The number of the account that the pair must belong to, not 0; the service as measured does not reveal it
    #[arg(long, global = true, value_name = "ID", value_parser = account, allow_negative_numbers = true)]
    pub expected_account: Option<u64>,

    /// The limit of the whole call, retries and waits included; 0 means none [default: 30]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub timeout: Option<Duration>,

    /// How many second attempts the call may make; 0 means none [default: 2]
    #[arg(long, global = true, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    max_retries: Option<u32>,

    /// Print one JSON object on standard output, for success and failure alike
    #[arg(long, global = true)]
    pub json: bool,

    /// When to use colour; auto is on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

impl Global {
    /// The client's configuration that these ask for.
    pub fn config(&self) -> Result<Config, Error> {
        let mut config = Config::new();
        config.set_source(&self.source)?;
        if let Some(file) = StateFile::usual(&ProcessEnvironment) {
            config.set_state_file(file.path())?;
        }
        if let Some(url) = &self.base_url {
            config.set_base_url(url)?;
        }
        if let Some(path) = &self.ca_file {
            config.set_ca_file(path)?;
        }
        if let Some(url) = &self.proxy {
            config.set_proxy(url)?;
        }
        if let Some(address) = &self.local_address {
            config.set_local_address(address)?;
        }
        if let Some(id) = self.expected_account {
            config.set_expected_account(id)?;
        }
        if let Some(timeout) = self.timeout {
            config.set_timeout(timeout);
        }
        if let Some(retries) = self.max_retries {
            config.set_max_retries(retries);
        }
        Ok(config)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store a first pair: asked for, verified and written; prints the lines that use it
    #[command(after_help = help::SETUP)]
    Setup(SetupArguments),
    /// Ask the service whether the pair is good, and whose it is
    #[command(after_help = help::VERIFY)]
    Verify {
        /// What to ask with GET, in place of /v2/account and its stand-in /v2.1/users
        #[arg(long, value_name = "PATH")]
        verify_path: Option<String>,
    },
    /// Look at everything that a call depends on, one line each, with a remedy where something is wrong
    #[command(after_help = help::DOCTOR)]
    Doctor {
        /// What to ask with GET, in place of /v2/account and its stand-in /v2.1/users
        #[arg(long, value_name = "PATH")]
        verify_path: Option<String>,
    },
    /// Send a request to the service and print the answer's body
    #[command(after_help = help::REQUEST)]
    Request(Box<RequestArguments>),
    /// Print the header `Authorization: key:secret` into a pipe, for curl -H @-
    #[command(after_help = help::HEADER)]
    Header,
    /// Put a new pair in the place of the one that was reset: asked for, verified, written in one step, and watched
    #[command(after_help = help::ROTATE)]
    Rotate(RotateArguments),
    /// Find pairs that leaked: your own in any form, and what is shaped like one, in files, history and standard input
    #[command(after_help = help::SCAN)]
    Scan(Box<ScanArguments>),
    /// Webhooks: is a delivery JustCall's?
    #[command(after_help = help::WEBHOOK)]
    Webhook {
        #[command(subcommand)]
        command: WebhookCommand,
    },
    /// Tell how old the pair is and when it was used last: whether to rotate it, or to revoke it. Asks nothing of the service
    #[command(after_help = help::STATUS)]
    Status(StatusArguments),
    /// Explain an error, an HTTP status or a finding of the local check
    #[command(after_help = help::EXPLAIN)]
    Explain {
        /// A name (forbidden, `trailing_whitespace`) or a number (403); none lists all
        name: Option<String>,
    },
}

/// What to send, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArguments {
    /// The HTTP method, in any case
    pub method: String,

    /// The path under the base URL, such as /v2.1/calls?page=0
    pub path: String,

    /// Add NAME=VALUE to the query, percent-encoded for you; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub query: Vec<String>,

    /// Set a header, as 'Name: value'; may be repeated
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<String>,

    /// The body; JSON, unless a Content-Type header says otherwise
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    pub body: Option<String>,

    /// Take the body from a file, or from standard input: -
    #[arg(long, value_name = "PATH")]
    pub body_file: Option<PathBuf>,

    /// Write the body of a success to this file, in place of standard output
    #[arg(long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// Print the answer's status and headers before its body
    #[arg(long)]
    pub include: bool,

    /// The longest body of a response to read; a longer one is a failure; 0 means no limit [default: 33554432]
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true)]
    pub max_response_length: Option<usize>,
}

/// What to set up.
#[derive(Debug, clap::Args)]
pub(crate) struct SetupArguments {
    /// Print the lines to paste for this language
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Language>,
}

/// How to rotate.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArguments {
    /// The old pair got into wrong hands: programs stop at once to believe webhooks that are signed with its secret
    #[arg(long)]
    pub compromised: bool,

    /// Check and verify the new pair, and that it could be written; change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Verify a delivery that was recorded: its headers and its body, from files or standard input
    #[command(after_help = help::WEBHOOK)]
    Verify(WebhookArguments),
}

/// A delivery, and what is expected of it.
#[derive(Debug, clap::Args)]
pub(crate) struct WebhookArguments {
    /// The URL exactly as it is registered in JustCall; may be repeated
    #[arg(long, value_name = "URL", required_unless_present = "any_url", conflicts_with = "any_url")]
    pub url: Vec<String>,

    /// Take a delivery for any URL of the account
    #[arg(long)]
    any_url: bool,

    /// The headers, one 'Name: value' a line; - is standard input [default: -]
    #[arg(long, value_name = "PATH")]
    pub headers: Option<PathBuf>,

    /// The body, byte for byte; - is standard input [default: -, after the headers and an empty line]
    #[arg(long, value_name = "PATH")]
    pub body: Option<PathBuf>,

    /// How far the delivery's time may be from now, in the past and in the future [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = whole_seconds, allow_negative_numbers = true)]
    pub tolerance: Option<u64>,

    /// The time to verify at, in seconds since 1970-01-01 UTC [default: this machine's]
    #[arg(long, value_name = "SECONDS", value_parser = moment, allow_negative_numbers = true)]
    pub now: Option<i64>,
}

/// Where to look, and what is passed over.
#[derive(Debug, clap::Args)]
pub(crate) struct ScanArguments {
    /// Files and folders, or - for standard input
    #[arg(required_unless_present = "git")]
    pub paths: Vec<PathBuf>,

    /// Look at the history of a git repository instead: all of it, or the commits of RANGE, such as main..HEAD
    #[arg(long, value_name = "RANGE", num_args = 0..=1, default_missing_value = "", conflicts_with = "paths")]
    pub git: Option<String>,

    /// Look at commits in the history that only a reflog leads to as well: amended, reset or rebased away, or stashed
    #[arg(long, requires = "git", conflicts_with = "paths")]
    pub reflog: bool,

    /// Where the repository is [default: here]
    #[arg(long, value_name = "PATH", requires = "git", conflicts_with = "paths")]
    pub repository: Option<PathBuf>,

    /// Pass over what .gitignore names
    #[arg(long, conflicts_with = "git")]
    pub respect_gitignore: bool,

    /// Pass over the fingerprints in this file
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<PathBuf>,

    /// Write the fingerprints of what is found into this file, to be passed over from now on
    #[arg(long, value_name = "PATH", conflicts_with_all = ["baseline", "json", "sarif"])]
    pub write_baseline: Option<PathBuf>,

    /// Print SARIF 2.1.0, which code hosts show beside the lines
    #[arg(long, conflicts_with = "json")]
    pub sarif: bool,
}

/// What is too old.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArguments {
    /// The age from which the pair is due for rotation, such as 90d or 12weeks; 0 means never
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = age)]
    pub max_age: Duration,

    /// The time without use from which the pair is to be revoked; 0 means never
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = age)]
    pub max_unused: Duration,

    /// Where it is remembered when pairs were seen first and used last
    #[arg(
        long,
        value_name = "PATH",
        help = "Where it is remembered when pairs were seen first and used last [default: justcall-auth/pairs.json in XDG_STATE_HOME or ~/.local/state]"
    )]
    pub state_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use justcall_auth::Policy;

    use super::*;

    #[test]
    fn it_is_a_command_line_that_clap_accepts() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn it_tells_the_defaults_that_the_library_has() {
        let help = Arguments::command().render_help().to_string();
        let policy = Policy::default();
        for default in [
            policy.base_url.to_string(),
            policy.timeout.as_secs().to_string(),
            policy.max_retries.to_string(),
        ] {
            assert!(help.contains(&format!("[default: {default}]")), "{default}\n{help}");
        }
    }

    #[test]
    fn it_tells_the_tolerance_that_the_library_has() {
        let mut command = Arguments::command();
        let webhook = command.find_subcommand_mut("webhook").expect("the command is there");
        let verify = webhook.find_subcommand_mut("verify").expect("the command is there");
        let tolerance = justcall_auth::webhook::DEFAULT_TOLERANCE.as_secs();
        let help = verify.render_help().to_string();
        assert!(help.contains(&format!("[default: {tolerance}]")), "{help}");
    }

    #[test]
    fn it_tells_the_longest_response_that_the_library_reads() {
        let mut command = Arguments::command();
        let request = command.find_subcommand_mut("request").expect("the command is there");
        let longest = Policy::default().max_response_length;
        let help = request.render_help().to_string();
        assert!(help.contains(&format!("[default: {longest}]")), "{help}");
    }
}
