//! The arguments of the command `justcall-auth-sandbox`. `xtask-package` compiles this file and `dialect.rs` too, for the
//! manual page.
#![expect(clippy::doc_markdown, reason = "the comments on the arguments are the text of --help")]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

use super::Dialect;

/// A local server that answers as the JustCall API does, for tests.
///
/// When it is ready, it prints one line of JSON with "url", "ca_file" (the authority that clients must trust;
/// null with --http), "api_key", "api_secret", "control_url" and "console_url" (null without --console or
/// --open), and serves until SIGTERM or SIGINT.
/// Pair, token and authority are new at each start. The private keys are in memory only.
///
/// Tests control it at control_url: POST pairs creates an account, POST reset replaces a pair immediately or after
/// an overlap in which both pairs work, POST faults makes answers fail, GET requests lists the requests.
/// For example:
///
///   curl --cacert "$ca_file" -H "Authorization: $api_key:$api_secret" "$url/v2/account"
///   curl --cacert "$ca_file" -d '{"fault":"answer","status":503,"times":1}' "${control_url}faults"
///   curl --cacert "$ca_file" -d '{"overlap_ms":60000}' "${control_url}reset"
#[derive(Parser)]
#[command(name = "justcall-auth-sandbox", version, verbatim_doc_comment)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct SandboxArguments {
    /// Serve the API at this loopback address. Port 0 chooses a free port. May be repeated: another address with
    /// port 0 gets the port of the first, so that localhost has the same port in IPv4 and IPv6.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: Vec<SocketAddr>,

    /// Serve plain HTTP instead of HTTPS.
    #[arg(long, conflicts_with = "ca_file")]
    pub http: bool,

    /// Write the authority's certificate to this file and keep it. A file with anything else than the certificate of a
    /// sandbox is refused [default: a new temporary file, removed at the end].
    #[arg(long, value_name = "PATH")]
    pub ca_file: Option<PathBuf>,

    /// The description of the service to follow: the help article, or measurements of the live service.
    #[arg(long, value_enum, default_value = "article")]
    pub dialect: Dialect,

    /// Serve the console: a page that shows requests as they arrive, and resets pairs, adds faults and sends
    /// webhooks. It listens on loopback only, and its URL contains a random token.
    #[arg(long)]
    pub console: bool,

    /// Serve the console and open it in a browser.
    #[arg(long)]
    pub open: bool,

    /// Also exit when standard input ends, so that no server outlives the test that started it.
    #[arg(long)]
    pub until_stdin_closes: bool,
}
