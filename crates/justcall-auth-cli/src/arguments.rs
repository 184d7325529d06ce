//! The arguments. None of them takes a secret.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ColorChoice, Parser, Subcommand};
use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Config, Error, StateFile};

use crate::help;
use crate::snippets::Language;
use crate::values::{account, age, bytes, count, moment, seconds, whole_seconds};

/// JustCall API authentication: checks a pair of API key and secret, names the cause of each failure, never leaks the
/// secret.
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

/// The options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The source of the pair. --help lists the sources
    #[arg(long, global = true, value_name = "SOURCE", default_value = "default:", long_help = help::source())]
    pub source: String,

    /// The URL of the service
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The URL of the service [default: https://api.justcall.io]"
    )]
    pub base_url: Option<String>,

    /// A PEM file of certificate authorities to trust instead of the system's
    #[arg(long, global = true, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,

    /// The HTTP proxy to the service, as `http://host:port`
    #[arg(
        long,
        global = true,
        value_name = "URL",
        help = "The HTTP proxy to the service, as http://host:port, or \"\" for no proxy [default: HTTPS_PROXY]"
    )]
    pub proxy: Option<String>,

    /// The IP address of this machine for connections, if the account allows only certain addresses
    #[arg(long, global = true, value_name = "IP")]
    pub local_address: Option<String>,

    /// The number of the account that the pair must belong to. Calls fail if the service does not return the number
    #[arg(long, global = true, value_name = "ID", value_parser = account, allow_negative_numbers = true)]
    pub expected_account: Option<u64>,

    /// The time limit of the whole call, with retries and waits, or 0 for no limit [default: 30]
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub timeout: Option<Duration>,

    /// The number of retries of a call, or 0 for no retries [default: 2]
    #[arg(long, global = true, value_name = "N", value_parser = count, allow_negative_numbers = true)]
    max_retries: Option<u32>,

    /// Print one JSON object on standard output, for success and failure
    #[arg(long, global = true)]
    pub json: bool,

    /// When to use colour. auto uses colour on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
}

impl Global {
    /// Returns the configuration of the client.
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

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store a first pair: prompts for the pair, verifies it, writes it, and prints code that uses it
    #[command(after_help = help::SETUP)]
    Setup(SetupArguments),
    /// Ask the service whether the pair is valid, and print its account
    #[command(after_help = help::VERIFY)]
    Verify {
        /// The path to request with GET, instead of /v2/account and its alternative /v2.1/users
        #[arg(long, value_name = "PATH")]
        verify_path: Option<String>,
    },
    /// Check everything that a call depends on, one line each, with a remedy for each failure
    #[command(after_help = help::DOCTOR)]
    Doctor {
        /// The path to request with GET, instead of /v2/account and its alternative /v2.1/users
        #[arg(long, value_name = "PATH")]
        verify_path: Option<String>,
    },
    /// Send a request to the service and print the body of the response
    #[command(after_help = help::REQUEST)]
    Request(Box<RequestArguments>),
    /// Print the header `Authorization: key:secret` into a pipe, for curl -H @-
    #[command(after_help = help::HEADER)]
    Header,
    /// Replace the pair after a reset: prompts for the new pair, verifies it, writes it atomically, and waits until it
    /// is in use
    #[command(after_help = help::ROTATE)]
    Rotate(RotateArguments),
    /// Find leaked pairs: your own in any form, and others by their form, in files, history and standard input
    #[command(after_help = help::SCAN)]
    Scan(Box<ScanArguments>),
    /// Webhooks: check whether a delivery comes from JustCall
    #[command(after_help = help::WEBHOOK)]
    Webhook {
        #[command(subcommand)]
        command: WebhookCommand,
    },
    /// Print the age and the last use of the pair, to decide whether to rotate or revoke it. Does not contact the
    /// service
    #[command(after_help = help::STATUS)]
    Status(StatusArguments),
    /// Explain an error, an HTTP status or a finding of the local check
    #[command(after_help = help::EXPLAIN)]
    Explain {
        /// A name such as forbidden or `trailing_whitespace`, or a number such as 403 [default: list all names]
        name: Option<String>,
    },
}

/// The request, and the destination of its response.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArguments {
    /// The HTTP method, in any case
    pub method: String,

    /// The path under the base URL, such as /v2.1/calls?page=0
    pub path: String,

    /// Add NAME=VALUE to the query, percent-encoded (may be repeated)
    #[arg(long, value_name = "NAME=VALUE")]
    pub query: Vec<String>,

    /// Set a header, as 'Name: value' (may be repeated)
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<String>,

    /// The body, which is JSON unless a Content-Type header states another type
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    pub body: Option<String>,

    /// Read the body from a file, or from standard input with -
    #[arg(long, value_name = "PATH")]
    pub body_file: Option<PathBuf>,

    /// Write the body of a successful response to this file instead of standard output
    #[arg(long, value_name = "PATH")]
    pub output: Option<PathBuf>,

    /// Print the status and the headers before the body
    #[arg(long)]
    pub include: bool,

    /// The maximum length of the response body in bytes, or 0 for no limit [default: 33554432]
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_negative_numbers = true)]
    pub max_response_length: Option<usize>,
}

