//! The texts of --help: sources, examples, environment, exit codes.

use std::fmt::Write as _;

use justcall_auth::source::SPELLINGS;

use crate::exit::Exit;

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "JUSTCALL_CREDENTIALS",
        "the source, if --source is not set (but not command:); an empty value has no effect",
    ),
    ("JUSTCALL_API_KEY", "the API key, for the sources default: and env:"),
    ("JUSTCALL_API_SECRET", "the API secret, for the same sources"),
    (
        "VAULT_ADDR, VAULT_TOKEN, …",
        "the server and the login of vault:, as for the command of Vault; BAO_ADDR and the like count first",
    ),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "certificate authorities to trust instead of the system's"),
    (
        "HTTPS_PROXY, NO_PROXY",
        "the proxy to the service, unless --proxy is set, and the hosts without a proxy; doctor shows the matching entry",
    ),
    ("NO_COLOR", "disables colour if set"),
];

/// The end of `-h`.
pub(crate) const SHORT: &str = "\
Examples:
  justcall-auth verify
  justcall-auth doctor
  justcall-auth request GET /v2.1/calls
  justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

--help lists the sources, the environment variables and the exit codes.";

pub(crate) const VERIFY: &str = "\
Examples:
  justcall-auth verify
  justcall-auth verify --source file:/etc/justcall.json --json
  justcall-auth verify --verify-path '/v2.1/users?per_page=1'

A failure is printed to standard error with a hint. The exit code identifies the kind of the failure.";

pub(crate) const DOCTOR: &str = "\
Examples:
  justcall-auth doctor
  justcall-auth doctor --source file:/etc/justcall.json --json

✓ means ok. ! means that calls work, but the setting is rarely intended. ✗ means failed. – means that the check does not
apply or was not possible. doctor follows the route of a call, one step at a time. doctor sends the pair once, to verify the
pair. doctor exits with the code of the first failed check. --timeout limits each step.";

pub(crate) const REQUEST: &str = "\
Examples:
  justcall-auth request GET /v2.1/calls --query per_page=5
  justcall-auth request POST /v2.1/texts/new --body-file text.json
  jq -n '{name: \"Ann\"}' | justcall-auth request POST /v2.1/contacts --body-file -
  justcall-auth request GET /v2.1/calls --include --output calls.json

On a terminal, JSON is indented. A pipe or file receives the body unchanged, except that the API key and secret are masked.
A status of 300 or more is a failure, and its body is printed to standard error. --json prints one object, which contains
the response or the failure. Server errors and the rate limit are retried, within --max-retries and --timeout. A POST is
sent again only if the service certainly did not process it.";

pub(crate) const HEADER: &str = "\
Examples:
  justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

The secret reaches curl only through the pipe. Other users of the machine can read the arguments of a program, but not the
pipe. The history of the shell does not contain the secret. For this reason, `header` refuses to print to a terminal and
refuses --json. `header` checks the form of the pair, but does not contact the service.";

pub(crate) const SETUP: &str = "\
Examples:
  justcall-auth setup
  justcall-auth setup --source file:/etc/justcall.json --language python
  pass show justcall | justcall-auth setup --source dir:/etc/justcall --language c++ --json

setup asks for the source, the language of the code to print, and the pair. The pair is hidden while you enter it. setup
does not ask for values on standard input or in options. setup writes only after the service has accepted the pair, and
never replaces a pair. To replace a pair, use `rotate`. A new file is readable only by its owner (0600). The file contains
dotenv lines if its name ends in .env, and JSON otherwise. In a secret of Vault (vault:), other fields stay. For sources that cannot be written, such as env:, setup prints
the manual steps.";

pub(crate) const ROTATE: &str = "\
Examples:
  justcall-auth rotate --source file:/etc/justcall.json
  pass show justcall-new | justcall-auth rotate --source file:/etc/justcall.json --expected-account 12345
  justcall-auth rotate --compromised
  justcall-auth rotate --dry-run --json < new-pair

rotate asks for the new pair and hides it while you enter it. On standard input, rotate accepts key:secret, JSON or dotenv
lines. The new pair must belong to the account of the current pair. If the service already rejects the current pair, set
--expected-account.
A file is replaced atomically. Programs read either the old or the new pair, even if this command is killed. Owner, group,
mode and ACL stay unchanged. The form of the file and its other content also stay unchanged. A symbolic link remains a link.
If rotate does not fully understand a file, it refuses the file before it asks for the pair. The message then names the
line, and nothing is changed. A folder (dir:) must have the layout of Kubernetes. A secret of Vault (vault:) gets a new
version with check-and-set: its other fields stay, and if another writer was faster, nothing is changed. For sources that
cannot be written, such as env: or command:, rotate prints the manual steps. If the source can change while rotate runs, rotate then waits for the
new pair, for 10 minutes or for --timeout.";

pub(crate) const SCAN: &str = "\
Examples:
  justcall-auth scan .
  justcall-auth scan --respect-gitignore --sarif . > scan.sarif
  justcall-auth scan --git
  justcall-auth scan --git origin/main..HEAD
  justcall-auth scan --git --reflog
  git diff --cached | justcall-auth scan -
  justcall-auth scan . --write-baseline .justcall-baseline
  justcall-auth scan . --baseline .justcall-baseline

