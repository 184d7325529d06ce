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
        text: "An option, a path or a header is invalid. The library found this before it sent anything. The pair is not the cause.",
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
        text: "Only C programs get this error: the result does not fit into the caller's buffer. Nothing is lost. The length parameter holds the length of the result.",
        causes: &[
            "The buffer has no room for the terminating NUL, which counts.",
            "The buffer was sized for another pair; key and secret have up to 512 bytes each.",
        ],
        example: "justcall_client_authorization(client, buffer, sizeof buffer, &length, &error) with a buffer of 64 bytes: a pair is usually 81",
    }
    OutOfMemory { exit: Exit::Failure,
        text: "The arguments or the response do not fit into the available memory. Only that call failed: the process continues. The pair is not the cause.",
        causes: &[
            "The body to send is larger than the process may allocate: send less at once.",
            "The process has a limit: ulimit -v, MemoryMax= in a systemd unit, or --memory of a container. Raise it.",
            "If request_sent is true, the response did not fit: request a smaller page, and check whether a POST took effect before you repeat it.",
        ],
        example: "justcall-auth request POST /v2.1/echo --body-file video.mp4   under ulimit -v 200000",
    }
    CredentialsMissing { exit: Exit::Credentials,
        text: "None of the sources holds an API key and secret. The message lists the sources that were read. Nothing was sent.",
        causes: &[
            "The variables are set in another shell, in a file that the program does not read, or without `export`: run `justcall-auth doctor` as the same user to see what the program sees.",
            "Under systemd, cron, sudo, Docker or CI the environment differs: set the variables there, or mount the pair as a file and set JUSTCALL_CREDENTIALS to it.",
            "There is no pair yet: an Admin logs in to JustCall, opens Settings → API & Webhooks and clicks Generate API Key.",
            "The secret is lost: it is shown only once, when the key is generated. Click Revoke next to the key, then Generate API Key, and copy both halves at once. The old pair stops working for every program that uses it.",
        ],
        example: "JUSTCALL_API_KEY=… justcall-auth verify   without JUSTCALL_API_SECRET is half a pair; with neither, none",
    }
    CredentialsMalformed { exit: Exit::Credentials,
        text: "A value was found, but it is not a valid API key and secret, so it was not sent. The message names the source, the half and the problem, but never the value. `justcall-auth explain` lists all findings.",
        causes: &[
            "A space or line break was copied along, often at the end: `echo` adds one, `printf %s` does not.",
            "Quotation marks around the value were kept, for instance in a Docker env file, where they belong to the value.",
            "It starts with Bearer or Basic, or it is base64-encoded: JustCall expects key:secret unchanged.",
            "The placeholder of an example was not replaced: {api_key}:{api_secret}.",
            "One half is empty, or both are the same: copy each from its own field when the pair is generated; the secret is shown only then.",
        ],
        example: "JUSTCALL_API_SECRET=\"a9b8c7d6e5f4 \"   (trailing_whitespace: the last character is a space)",
    }
    SourceUnavailable { exit: Exit::Failure,
        text: "The source could not be read, or `setup` or `rotate` could not write it. This does not concern the pair in it, which is unchanged.",
        causes: &[
            "The path is misspelt, or relative to another directory. A ~ is not expanded: write the absolute path.",
            "The user that runs the program may not read the file: give the file to that user, with chmod 0600.",
            "The secret is not mounted yet, or under another name than the source says.",
            "`rotate` cannot replace the file in one step: it is mounted by itself, has several names (hard links), or would lose its owner, group, mode or ACL. The hint says what to do instead.",
            "The program of `command:` failed, asked a question, or took longer than 10 seconds: run it by hand as the same user.",
        ],
        example: "JUSTCALL_CREDENTIALS=file:~/justcall.json   (write: file:/home/app/justcall.json)",
    }
    MemoryProtection { exit: Exit::Failure,
        text: "The program requested a level of memory protection for the pair, and the system refused it. The pair was not kept elsewhere, and nothing was sent.",
        causes: &[
            "The limit on locked memory is too low: raise it with ulimit -l, LimitMEMLOCK= in a systemd unit, or --ulimit memlock in a container.",
            "The level secretmem needs Linux 5.14 or newer with memfd_secret enabled (secretmem.enable=1 on the kernel's command line of some versions).",
            "Request the level auto, which uses the best available protection and reports it.",
        ],
        example: "justcall_config_set_memory_protection(config, JUSTCALL_MEMORY_STRICT, &error) under ulimit -l 0",
    }
    WrongAccount { exit: Exit::Failure,
        text: "The pair works, but its account differs from --expected-account, or the service does not reveal the account. No other request was sent with it.",
        causes: &[
            "The pairs of two environments or tenants were mixed up, such as staging and production.",
            "The expected number is wrong: `justcall-auth verify` without --expected-account prints the account of the pair.",
            "After a reset, the account of the old pair cannot be verified: pass its number to `rotate` as --expected-account. `rotate` then refuses a pair of another account.",
            "The service has no account endpoint here, so the account is unknown: remove the expected account.",
        ],
        example: "justcall-auth verify --expected-account 12345   with the pair of account 67890",
    }
    Timeout { exit: Exit::Network,
        text: "The call, including its retries and waits, did not finish in time. The message names the phase that it was in. `request_sent` shows whether the service may have received the request.",
        causes: &[
            "While connecting: a firewall drops packets to port 443, or a proxy is required: set HTTPS_PROXY or --proxy.",
            "While looking up the address: the name server does not answer.",
            "The service is slow, or the request is large: raise the limit with --timeout.",
            "While `rotate` waited: the source, which `rotate` cannot write, has not changed yet.",
            "After a rate limit or server error: the waits between attempts used up the time.",
        ],
        example: "justcall-auth verify --timeout 2   on a network that answers in three",
    }
    ConnectionFailed { exit: Exit::Network,
        text: "The connection to the service failed or was lost. The credentials are not the cause.",
        causes: &[
            "The name cannot be looked up: this machine is offline, has no name server, or the base URL is misspelt.",
            "The connection was refused: the port in the base URL is wrong, or no server listens on it.",
            "A firewall or proxy refuses the connection: `justcall-auth doctor` shows the step that fails. Ask the administrator of the network.",
            "The proxy in HTTPS_PROXY or --proxy is down or unknown: the message names it.",
            "The process has too many open files or threads: the message says which, and the limit to raise.",
            "The connection was reset during the call: retry. A request that must not be sent twice was not repeated.",
        ],
        example: "HTTPS_PROXY=http://proxy.example:3128 justcall-auth doctor   shows whether the proxy lets calls through",
    }
    TlsFailed { exit: Exit::Network,
        text: "The server could not prove that it is the service, so nothing was sent, not even the pair. No option turns this check off.",
        causes: &[
            "A corporate proxy or virus scanner intercepts TLS with a certificate it issues: get its CA certificate from the administrator and set --ca-file or SSL_CERT_FILE to it.",
            "The system has no CA certificates, as in minimal containers: install the package ca-certificates.",
            "The clock of this machine is wrong, so valid certificates seem expired: run `justcall-auth doctor` and set the clock.",
            "The host in the base URL differs from the host in the certificate, or the port does not use TLS.",
        ],
        example: "justcall-auth verify --ca-file /etc/ssl/certs/corporate-ca.pem",
    }
    RedirectRefused { exit: Exit::Failure,
        text: "The service answered with a redirect to another address, which was not followed. The pair is sent only to the host in the base URL.",
        causes: &[
            "The base URL is wrong: it should be https://api.justcall.io, without www or a path.",
            "A captive portal or gateway requires a login: open a browser on that network.",
            "The path has moved: see its page in the API reference.",
        ],
        example: "justcall-auth verify --base-url https://justcall.io   (write: https://api.justcall.io, or leave it out)",
    }
    InvalidResponse { exit: Exit::Failure,
        text: "The response is not one of the API: it is not HTTP, not JSON where JSON is expected, or too large. It says nothing about the pair.",
        causes: &[
            "A proxy, gateway or captive portal answered instead of the service, often with an HTML page.",
            "The base URL is the address of a website or of another service.",
            "The connection ended early, in a way that looks like a complete response.",
        ],
        example: "HTTP 200 with <html>…Sign in to the network…</html> from a hotel's WLAN",
    }
    Cancelled { exit: Exit::Failure,
        text: "The program or its user ended the call early. `request_sent` shows whether the service may have received the request.",
        causes: &[
            "The program received a request to stop, such as Ctrl-C.",
            "The client was shut down during the call.",
        ],
        example: "Ctrl-C in a Python program while client.verify() waits",
    }
    WebhookUnsigned { exit: Exit::Failure,
        text: "A request without a signature arrived at the webhook URL. Anyone can send it, so do not act on it. JustCall sends one as a probe when a URL is saved, and expects 200. Therefore a missing signature is reported separately from a wrong one.",
        causes: &[
            "A user saves the URL in JustCall: answer 200 and do nothing else.",
            "A proxy or a framework drops unknown headers: let it forward headers that start with x-justcall-.",
            "A third party probes the endpoint: do nothing else.",
        ],
        example: "POST /hooks/justcall without x-justcall-signature",
    }
    WebhookMalformed { exit: Exit::Failure,
        text: "The delivery is signed, but the signed values cannot be parsed: one of the headers, or the fields `webhook_url` and `type` of the body. The signature was not compared yet.",
        causes: &[
            "The body was parsed and serialised again, or decoded in another encoding: pass the raw bytes.",
            "The body is not JSON, is larger than 1 MiB, is nested more than 128 levels deep or contains a field twice.",
            "The timestamp is missing, or it is neither `YYYY-MM-DD HH:MM:SS` nor seconds or milliseconds since the epoch.",
            "The signature is not 64 hexadecimal digits, or a header occurs twice.",
        ],
        example: "the header with the timestamp says yesterday",
    }
    WebhookMismatch { exit: Exit::Failure,
        text: "The signature covers the secret, the URL, the type of the event and the timestamp. None of the secrets gives this signature: the secret belongs to another account or is old, or the delivery is forged.",
        causes: &[
            "The secret is not the API secret of the account that sends the webhook. There is no separate webhook secret: another value in a variable such as JUSTCALL_WEBHOOK_SECRET never matches.",
            "The pair was reset after this delivery was signed: accept the old secret beside the new one for some minutes. A verifier made from a client does this automatically.",
            "The body's `webhook_url` or `type`, or the timestamp's header, was changed on the way.",
            "The delivery is forged: refuse it.",
        ],
        example: "the header with the signature says 0000…0000",
    }
    WebhookStale { exit: Exit::Failure,
        text: "The delivery is genuine, but its timestamp differs from the current time by more than the tolerance. An old delivery may be a recorded one that is sent again.",
        causes: &[
            "The clock of this machine is wrong: `justcall-auth doctor` compares it with the service's clock.",
            "JustCall repeats a delivery that was not answered, up to an hour later. To accept these, set a tolerance of two hours and record which deliveries were handled.",
            "A third party sends a recorded delivery again: refuse it.",
        ],
        example: "2024-03-21 17:08:22, verified a year later",
    }
    WebhookWrongUrl { exit: Exit::Failure,
        text: "The delivery is genuine, but it was signed for a URL other than the expected one. A delivery for one endpoint of the account must not be accepted at another.",
        causes: &[
            "The URL is not written as it is registered: scheme, host, path, query and a slash at the end all count.",
            "Two endpoints of the account share one receiver: expect both URLs.",
            "A third party forwards a delivery that another endpoint received: refuse it.",
        ],
        example: "--url https://example.com/hooks   for a webhook registered as https://example.com/hooks/",
    }
    WebhookVersion { exit: Exit::Failure,
        text: "The delivery has a signature, but its version is missing or unknown, so the signed values are unknown. This library supports `v1`.",
        causes: &[
            "A proxy forwards the signature and drops the version: let it forward all headers that start with x-justcall-.",
            "JustCall introduced a new version: update justcall-auth.",
        ],
        example: "the header with the version says v2",
    }
    WebhookReplayed { exit: Exit::Failure,
        text: "The delivery is genuine and fresh, but the program's replay check has already seen it. This library records no deliveries, because two real events of one type in one second have the same signature.",
        causes: &[
            "JustCall repeated a delivery that was answered too late: answer 200 and do not act on it again.",
            "Two real events share a type and a second: let the check also compare request_id of the body, after confirming the object through the API.",
            "A third party sends a recorded delivery again: refuse it.",
        ],
        example: "the same x-justcall-signature twice within the tolerance",
    }
    Internal { exit: Exit::Failure,
        text: "The library detected an error in its code and stopped before it did harm. The pair, the arguments and the service are not the cause.",
        causes: &[
            "A bug: report the message and the version. Neither holds a secret.",
        ],
        example: "justcall-auth --version, and what was called",
    }
    BadRequest { exit: Exit::Failure,
        text: "The service refused the request: HTTP 400, or another 4xx status without a separate explanation. The pair was accepted or not checked.",
        causes: &[
            "A parameter or field is missing, misspelt or of the wrong type: the response body names it.",
            "The body is not the JSON it should be: `jq . FILE` checks it.",
            "The path does not accept this method (405): see its page in the API reference.",
        ],
        example: "justcall-auth request GET /v2.1/calls --query per_page=many",
    }
    InvalidCredentials { exit: Exit::Rejected,
        text: "The service rejected the API key and secret (401). The response does not reveal which half is wrong, or whether the pair was ever valid. The library does not send the pair again for 30 seconds.",
        causes: &[
            "The pair was revoked or replaced: a click on Revoke or Generate API Key under Settings → API & Webhooks disables the old pair at once, everywhere. Compare the key there with the one that `justcall-auth doctor` shows, and update every program that uses the old pair.",
            "Only the key was updated after a reset, or only the secret: they belong together.",
            "The key or the secret is incomplete or contains extra characters: copy both again. The secret is shown only once. If it is lost, click Revoke, then Generate API Key, and copy both at once.",
            "Another source is used than you expect: `justcall-auth doctor` shows which one, and whether other sources hold a different pair.",
            "Another program sent the pair with Basic or Bearer, or base64-encoded: JustCall expects `Authorization: key:secret` unchanged.",
        ],
        example: "HTTP 401 {\"status\": \"error\", \"message\": \"Invalid API key or secret.\"}",
    }
    Forbidden { exit: Exit::Forbidden,
        text: "The pair is valid, but it does not permit this request (403). Do not reset it: a new pair of the same account has the same rights. The reason, if the service reveals it, is plan, role, ip or addon.",
        causes: &[
            "plan: the account's plan does not include API access. Upgrade it, or ask JustCall's support.",
            "role: the endpoint requires Admin-level credentials. Let an Admin generate the pair.",
            "ip: access is limited to certain IP addresses, and the address of this machine is not among them: see Settings → API & Webhooks. `justcall-auth doctor` shows this machine's address.",
            "addon: the endpoint belongs to an add-on that the account does not have.",
        ],
        example: "HTTP 403 {\"status\": \"error\", \"message\": \"This endpoint requires Admin-level credentials.\"}",
    }
    NotFound { exit: Exit::Failure,
        text: "The service has no such path or object (404). The pair was accepted or not checked.",
        causes: &[
            "The version in the path is missing or wrong: write /v2.1/calls, not /calls.",
            "The identifier belongs to another account, or the object was deleted.",
            "The base URL already contains a part of the path.",
        ],
        example: "justcall-auth request GET /calls   (write: /v2.1/calls)",
    }
    Unprocessable { exit: Exit::Failure,
        text: "The service understood the request but did not accept its contents (422). The response body names the fields.",
        causes: &[
            "A required field is missing or empty.",
            "A value has the wrong form: phone numbers with country code, dates as the reference writes them.",
            "The object exists already, or is in a state that does not allow the change.",
        ],
        example: "HTTP 422 {\"status\": \"error\", \"message\": \"Invalid contact_number.\"}",
    }
    RateLimited { exit: Exit::RateLimited,
        text: "The rate limit of the account is exhausted (429). It counts all programs and pairs of the account. The request had no effect.",
        causes: &[
            "Too many requests in a short time: wait for the time in retry_after and send requests at a lower rate. `justcall-auth doctor` shows the remaining requests.",
            "Another integration of the same account uses up the limit: see the usage under Settings → API & Webhooks.",
            "The program polls for data that webhooks would deliver: deliveries do not count.",
            "The plan's limit is too low for the job: larger plans allow more.",
        ],
        example: "HTTP 429 {\"status\": \"error\", \"message\": \"Rate limit exceeded. Retry after 45 seconds.\"}",
    }
    ServerError { exit: Exit::Service,
        text: "The service failed (5xx). This says nothing about the pair or the request. A request that changes data may have taken effect: check before you repeat it.",
        causes: &[
            "A temporary failure: requests that may be sent twice were already retried. Retry later.",
            "This request fails every time: simplify it, and report the time and the path to JustCall support.",
        ],
        example: "HTTP 500 {\"status\": \"error\", \"message\": \"Internal Server Error\"}",
    }
    Unavailable { exit: Exit::Service,
        text: "The service or a gateway in front of it cannot answer now (502, 503, 504). This says nothing about the pair.",
        causes: &[
            "Maintenance or overload: retry after the time in retry_after, or later. See JustCall's status page.",
            "Your gateway or proxy cannot reach the service: `justcall-auth doctor` shows the route of calls.",
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
