//! The texts that --help adds: sources, examples, environment, exit codes.

use std::fmt::Write as _;

use justcall_auth::source::SPELLINGS;

use crate::exit::Exit;

const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "JUSTCALL_CREDENTIALS",
        "the source, if --source does not name one (but not command:); empty is not set",
    ),
    ("JUSTCALL_API_KEY", "the API key, for the sources default: and env:"),
    ("JUSTCALL_API_SECRET", "the API secret, likewise"),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "certificate authorities to trust in place of the system's"),
    (
        "HTTPS_PROXY, NO_PROXY",
        "the proxy to the service, unless --proxy names one, and the hosts that need none; doctor shows what matched",
    ),
    ("NO_COLOR", "when set: no colour"),
];

/// What `-h` ends with.
pub(crate) const SHORT: &str = "\
Examples:
  justcall-auth verify
  justcall-auth doctor
  justcall-auth request GET /v2.1/calls
  justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

--help tells the sources, the environment variables and the exit codes.";

pub(crate) const VERIFY: &str = "\
Examples:
  justcall-auth verify
  justcall-auth verify --source file:/etc/justcall.json --json
  justcall-auth verify --verify-path '/v2.1/users?per_page=1'

A failure goes to standard error and says what to do; the exit code says which kind it was.";

pub(crate) const DOCTOR: &str = "\
Examples:
  justcall-auth doctor
  justcall-auth doctor --source file:/etc/justcall.json --json

✓ is well, ! works but is rarely meant, ✗ is wrong, – does not apply or could not be looked at. It goes the way that a
call goes, one step at a time, and sends the pair once, to verify it; the exit code is that of the first ✗. --timeout
limits each step.";

pub(crate) const REQUEST: &str = "\
Examples:
  justcall-auth request GET /v2.1/calls --query per_page=5
  justcall-auth request POST /v2.1/texts/new --body-file text.json
  jq -n '{name: \"Ann\"}' | justcall-auth request POST /v2.1/contacts --body-file -
  justcall-auth request GET /v2.1/calls --include --output calls.json

A terminal shows JSON indented; a pipe or file gets the body as it came, but for the API key and secret, should they be
in it. An answer of 300 or more is a failure: its body goes to standard error. --json puts the answer, or the failure
with its answer, into one object. Server errors and the rate limit are waited for and retried, as --max-retries and
--timeout allow; a POST is never sent twice unless it was surely refused.";

pub(crate) const HEADER: &str = "\
Examples:
  justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

The secret reaches curl through the pipe alone: not in its arguments, which every user of the machine can read, nor in
the shell's history. So this command refuses a terminal, and --json. The pair is checked, but the service is not asked.";

pub(crate) const SETUP: &str = "\
Examples:
  justcall-auth setup
  justcall-auth setup --source file:/etc/justcall.json --language python
  pass show justcall | justcall-auth setup --source dir:/etc/justcall --language c++ --json

It asks where the pair shall be kept, for which language to print lines, and for the pair, which is not shown. What is on
standard input or in options it does not ask for. Nothing is written before the service has accepted the pair, and nothing
that is there already is replaced: that is what `rotate` does. A file is made for its owner alone (0600), as JSON, or as
dotenv where its name ends in .env. What cannot be written, such as env:, is told instead.";

pub(crate) const ROTATE: &str = "\
Examples:
  justcall-auth rotate --source file:/etc/justcall.json
  pass show justcall-new | justcall-auth rotate --source file:/etc/justcall.json --expected-account 12345
  justcall-auth rotate --compromised
  justcall-auth rotate --dry-run --json < new-pair

The new pair is asked for without being shown, or read from standard input: key:secret, JSON or dotenv lines. It must be of
the present pair's account; where the service rejects that pair already, --expected-account says which that is.

A file gets it in one step: programs read the old pair or the new one, never half of each, even if this command is killed.
Owner, group, mode and ACL stay, as do the form of the file and all else in it; a symbolic link stays a link. A file that is
not wholly understood is refused before the pair is asked for, naming the line; nothing is changed then. A folder (dir:)
must be laid out as Kubernetes does. What cannot be written, such as env: or command:, is told instead, and watched until it
gives the new pair: for 10 minutes, or as long as --timeout says.";

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

