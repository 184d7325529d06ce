//! The long form of every error and how the command ends with it. The findings have their long form in their own tables.

use justcall_auth::{ErrorKind, table};

use crate::exit::Exit;

table! {
    /// What the command adds to the row of an error.
    pub(crate) struct Explanation of ErrorKind {
        /// How the command ends with it.
        exit: Exit,
        /// What it means and does not mean.
        text: &'static str,
        /// What usually causes it and what to do then, the commonest first.
        causes: &'static [&'static str],
        /// What it looks like. Values are made up.
        example: &'static str,
    }

    InvalidArgument { exit: Exit::Usage,
        text: "An option, a path or a header cannot be what it says. It was found before anything was sent, and the pair plays no part in it.",
        causes: &[
            "A full URL was given where a path belongs: the path starts with one slash and is joined to the base URL, so that the pair cannot go to another host.",
            "A header was set that only the library sets, such as Authorization, Host or Content-Length: leave it out.",
            "The base URL is http:// for a host that is not this machine: write https://.",
            "The pair itself was given as an argument: name a source instead, such as --source file:PATH.",
            "The path has a space, a brace or a letter outside ASCII: percent-encode it, or use --query for parameters.",
        ],
        example: "justcall-auth request GET https://api.justcall.io/v2.1/calls   (write: /v2.1/calls)",
    }
    BufferTooSmall { exit: Exit::Failure,
        text: "Only programs in C meet it: the result does not fit into the buffer that they gave. Nothing is lost; the length parameter holds the size that is needed.",
        causes: &[
            "The buffer has no room for the terminating NUL, which counts.",
            "The buffer was sized for another pair; key and secret have up to 512 bytes each.",
        ],
        example: "justcall_client_authorization(client, buffer, sizeof buffer, &length, &error) with a buffer of 64 bytes: a pair is usually 81",
    }
    OutOfMemory { exit: Exit::Failure,
        text: "What was passed in, or what the service answered, does not fit into the memory that is left. Only that call failed: the process goes on, and the pair plays no part in it.",
        causes: &[
            "The body to send is larger than the process may allocate: send less at once.",
            "The process has a limit: ulimit -v, MemoryMax= in a systemd unit, or --memory of a container. Raise it.",
            "If the error says that the request was sent, the answer did not fit: ask for a smaller page, and do not repeat a POST before you have looked whether it was carried out.",
        ],
        example: "justcall-auth request POST /v2.1/echo --body-file video.mp4   under ulimit -v 200000",
    }
    CredentialsMissing { exit: Exit::Credentials,
        text: "No place that was looked at holds an API key and secret; the message lists them all. Nothing was sent.",
        causes: &[
            "The variables are set in another shell, in a file that nobody reads, or without `export`: `justcall-auth doctor`, run as the same user, shows what the program sees.",
            "Under systemd, cron, sudo, Docker or CI the environment is another: set the variables there, or mount the pair as a file and name it in JUSTCALL_CREDENTIALS.",
            "There is no pair yet: an Admin logs in to JustCall, opens Settings → API & Webhooks and clicks Generate API Key.",
            "The secret is lost: it is shown only once, when the key is generated. Click Revoke next to the key, then Generate API Key, and copy both halves at once. The old pair stops working for every program that uses it.",
        ],
        example: "JUSTCALL_API_KEY=… justcall-auth verify   without JUSTCALL_API_SECRET is half a pair; with neither, none",
    }
    CredentialsMalformed { exit: Exit::Credentials,
        text: "Something was found, but it cannot be an API key and secret, so it was not sent. The message says where it is and what is wrong with which half, never the value. `justcall-auth explain` lists what can be found.",
        causes: &[
            "A space or line break was copied along, often at the end: `echo` adds one, `printf %s` does not.",
            "Quotation marks around the value were kept, for instance in a Docker env file, where they belong to the value.",
            "It has Bearer or Basic in front, or is encoded in base64: JustCall takes key:secret as it is.",
            "The placeholder of an example was not replaced: {api_key}:{api_secret}.",
            "One half is empty, or both are the same: copy each from its own field when the pair is generated; the secret is shown only then.",
        ],
        example: "JUSTCALL_API_SECRET=\"a9b8c7d6e5f4 \"   (trailing_whitespace: the last character is a space)",
    }
    SourceUnavailable { exit: Exit::Failure,
        text: "The place that was named is there or not, but could not be read, or by `setup` and `rotate` not be written: this says nothing about the pair in it, which is still there.",
        causes: &[
            "The path is misspelt, or relative to another folder. A ~ is not expanded: write the whole path.",
            "The user that runs the program may not read the file: give the file to that user, with chmod 0600.",
            "The secret is not mounted yet, or under another name than the source says.",
            "`rotate` cannot replace the file in one step: it is mounted by itself, has several names (hard links), or would lose its owner, group, mode or ACL. The hint says what to do instead.",
            "The program of `command:` failed, asked a question, or took longer than 10 seconds: run it by hand as the same user.",
        ],
        example: "JUSTCALL_CREDENTIALS=file:~/justcall.json   (write: file:/home/app/justcall.json)",
    }
    MemoryProtection { exit: Exit::Failure,
        text: "The program asked for memory of a certain protection for the pair, and the system refused it. The pair was not kept anywhere else, and nothing was sent.",
        causes: &[
            "The limit on locked memory is too low: raise it with ulimit -l, LimitMEMLOCK= in a systemd unit, or --ulimit memlock in a container.",
            "The level secretmem needs Linux 5.14 or newer with memfd_secret enabled (secretmem.enable=1 on the kernel's command line of some versions).",
            "Ask for the level auto, which takes what it obtains and reports what that was.",
        ],
        example: "justcall_config_set_memory_protection(config, JUSTCALL_MEMORY_STRICT, &error) under ulimit -l 0",
    }
    WrongAccount { exit: Exit::Failure,
        text: "The pair works, but it belongs to another account than --expected-account names, or the service does not tell whose it is. Nothing else was asked with it.",
        causes: &[
            "The pairs of two environments or tenants were mixed up, such as staging and production.",
            "The expected number is wrong: `justcall-auth verify` without --expected-account tells the account of the pair.",
            "After a reset the old pair no longer tells whose it is: `rotate` takes the account's number as --expected-account, and refuses a pair of another one.",
            "The service has no account page here, so the account cannot be told: leave the expected account out.",
        ],
        example: "justcall-auth verify --expected-account 12345   with the pair of account 67890",
    }
    Timeout { exit: Exit::Network,
        text: "The call did not finish in time, retries and waits included. The message says what it was doing then; `request_sent` says whether the service may have received it.",
        causes: &[
            "While connecting: a firewall drops what is sent to port 443, or a proxy is needed: set HTTPS_PROXY or --proxy.",
            "While looking up the address: the name server does not answer.",
            "While waiting for the answer: the service is slow, or the request is large: allow more with --timeout.",
            "While `rotate` watched: nobody has changed the source yet, which that command cannot write.",
            "After a rate limit or server error: the waits between the tries used the time up.",
        ],
        example: "justcall-auth verify --timeout 2   on a network that answers in three",
    }
    ConnectionFailed { exit: Exit::Network,
        text: "There was no connection to the service, or it did not last. The credentials play no part in it.",
        causes: &[
            "The name cannot be looked up: this machine is offline, has no name server, or the base URL is misspelt.",
            "The connection was refused: a wrong port in the base URL, or nothing runs there.",
            "A firewall or proxy between here and the service refuses it: `justcall-auth doctor` shows how far it gets; ask who runs that network.",
            "The proxy in HTTPS_PROXY or --proxy is down or unknown: the message names it.",
            "The process has too many open files or threads: the message says which, and the limit to raise.",
            "The connection was reset while in use: try again. A request that may not be done twice was not repeated.",
        ],
        example: "HTTPS_PROXY=http://proxy.example:3128 justcall-auth doctor   shows whether the proxy lets calls through",
    }
    TlsFailed { exit: Exit::Network,
        text: "Whoever answered could not prove to be the service, so nothing was sent: not the pair either. There is no option to go on all the same.",
        causes: &[
            "A corporate proxy or virus scanner opens the encryption and shows a certificate of its own: get its CA certificate from who runs it and name it with --ca-file or SSL_CERT_FILE.",
            "The system has no CA certificates, as in minimal containers: install the package ca-certificates.",
            "This machine's clock is wrong, so that good certificates seem out of date: `justcall-auth doctor`, and set the clock.",
            "The base URL names another host than the certificate does, or a port that does not speak TLS.",
        ],
        example: "justcall-auth verify --ca-file /etc/ssl/certs/corporate-ca.pem",
    }
    RedirectRefused { exit: Exit::Failure,
        text: "The service answered with another address. It was not followed: the pair goes to nobody but the host in the base URL.",
        causes: &[
            "The base URL is not quite the service's: it should be https://api.justcall.io, without www or a path.",
            "A captive portal or gateway wants a login first: open a browser on that network.",
            "The path has moved: read its page in the API reference.",
        ],
        example: "justcall-auth verify --base-url https://justcall.io   (write: https://api.justcall.io, or leave it out)",
    }
    InvalidResponse { exit: Exit::Failure,
        text: "An answer came, but it is none that the API gives: not HTTP, not JSON where JSON is due, or too large. It says nothing about the pair.",
        causes: &[
            "A proxy, gateway or captive portal answered in place of the service, often with an HTML page.",
            "The base URL leads to a website, or to another service.",
            "The connection broke off in a way that looks like the end.",
        ],
        example: "HTTP 200 with <html>…Sign in to the network…</html> from a hotel's WLAN",
    }
    Cancelled { exit: Exit::Failure,
        text: "The program itself, or whoever uses it, ended the call before it was over. The service may have received the request: `request_sent` says so.",
        causes: &[
            "The program was asked to stop, such as by Ctrl-C.",
            "The client was shut down while the call was under way.",
        ],
        example: "Ctrl-C in a Python program while client.verify() waits",
    }
    WebhookUnsigned { exit: Exit::Failure,
        text: "A request came to the webhook's URL without a signature. It may come from anybody, so it must not be acted on. It is an outcome of its own because JustCall sends such a probe when a URL is saved, and wants 200 for it.",
        causes: &[
            "Somebody saves the URL in JustCall: answer 200 and do nothing else.",
            "A proxy or a framework drops headers that it does not know: let it pass those that begin with x-justcall-.",
            "Somebody tries out what happens: nothing must.",
        ],
        example: "POST /hooks/justcall without x-justcall-signature",
    }
    WebhookMalformed { exit: Exit::Failure,
        text: "The delivery is signed, but what the signature is over cannot be read: one of the headers, or the fields `webhook_url` and `type` of the body. Nothing was compared yet.",
        causes: &[
            "The body was parsed and written anew, or read as text in another encoding: give the bytes as they came.",
            "The body is not JSON, is larger than 1 MiB, is nested more than 128 deep or has a field twice.",
            "The timestamp is missing or none of `YYYY-MM-DD HH:MM:SS`, seconds or milliseconds since the epoch.",
            "The signature is not 64 hexadecimal digits, or a header is there twice.",
        ],
        example: "the header with the timestamp says yesterday",
    }
    WebhookMismatch { exit: Exit::Failure,
        text: "The signature is over the secret, the URL, the event's type and the timestamp, and no secret that is held makes this one. Either the secret is another account's or an old one, or the delivery is forged.",
        causes: &[
            "The secret is not the API secret of the account that sends. There is no separate webhook secret: whatever else is in a variable such as JUSTCALL_WEBHOOK_SECRET does not fit.",
            "The pair was reset, and this delivery was signed before: hold the old secret beside the new one for some minutes. A client's secrets are held so by themselves.",
            "The body's `webhook_url` or `type`, or the timestamp's header, was changed on the way.",
            "The delivery is forged: refuse it.",
        ],
        example: "the header with the signature says 0000…0000",
    }
    WebhookStale { exit: Exit::Failure,
        text: "The delivery is genuine, but its timestamp is farther from now than the tolerance allows, in the past or in the future. An old delivery may be one that somebody recorded and sends again.",
        causes: &[
            "This machine's clock is wrong: `justcall-auth doctor` compares it with the service's.",
            "JustCall repeats what was not answered, after up to an hour: if those must count, allow a tolerance of two hours and remember what was handled.",
            "Somebody sends a recorded delivery again: refuse it.",
        ],
        example: "2024-03-21 17:08:22, verified a year later",
    }
    WebhookWrongUrl { exit: Exit::Failure,
        text: "The delivery is genuine, but it was signed for another URL than the one that this receiver expects. A delivery to one endpoint of the account must not pass at another.",
        causes: &[
            "The URL is not written as it is registered: scheme, host, path, query and a slash at the end all count.",
            "Two endpoints of the account share one receiver: expect both URLs.",
            "Somebody passes on what another endpoint received: refuse it.",
        ],
        example: "--url https://example.com/hooks   for a webhook registered as https://example.com/hooks/",
    }
    WebhookVersion { exit: Exit::Failure,
        text: "The delivery has a signature, but no version that this library knows, so that it is not known what was signed. Only `v1` is known.",
        causes: &[
            "A proxy passes the signature on and drops the version: let it pass all headers that begin with x-justcall-.",
            "JustCall introduced a new version: update justcall-auth.",
        ],
        example: "the header with the version says v2",
    }
    WebhookReplayed { exit: Exit::Failure,
        text: "The delivery is genuine and fresh, but the program's own replay check has seen it already. The check is the program's: this library remembers nothing, for two real events of one type in one second look the same to it.",
        causes: &[
            "JustCall repeated a delivery that was handled but answered too late: answer 200 and do not act again.",
            "Two real events share a type and a second: let the check also look at the body's request_id, after confirming the object through the API.",
            "Somebody sends a recorded delivery again: refuse it.",
        ],
        example: "the same x-justcall-signature twice within the tolerance",
    }
    Internal { exit: Exit::Failure,
        text: "The library noticed a mistake of its own and stopped before it could do harm. It is not caused by the pair, the arguments or the service.",
        causes: &[
            "A bug: report the message and the version. Neither holds a secret.",
        ],
        example: "justcall-auth --version, and what was called",
    }
    BadRequest { exit: Exit::Failure,
        text: "The service refused the request as such: HTTP 400, or another status of 4xx that has no explanation of its own. The pair was accepted, or not looked at.",
        causes: &[
            "A parameter or field is missing, misspelt or of the wrong type: the answer's body says which.",
            "The body is not the JSON it should be: `jq . FILE` checks it.",
            "The path does not take this method (405): read its page in the API reference.",
        ],
        example: "justcall-auth request GET /v2.1/calls --query per_page=many",
    }
    InvalidCredentials { exit: Exit::Rejected,
        text: "The service rejected the API key and secret (401). Its answer does not say which half is wrong, or whether the pair was ever right. Sending it again does not help, and the library does not for a while.",
        causes: &[
            "The pair was revoked or replaced: when somebody clicks Revoke or generates a new pair under Settings → API & Webhooks, the old one stops working at once, everywhere. Compare the key there with the one that `justcall-auth doctor` shows, and update what still uses the old one.",
            "Only the key was updated after a reset, or only the secret: they belong together.",
            "A half is incomplete or has something extra: copy both again. The secret is shown only once; if it is lost, click Revoke, then Generate API Key, and copy both halves at once.",
            "Another place than you think is used: `justcall-auth doctor` tells which, and whether others hold another pair.",
            "The pair was sent by another program with Basic or Bearer in front, or encoded in base64: JustCall takes `Authorization: key:secret` as it is.",
        ],
        example: "HTTP 401 {\"status\": \"error\", \"message\": \"Invalid API key or secret.\"}",
    }
    Forbidden { exit: Exit::Forbidden,
        text: "The pair is good, but may not do this (403). Do not reset it: a new pair of the same account may not either. The reason, where the service tells it, is plan, role, ip or addon.",
        causes: &[
            "plan: the account's plan does not include API access. Upgrade it, or ask JustCall's support.",
            "role: the endpoint requires Admin-level credentials. Let an Admin generate the pair.",
            "ip: access is limited to certain addresses, and this machine's is none of them: see Settings → API & Webhooks, and `justcall-auth doctor` for this machine's.",
            "addon: the endpoint belongs to an add-on that the account does not have.",
        ],
        example: "HTTP 403 {\"status\": \"error\", \"message\": \"This endpoint requires Admin-level credentials.\"}",
    }
    NotFound { exit: Exit::Failure,
        text: "The service knows no such path or object (404). The pair was accepted, or not looked at.",
        causes: &[
            "The path lacks its version or names another: /v2.1/calls, not /calls.",
            "The identifier is of another account, or the object was deleted.",
            "The base URL has a path of its own that is already in the path.",
        ],
        example: "justcall-auth request GET /calls   (write: /v2.1/calls)",
    }
    Unprocessable { exit: Exit::Failure,
        text: "The service understood the request, but cannot accept what it says (422). The answer's body names the fields.",
        causes: &[
            "A required field is missing or empty.",
            "A value has the wrong form: phone numbers with country code, dates as the reference writes them.",
            "The object exists already, or is in a state that does not allow the change.",
        ],
        example: "HTTP 422 {\"status\": \"error\", \"message\": \"Invalid contact_number.\"}",
    }
    RateLimited { exit: Exit::RateLimited,
        text: "The account's limit is used up for now (429). It counts for the whole account: every program and pair of it. The request was not carried out.",
        causes: &[
            "Too many requests in a short time: wait as long as retry_after says, and space them out. `justcall-auth doctor` shows what is left.",
            "Another integration of the same account uses the budget: see the usage under Settings → API & Webhooks.",
            "Data is polled that webhooks would deliver: those are not counted.",
            "The plan's limit is too low for the job: larger plans allow more.",
        ],
        example: "HTTP 429 {\"status\": \"error\", \"message\": \"Rate limit exceeded. Retry after 45 seconds.\"}",
    }
    ServerError { exit: Exit::Service,
        text: "The service failed (5xx). This says nothing about the pair or the request. A request that changes something may have been carried out: look before repeating it.",
        causes: &[
            "A passing failure: what may be done twice was already tried again; try again later.",
            "This very request upsets the service every time: simplify it, and tell JustCall's support with the time and the path.",
        ],
        example: "HTTP 500 {\"status\": \"error\", \"message\": \"Internal Server Error\"}",
    }
    Unavailable { exit: Exit::Service,
        text: "The service, or what stands before it, cannot answer now (502, 503, 504). This says nothing about the pair.",
        causes: &[
            "Maintenance or overload: try again after the time in retry_after, or later; see JustCall's status page.",
            "A gateway or proxy of your own cannot reach the service: `justcall-auth doctor` shows the way that calls take.",
        ],
        example: "HTTP 503 with Retry-After: 120",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_explains_every_error_at_length() {
        for kind in ErrorKind::ALL {
            let explanation = Explanation::of(*kind);
            assert!(explanation.text.len() > 80 && explanation.text.ends_with('.'), "{kind:?}");
            assert!(!explanation.causes.is_empty() && !explanation.example.is_empty(), "{kind:?}");
            assert!(explanation.causes.iter().all(|cause| cause.ends_with('.')), "{kind:?}");
        }
    }

    #[test]
    fn it_never_ends_a_failure_with_success() {
        assert!(ErrorKind::ALL.iter().all(|kind| Explanation::of(*kind).exit != Exit::Success));
    }

    #[test]
    fn it_uses_the_dashboards_own_words_where_a_pair_is_lost_or_revoked() {
        for kind in [ErrorKind::InvalidCredentials, ErrorKind::CredentialsMissing] {
            let causes = Explanation::of(kind).causes.join("\n");
            for words in ["Settings → API & Webhooks", "Generate API Key", "Revoke", "shown only once"] {
                assert!(causes.contains(words), "{kind:?}: {words}");
            }
        }
    }
}