/// The options of `setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct SetupArguments {
    /// Print the code for this language
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Language>,
}

/// The options of `rotate`.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArguments {
    /// Mark the old pair as compromised, so that programs immediately refuse webhooks signed with the old secret
    #[arg(long)]
    pub compromised: bool,

    /// Verify the new pair and check that the source can be written, but change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A command about webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Verify a recorded delivery: its headers and its body, from files or standard input
    #[command(after_help = help::WEBHOOK)]
    Verify(WebhookArguments),
}

/// A delivery, and the conditions that it must meet.
#[derive(Debug, clap::Args)]
pub(crate) struct WebhookArguments {
    /// The URL exactly as it is registered in JustCall (may be repeated)
    #[arg(long, value_name = "URL", required_unless_present = "any_url", conflicts_with = "any_url")]
    pub url: Vec<String>,

    /// Accept a delivery for any URL of the account
    #[arg(long)]
    any_url: bool,

    /// The file of the headers, with one 'Name: value' per line, or - for standard input [default: -]
    #[arg(long, value_name = "PATH")]
    pub headers: Option<PathBuf>,

    /// The file of the unchanged body, or - for standard input [default: -, after the headers and an empty line]
    #[arg(long, value_name = "PATH")]
    pub body: Option<PathBuf>,

    /// The maximum difference between the timestamp and the current time, in both directions [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = whole_seconds, allow_negative_numbers = true)]
    pub tolerance: Option<u64>,

    /// The current time, in seconds since 1970-01-01 UTC [default: the clock of this machine]
    #[arg(long, value_name = "SECONDS", value_parser = moment, allow_negative_numbers = true)]
    pub now: Option<i64>,
}

/// The texts to scan, and the exceptions.
#[derive(Debug, clap::Args)]
pub(crate) struct ScanArguments {
    /// Files and folders, or - for standard input
    #[arg(required_unless_present = "git")]
    pub paths: Vec<PathBuf>,

    /// Scan the history of a git repository instead, or only the commits of RANGE, such as main..HEAD
    #[arg(long, value_name = "RANGE", num_args = 0..=1, default_missing_value = "", conflicts_with = "paths")]
    pub git: Option<String>,

    /// Also scan commits that only a reflog reaches, such as amended or rebased commits, and stashes
    #[arg(long, requires = "git", conflicts_with = "paths")]
    pub reflog: bool,

    /// The path of the repository [default: the current folder]
    #[arg(long, value_name = "PATH", requires = "git", conflicts_with = "paths")]
    pub repository: Option<PathBuf>,

    /// Skip the files that .gitignore names
    #[arg(long, conflicts_with = "git")]
    pub respect_gitignore: bool,

    /// Allow the fingerprints in this file
    #[arg(long, value_name = "PATH")]
    pub baseline: Option<PathBuf>,

    /// Write the fingerprints of the findings to this file, to allow them from now on
    #[arg(long, value_name = "PATH", conflicts_with_all = ["baseline", "json", "sarif"])]
    pub write_baseline: Option<PathBuf>,

    /// Print SARIF 2.1.0, which code hosts display beside the lines
    #[arg(long, conflicts_with = "json")]
    pub sarif: bool,
}

/// The limits of `status`.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArguments {
    /// The age from which the pair is due for rotation, such as 90d or 12weeks, or 0 for never
    #[arg(long, value_name = "AGE", default_value = "90d", value_parser = age)]
    pub max_age: Duration,

    /// The time without use from which the pair should be revoked, or 0 for never
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = age)]
    pub max_unused: Duration,

    /// The state file, which records when pairs were first seen and last used
    #[arg(
        long,
        value_name = "PATH",
        help = "The state file, which records when pairs were first seen and last used [default: justcall-auth/pairs.json in XDG_STATE_HOME or ~/.local/state]"
    )]
    pub state_file: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use justcall_auth::Policy;

    use super::*;

    #[test]
    fn it_defines_a_valid_command_line() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn it_prints_the_defaults_of_the_library() {
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
    fn it_prints_the_tolerance_of_the_library() {
        let mut command = Arguments::command();
        let webhook = command.find_subcommand_mut("webhook").expect("the command exists");
        let verify = webhook.find_subcommand_mut("verify").expect("the command exists");
        let tolerance = justcall_auth::webhook::DEFAULT_TOLERANCE.as_secs();
        let help = verify.render_help().to_string();
        assert!(help.contains(&format!("[default: {tolerance}]")), "{help}");
    }

    #[test]
    fn it_names_the_longest_response_that_the_library_reads() {
        let mut command = Arguments::command();
        let request = command.find_subcommand_mut("request").expect("the command is there");
        let longest = Policy::default().max_response_length;
        let help = request.render_help().to_string();
        assert!(help.contains(&format!("[default: {longest}]")), "{help}");
    }
}