It looks for the secret of your own pair, as the source gives it, in every form in which secrets get about (as it is, in
base64 and so in Basic headers, in hexadecimal, URL-encoded, escaped for JSON or HTML, as UTF-16), and for what is
shaped like a pair beside a name that tells so. Text may be UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
Binary files are searched for your own alone, the UTF-16 text in programs too; git diff shows UTF-16 files only with
--text. Links are not followed; .git is passed over, and so is the file that the source reads. A finding shows the ends
of the key and a fingerprint of the secret, never the secret. It is severe when the pair is your own or when browsers
get it: in bundles, pages, source maps, public folders, and under names such as NEXT_PUBLIC_ or VITE_.

--git looks at every version of every file that any ref leads to, each once, and at the messages of commits and tags; it
names the commit that brought a finding. A repository cannot run anything thereby: no hook, filter, driver or helper.

--git alone does not look at commits that no ref leads to: after commit --amend, rebase or reset --hard only the reflog
has them, until it expires, by default after 30 days. --reflog looks at them too, in the reflogs of all refs and
worktrees, and so at every stash, not only the last one. Neither looks at what no reflog has, such as a dropped stash or
a file that was only staged. To scan those, run `git fsck --lost-found`, then `justcall-auth scan --git COMMIT` for each
dangling commit and `justcall-auth scan .git/lost-found` for the files.

A comment `justcall-auth: allow` on the line, or on the one before it, allows what is shaped like a pair; so does a
baseline. Nothing allows your own live pair.

Exit codes: 0 nothing found, 1 something found or not everything could be looked at, 2 the arguments are wrong, 3 the
source holds no good pair. Without any pair in the default places only shapes are looked for.";

pub(crate) const WEBHOOK: &str = "\
Examples:
  justcall-auth webhook verify --url https://example.com/hooks < request.http
  justcall-auth webhook verify --url https://example.com/hooks --headers headers.txt --body body.json
  justcall-auth webhook verify --any-url --now 1711040902 --json < request.http

Without --headers and --body standard input has both: the headers, an empty line, the body, as a recorded HTTP request
does. The secret is that of the pair from --source; JustCall signs with the API secret, there is no webhook secret of its
own. Nothing is sent.

The signature is over the secret, the body's webhook_url and type, and the timestamp. The rest of the body is NOT signed:
before you act on it, fetch the object through the API, as the last line shows.

Exit codes: 0 genuine, 1 not genuine, too old, for another URL or unsigned, 2 the arguments are wrong, 3 no secret.";

pub(crate) const STATUS: &str = "\
Examples:
  justcall-auth status
  justcall-auth status --max-age 30d --json
  justcall-auth status --source file:/etc/justcall.json --state-file /var/lib/app/justcall.json

The age is from the source, where it tells when the pair was made: \"created_at\" in JSON, which setup and rotate write.
Else it is from when this command or a program saw the pair first. The last use is the last that is on record, to the hour:
this command records its own, and programs theirs where they are given a state file (state_file in the configuration).
Name that file here then. It holds no pair, only keyed hashes of them.

Exit codes, for monitors: 0 all is well, 1 the pair is due for rotation, was not used for too long, nobody can tell (the
state file cannot be used), or the source cannot be read, 2 the arguments are wrong, 3 the source holds no good pair.
Whether the service accepts the pair, verify tells.";

pub(crate) const EXPLAIN: &str = "\
Examples:
  justcall-auth explain forbidden
  justcall-auth explain 403
  justcall-auth explain trailing_whitespace
  justcall-auth explain";

/// What `--help` ends with.
pub(crate) fn long() -> String {
    let mut text = String::from(
        "\
Examples:
  Check the pair in the environment:
    justcall-auth verify

  Find out why nothing works:
    justcall-auth doctor

  Call the API:
    justcall-auth request GET /v2.1/calls --query per_page=5 | jq '.data[].id'

  Check the pair in a file, and let a script read the answer:
    justcall-auth verify --source file:/etc/justcall.json --json | jq .account.email

  Call the API with curl, without the secret in its arguments:
    justcall-auth header | curl -H @- https://api.justcall.io/v2/calls

  Find pairs that got into files or history:
    justcall-auth scan . && justcall-auth scan --git

  Tell apart what went wrong:
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
    text.push_str("\nA key or secret is never an argument: it would be seen in the list of processes.");
    text
}

/// What `--help` says of `--source`.
pub(crate) fn source() -> String {
    let mut text = String::from("Where the pair comes from:\n\n");
    table(&mut text, SPELLINGS.iter().copied());
    text.pop();
    text
}

/// Two columns, the first as wide as its longest entry.
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
    fn it_offers_every_source_that_the_library_reads() {
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