scan searches for the secret of your own pair from the source, in every common form: plain, base64 (as in Basic headers),
hexadecimal, URL-encoded, escaped for JSON or HTML, UTF-16. scan also searches for text with the form of a pair beside a
matching name. Text may be UTF-8, UTF-16 or UTF-32, with or without a byte order mark. In binary files, scan searches only
for your own secret, also as UTF-16. git diff shows UTF-16 files only with --text. Links are not followed. .git and the file
of the source are skipped. A finding shows both ends of the key and a fingerprint of the secret, never the secret. A finding
is severe if the pair is your own, or if browsers receive the text. Browsers receive bundles, pages, source maps, public
folders, and values with names such as NEXT_PUBLIC_ or VITE_.

--git scans every version of every file that any ref reaches, and the messages of commits and tags. Each version is scanned
once. A finding names the commit that introduced it. A repository cannot start programs: hooks, filters, drivers and helpers
are disabled.
--git alone does not scan commits that no ref reaches. After commit --amend, rebase or reset --hard, only the reflog
contains the old commits, by default for 30 days. --reflog also scans the reflogs of all refs and worktrees, and thus every
stash. Objects in no reflog, such as a dropped stash or a file that was only staged, are never scanned. To scan such
objects, run `git fsck --lost-found`. Then run `justcall-auth scan --git COMMIT` for each dangling commit, and
`justcall-auth scan .git/lost-found` for the files.

To allow text with the form of a pair, write the comment `justcall-auth: allow` on the same line or on the line before. A
baseline also allows such text. Neither a comment nor a baseline allows your own live pair.

Exit codes: 0 nothing found, 1 findings or texts that could not be scanned, 2 invalid arguments, 3 the source contains no
valid pair. If the default sources contain no pair, scan searches only for the form of pairs.";

pub(crate) const WEBHOOK: &str = "\
Examples:
  justcall-auth webhook verify --url https://example.com/hooks < request.http
  justcall-auth webhook verify --url https://example.com/hooks --headers headers.txt --body body.json
  justcall-auth webhook verify --any-url --now 1711040902 --json < request.http

Without --headers and --body, standard input must contain a recorded HTTP request: the headers, an empty line, the body. The
secret is the API secret of the pair from --source, because JustCall has no separate webhook secret. Nothing is sent.

The signature covers the secret, the timestamp, and the `webhook_url` and `type` of the body. The rest of the body is NOT
signed. Before you act on a delivery, fetch the object through the API. The last line of the output shows the command.

Exit codes: 0 genuine, 1 not genuine, too old, for another URL or unsigned, 2 invalid arguments, 3 no secret.";

pub(crate) const STATUS: &str = "\
Examples:
  justcall-auth status
  justcall-auth status --max-age 30d --json
  justcall-auth status --source file:/etc/justcall.json --state-file /var/lib/app/justcall.json

The age counts from the creation time in the source. setup and rotate write the creation time as \"created_at\" in JSON. If
the source does not contain the creation time, the age counts from the first time that this command or a program saw the
pair. The last use is the latest recorded use, with an accuracy of one hour. This command records its own uses. A program
records its uses if it has a state file (state_file in the configuration). Pass this file with --state-file. The state file
contains only keyed hashes, not the pair.

Exit codes, for monitors: 0 nothing is due, 1 the pair is due for rotation or was unused for too long, or its times are
unknown, or the source cannot be read, 2 invalid arguments, 3 the source contains no valid pair.
status does not contact the service. To check whether the service accepts the pair, run verify.";

pub(crate) const EXPLAIN: &str = "\
Examples:
  justcall-auth explain forbidden
  justcall-auth explain 403
  justcall-auth explain trailing_whitespace
  justcall-auth explain";

/// Returns the end of `--help`.
pub(crate) fn long() -> String {
    let mut text = String::from(
        "\
Examples:
  Check the pair in the environment:
    justcall-auth verify

  Find the cause of a failure:
    justcall-auth doctor

  Call the API:
    justcall-auth request GET /v2.1/calls --query per_page=5 | jq '.data[].id'

  Check the pair in a file, and read the result in a script:
    justcall-auth verify --source file:/etc/justcall.json --json | jq .account.email

  Call the API with curl, without the secret in its arguments:
    justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

  Find pairs in files or history:
    justcall-auth scan . && justcall-auth scan --git

  Distinguish failures:
    justcall-auth verify || case $? in
      3|4) echo 'fix the credentials' ;;
      6|7|8) echo 'try again later' ;;
    esac

Environment:
",
    );
    table(&mut text, ENVIRONMENT.iter().copied());
    text.push_str("\nExit codes:\n");
    let codes: Vec<(String, &str)> =
        Exit::ALL.iter().map(|exit| (exit.code().to_string(), exit.meaning())).collect();
    table(&mut text, codes.iter().map(|(code, meaning)| (code.as_str(), *meaning)));
    text.push_str("\nA key or secret is never an argument, because process lists would show it.");
    text
}

/// Returns the help of `--source`.
pub(crate) fn source() -> String {
    let mut text = String::from("The source of the pair:\n\n");
    table(&mut text, SPELLINGS.iter().copied());
    text.pop();
    text
}

/// Appends two columns, the first as wide as its longest entry.
pub(crate) fn table<'a>(text: &mut String, rows: impl Iterator<Item = (&'a str, &'a str)> + Clone) {
    let width = rows.clone().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
    for (left, right) in rows {
        writeln!(text, "  {left:width$}  {right}").expect("a String takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lists_every_source_that_the_library_reads() {
        let help = source();
        for (spelling, meaning) in SPELLINGS {
            assert!(help.contains(spelling) && help.contains(meaning), "{spelling}");
        }
    }

    #[test]
    fn it_documents_every_exit_code() {
        let help = long();
        for exit in Exit::ALL {
            assert!(help.contains(&format!("\n  {}  {}", exit.code(), exit.meaning())), "{exit:?}\n{help}");
        }
    }
}
