//! The texts of --help: sources, examples, environment, exit codes.

use std::fmt::Write as _;

use justcall_auth::source::SPELLINGS;

use crate::exit::Exit;

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "JUSTCALL_CREDENTIALS",
        "the source, if --source is not set (but not command:); an empty value counts as not set",
    ),
    ("JUSTCALL_API_KEY", "the API key, for the sources default: and env:"),
    ("JUSTCALL_API_SECRET", "the API secret, for the same sources"),
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

A failure is printed to standard error with a hint; the exit code identifies its kind.";

pub(crate) const DOCTOR: &str = "\
Examples:
  justcall-auth doctor
  justcall-auth doctor --source file:/etc/justcall.json --json

✓ means ok, ! works but is rarely intended, ✗ failed, – does not apply or could not be checked. doctor follows the route of
a call, one step at a time, and sends the pair once, to verify it. The exit code is that of the first ✗. --timeout limits
each step.";

pub(crate) const REQUEST: &str = "\
Examples:
  justcall-auth request GET /v2.1/calls --query per_page=5
  justcall-auth request POST /v2.1/texts/new --body-file text.json
  jq -n '{name: \"Ann\"}' | justcall-auth request POST /v2.1/contacts --body-file -
  justcall-auth request GET /v2.1/calls --include --output calls.json

On a terminal, JSON is indented. A pipe or file receives the body unchanged, except that the API key and secret are masked.
A status of 300 or more is a failure: its body is printed to standard error. --json prints the response, or the failure with
its response, as one object. Server errors and the rate limit are retried, within --max-retries and --timeout. A POST is
never sent twice unless it was surely refused.";

pub(crate) const HEADER: &str = "\
Examples:
  justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

The secret reaches curl only through the pipe. It is neither in the arguments of curl, which every user of the machine can
read, nor in the history of the shell. Therefore this command refuses a terminal and --json. It checks the form of the pair,
but does not contact the service.";

pub(crate) const SETUP: &str = "\
Examples:
  justcall-auth setup
  justcall-auth setup --source file:/etc/justcall.json --language python
  pass show justcall | justcall-auth setup --source dir:/etc/justcall --language c++ --json

setup asks for the place of the pair, the language of the code to print, and the pair, which is not shown. It does not ask
for values on standard input or in options. It writes nothing before the service has accepted the pair, and replaces
nothing: use `rotate` for that. A new file is readable only by its owner (0600). It contains JSON, or dotenv lines if its
name ends in .env. For sources that cannot be written, such as env:, setup prints the manual steps.";

pub(crate) const ROTATE: &str = "\
Examples:
  justcall-auth rotate --source file:/etc/justcall.json
  pass show justcall-new | justcall-auth rotate --source file:/etc/justcall.json --expected-account 12345
  justcall-auth rotate --compromised
  justcall-auth rotate --dry-run --json < new-pair

rotate asks for the new pair without showing it, or reads it from standard input: key:secret, JSON or dotenv lines. The new
pair must belong to the account of the current pair. If the service already rejects the current pair, set
--expected-account.
A file is replaced atomically: programs read either the old or the new pair, even if this command is killed. Owner, group,
mode and ACL stay unchanged, and so do the form of the file and its other content. A symbolic link remains a link. A file
that is not fully understood is refused before rotate asks for the pair; the message names the line, and nothing is changed.
A folder (dir:) must have the layout of Kubernetes. For sources that cannot be written, such as env: or command:, rotate
prints the manual steps, and waits until the source contains the new pair: for 10 minutes, or for --timeout.";

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

scan searches for the secret of your own pair from the source, in every common form: plain, in base64 and thus in Basic
headers, in hexadecimal, URL-encoded, escaped for JSON or HTML, as UTF-16. It also searches for text with the form of a pair
beside a matching name. Text may be UTF-8, UTF-16 or UTF-32, with or without a byte order mark. In binary files it searches
only for your own secret, also as UTF-16; git diff shows UTF-16 files only with --text. Links are not followed. .git and the
file of the source are skipped. A finding shows the ends of the key and a fingerprint of the secret, never the secret. A
finding is severe if the pair is your own or if browsers receive it: in bundles, pages, source maps, public folders, and
under names such as NEXT_PUBLIC_ or VITE_.

--git scans every version of every file that any ref reaches, each once, and the messages of commits and tags. It names the
commit that introduced a finding. A repository cannot run anything: no hook, filter, driver or helper.
--git alone does not scan commits that no ref reaches: after commit --amend, rebase or reset --hard, only the reflog contains
them until it expires, by default after 30 days. --reflog scans them too, in the reflogs of all refs and worktrees, and thus
every stash, not only the last one. Neither scans objects that are in no reflog, such as a dropped stash or a file that was
only staged. To scan those, run `git fsck --lost-found`, then `justcall-auth scan --git COMMIT` for each dangling commit and
`justcall-auth scan .git/lost-found` for the files.

A comment `justcall-auth: allow` on the line or on the line before allows text with the form of a pair; so does a baseline.
Nothing allows your own live pair.

Exit codes: 0 nothing found, 1 findings or texts that could not be scanned, 2 invalid arguments, 3 the source contains no
valid pair. If the default sources contain no pair, scan searches only for the form of pairs.";

pub(crate) const WEBHOOK: &str = "\
Examples:
  justcall-auth webhook verify --url https://example.com/hooks < request.http
  justcall-auth webhook verify --url https://example.com/hooks --headers headers.txt --body body.json
  justcall-auth webhook verify --any-url --now 1711040902 --json < request.http

Without --headers and --body, standard input contains both: the headers, an empty line, the body, as in a recorded HTTP
request. The secret is that of the pair from --source: JustCall signs with the API secret, and has no separate webhook
secret. Nothing is sent.

The signature covers the secret, the body's webhook_url and type, and the timestamp. The rest of the body is NOT signed:
before you act on it, fetch the object through the API, as the last line shows.

Exit codes: 0 genuine, 1 not genuine, too old, for another URL or unsigned, 2 invalid arguments, 3 no secret.";

pub(crate) const STATUS: &str = "\
Examples:
  justcall-auth status
  justcall-auth status --max-age 30d --json
  justcall-auth status --source file:/etc/justcall.json --state-file /var/lib/app/justcall.json

The age comes from the source if it contains the creation time: \"created_at\" in JSON, which setup and rotate write.
Otherwise it counts from the first time that this command or a program saw the pair. The last use is the last recorded one,
to the hour. This command records its own uses. A program records its uses if it has a state file (state_file in the
configuration); pass that file with --state-file. The file contains no pair, only keyed hashes.

Exit codes, for monitors: 0 nothing is due, 1 the pair is due for rotation, was unused for too long, its times are unknown
(the state file cannot be used), or the source cannot be read, 2 invalid arguments, 3 the source contains no valid pair.
status does not contact the service: run verify to check whether it accepts the pair.";

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
