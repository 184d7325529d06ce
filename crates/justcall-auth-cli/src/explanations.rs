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
        text: "An option, a path or a header is invalid. The library sent nothing. The pair is not the cause.",
        causes: &[
            "A full URL was given instead of a path. A path starts with one slash and is joined to the base URL, so that the pair cannot go to another host.",
            "A header was set that only the library may set, such as Authorization, Host or Content-Length. Leave out this header.",
            "The base URL is http:// for a host that is not this machine. Use https:// instead.",
            "The pair itself was given as an argument. Pass the source of the pair instead, such as --source file:PATH.",
            "The path contains a space, a brace or a letter outside ASCII. Percent-encode such characters, or use --query for parameters.",
        ],
        example: "justcall-auth request GET https://api.justcall.io/v2.1/calls   (write: /v2.1/calls)",
    }
    BufferTooSmall { exit: Exit::Failure,
        text: "The result does not fit into the buffer of the caller. Only C programs get this error. The result is not lost. The length parameter holds the length of the result.",
        causes: &[
            "The buffer has no room for the terminating NUL.",
            "The size of the buffer was chosen for another pair. The key and the secret have up to 512 bytes each.",
        ],
        example: "justcall_client_authorization(client, buffer, sizeof buffer, &length, &error) with a buffer of 64 bytes: a pair is usually 81",
    }
    OutOfMemory { exit: Exit::Failure,
        text: "The arguments or the response do not fit into the available memory. Only this call failed. The pair is not the cause.",
        causes: &[
            "The body of the request is larger than the memory that the process may allocate. Send less at once.",
            "The memory of the process is limited by ulimit -v, MemoryMax= in a systemd unit, or --memory of a container. Raise the limit.",
            "If request_sent is true, the response did not fit into the memory. Request a smaller page. Before you repeat a POST, check whether it took effect.",
        ],
        example: "justcall-auth request POST /v2.1/echo --body-file video.mp4   under ulimit -v 200000",
    }
    CredentialsMissing { exit: Exit::Credentials,
        text: "None of the sources contains an API key and secret. The message lists the sources that were read. Nothing was sent.",
        causes: &[
            "The variables are set in another shell, in a file that the program does not read, or without `export`. Run `justcall-auth doctor` as the user of the program to see what the program sees.",
            "Programs under systemd, cron, sudo, Docker or CI have another environment. Set the variables in that environment, or mount the pair as a file and set JUSTCALL_CREDENTIALS to file:PATH.",
            "The account has no pair yet. Ask an Admin to log in to JustCall, open Settings → API & Webhooks and click Generate API Key.",
            "The secret is lost. A secret is shown only once, when the pair is generated. Click Revoke next to the key, then Generate API Key, and copy both the key and the secret immediately. The old pair stops working for every program that uses it.",
        ],
        example: "JUSTCALL_API_KEY=… justcall-auth verify   without JUSTCALL_API_SECRET is half a pair; with neither, none",
    }
    CredentialsMalformed { exit: Exit::Credentials,
        text: "A value was found, but it is not a valid API key and secret, so it was not sent. The message names the source and the problem, but never shows the value. `justcall-auth explain` lists all findings.",
        causes: &[
            "A space or line break was copied along, often at the end. `echo` adds a line break, but `printf %s` does not.",
            "The quotation marks were copied as part of the value. In a Docker env file, for instance, quotation marks are part of the value.",
            "The value starts with Bearer or Basic, or is base64-encoded. JustCall expects key:secret unchanged.",
            "The placeholder of an example was not replaced, such as {api_key}:{api_secret}.",
            "The key or the secret is empty, or both are the same. Copy the key and the secret from their separate fields when the pair is generated, because JustCall shows the secret only once.",
        ],
        example: "JUSTCALL_API_SECRET=\"a9b8c7d6e5f4 \"   (trailing_whitespace: the last character is a space)",
    }
    SourceUnavailable { exit: Exit::Failure,
        text: "The source could not be read, or `setup` or `rotate` could not write it. The pair in the source is unchanged.",
        causes: &[
            "The path is misspelt, or relative to another directory, or starts with ~, which is not expanded. Write the absolute path.",
            "The user that runs the program may not read the file. Make this user the owner of the file, and run chmod 0600.",
            "The secret is not mounted yet, or the names of its files differ from the names in the source.",
            "`rotate` cannot replace the file atomically. The file is mounted by itself, has several names (hard links), or would lose its owner, group, mode or ACL. Follow the hint of the error.",
            "The program of `command:` failed, asked a question, or took longer than 10 seconds. Run the program by hand as the same user.",
            "Vault is sealed, a standby, or refuses the token or the login of `vault:`. The reason of the error starts with `vault_`, and its hint names the command of Vault that helps.",
        ],
        example: "JUSTCALL_CREDENTIALS=file:~/justcall.json   (write: file:/home/app/justcall.json)",
    }
    MemoryProtection { exit: Exit::Failure,
        text: "The program requested a level of memory protection for the pair, and the system refused this level. The pair was not stored with another level, and nothing was sent.",
        causes: &[
            "The limit on locked memory is too low. Raise the limit with ulimit -l, LimitMEMLOCK= in a systemd unit, or --ulimit memlock in a container.",
            "The level secretmem needs Linux 5.14 or newer with memfd_secret enabled (secretmem.enable=1 on the kernel's command line of some versions).",
            "The program requests a level that this system does not support. Request the level auto instead, which uses the best available protection.",
        ],
        example: "justcall_config_set_memory_protection(config, JUSTCALL_MEMORY_STRICT, &error) under ulimit -l 0",
    }
    WrongAccount { exit: Exit::Failure,
        text: "The pair works, but its account differs from --expected-account, or the service does not return the account. The library sent only the request that verifies the pair.",
        causes: &[
            "The pairs of two environments were mixed up, such as staging and production.",
            "The expected number is wrong. Run `justcall-auth verify` without --expected-account to see the account of the pair.",
            "The old pair was reset, so `rotate` cannot determine its account. Pass the number of the account to `rotate` as --expected-account. `rotate` then refuses a pair of another account.",
            "The service does not return the account, so the library cannot compare it. Remove the expected account from the configuration.",
        ],
        example: "justcall-auth verify --expected-account 12345   with the pair of account 67890",
    }
    Timeout { exit: Exit::Network,
        text: "The call, including its retries and waits, did not finish in time. The message names the phase that the call was in. `request_sent` shows whether the service may have received the request.",
        causes: &[
            "The call could not connect in time, because a firewall drops packets to port 443 or a proxy is required. Set HTTPS_PROXY or --proxy if a proxy is required.",
            "The name server does not answer.",
            "The service is slow, or the request is large. Raise the limit with --timeout.",
            "`rotate` cannot write the source, and the source did not change while `rotate` waited.",
            "The call was retried after a rate limit or server error, and the waits between the attempts used up the time.",
        ],
        example: "justcall-auth verify --timeout 2   on a network that answers in three",
    }
    ConnectionFailed { exit: Exit::Network,
        text: "The connection to the service failed or was lost. The API key and secret are not the cause.",
        causes: &[
            "The name of the host cannot be looked up. This machine is offline or has no name server, or the base URL is misspelt.",
            "The connection was refused. The port in the base URL is wrong, or no server listens on this port.",
            "A firewall or proxy refuses the connection. Run `justcall-auth doctor` to see the step that fails, and ask the administrator of the network.",
            "The proxy in HTTPS_PROXY or --proxy is down or unknown. The message names the proxy.",
            "The process has too many open files or threads. Raise the limit that the message names.",
            "The connection was reset during the call. Retry the call. The library did not repeat a request that must not be sent twice.",
        ],
        example: "HTTPS_PROXY=http://proxy.example:3128 justcall-auth doctor   shows whether the proxy lets calls through",
    }
    TlsFailed { exit: Exit::Network,
        text: "The server could not prove its identity, so nothing was sent. No option disables the check of the server's certificate.",
        causes: &[
            "A corporate proxy or virus scanner intercepts TLS with its own certificate. Ask the administrator for the CA certificate, and set --ca-file or SSL_CERT_FILE to its file.",
            "The system has no CA certificates, as in minimal containers. Install the package ca-certificates.",
            "The clock of this machine is wrong, so valid certificates seem expired. Run `justcall-auth doctor`, and set the clock.",
            "The host in the base URL differs from the host in the certificate, or the port does not use TLS.",
        ],
        example: "justcall-auth verify --ca-file /etc/ssl/certs/corporate-ca.pem",
    }
    RedirectRefused { exit: Exit::Failure,
        text: "The service answered with a redirect to another address. The library does not follow redirects and sends the pair only to the host in the base URL.",
        causes: &[
            "The base URL is wrong. Use https://api.justcall.io, without www or a path.",
            "A captive portal or gateway requires a login. Open a browser on this network, and log in.",
            "The path has moved. Look up the endpoint in the API reference.",
        ],
        example: "justcall-auth verify --base-url https://justcall.io   (write: https://api.justcall.io, or leave it out)",
    }
    InvalidResponse { exit: Exit::Failure,
        text: "The response does not come from the JustCall API. The response is not HTTP, not JSON although JSON is expected, or too large. The pair may be valid.",
        causes: &[
            "A proxy, gateway or captive portal answered instead of the service, often with an HTML page.",
            "The base URL is the address of a website or of another service.",
            "The connection ended early, but the response looked complete.",
        ],
        example: "HTTP 200 with <html>…Sign in to the network…</html> from a hotel's WLAN",
    }
    Cancelled { exit: Exit::Failure,
        text: "The program or its user cancelled the call. `request_sent` shows whether the service may have received the request.",
        causes: &[
            "The program received a request to stop, such as Ctrl-C.",
            "The client was shut down during the call.",
        ],
        example: "Ctrl-C in a Python program while client.verify() waits",
    }
    WebhookUnsigned { exit: Exit::Failure,
        text: "A request without a signature arrived at the webhook URL. Anyone can send such a request, so do not act on the request. JustCall sends a probe without a signature when a URL is saved, and expects the answer 200. A missing signature and a wrong signature are therefore separate errors.",
        causes: &[
            "A user saved the URL in JustCall. Answer 200 and do nothing else.",
            "A proxy or a framework drops unknown headers. Configure the proxy or framework to forward the headers that start with x-justcall-.",
            "A third party probes the endpoint. Answer 200 and do nothing else.",
        ],
        example: "POST /hooks/justcall without x-justcall-signature",
    }
    WebhookMalformed { exit: Exit::Failure,
        text: "The delivery is signed, but the signed values cannot be parsed. The signed values are in the signature headers and in the fields `webhook_url` and `type` of the body. The signature was not compared.",
        causes: &[
            "The body was parsed and serialised again, or decoded in another encoding. Pass the raw bytes of the body.",
            "The body is not JSON, is larger than 1 MiB, is nested more than 128 levels deep or contains a field twice.",
            "The timestamp is missing, or it is neither `YYYY-MM-DD HH:MM:SS` nor seconds or milliseconds since the epoch.",
            "The signature does not consist of 64 hexadecimal digits, or a header occurs twice.",
        ],
        example: "the header with the timestamp says yesterday",
    }
    WebhookMismatch { exit: Exit::Failure,
        text: "The signature is computed from the secret, the URL, the type of the event and the timestamp. None of the secrets produces this signature. The secret belongs to another account or is old, or the delivery is forged.",
        causes: &[
            "The secret is not the API secret of the account that sends the webhook. JustCall has no separate webhook secret, so another value in a variable such as JUSTCALL_WEBHOOK_SECRET never matches.",
            "The pair was reset after this delivery was signed. Accept both the old and the new secret for some minutes. A verifier that was created from a client accepts the old secret automatically.",
            "A proxy or framework changed the body's `webhook_url` or `type`, or the timestamp header.",
            "The delivery is forged. Refuse the delivery.",
        ],
        example: "the header with the signature says 0000…0000",
    }
    WebhookStale { exit: Exit::Failure,
        text: "The delivery is genuine, but its timestamp differs from the current time by more than the tolerance. An attacker may have recorded an old delivery and sent it again.",
        causes: &[
            "The clock of this machine is wrong. Run `justcall-auth doctor` to compare it with the service's clock.",
            "JustCall repeated a delivery that was not answered, up to an hour later. To accept such deliveries, set a tolerance of two hours and record which deliveries were handled.",
            "A third party sends a recorded delivery again. Refuse the delivery.",
        ],
        example: "2024-03-21 17:08:22, verified a year later",
    }
    WebhookWrongUrl { exit: Exit::Failure,
        text: "The delivery is genuine, but it was signed for an unexpected URL. An endpoint must not accept a delivery for another endpoint of the account.",
        causes: &[
            "The expected URL differs from the registered URL. The scheme, host, path, query and a slash at the end must be the same.",
            "Two endpoints of the account share one receiver. Add both URLs to the verifier.",
            "A third party forwards a delivery that another endpoint received. Refuse the delivery.",
        ],
        example: "--url https://example.com/hooks   for a webhook registered as https://example.com/hooks/",
    }
    WebhookVersion { exit: Exit::Failure,
        text: "The delivery has a signature, but the version of the signature is missing or unknown. This library supports the version `v1`.",
        causes: &[
            "A proxy forwards the signature and drops the version. Configure the proxy to forward all headers that start with x-justcall-.",
            "JustCall introduced a new version. Update justcall-auth.",
        ],
        example: "the header with the version says v2",
    }
    WebhookReplayed { exit: Exit::Failure,
        text: "The delivery is genuine and recent, but the program's replay check has already seen it. The library itself does not record deliveries, because two genuine events of the same type in the same second have the same signature.",
        causes: &[
            "JustCall repeated a delivery that was answered too late. Answer 200 and do not act on the delivery again.",
            "Two genuine events have the same type and were sent in the same second. Confirm the object through the API, then also compare request_id of the body in the replay check.",
            "A third party sends a recorded delivery again. Refuse the delivery.",
        ],
        example: "the same x-justcall-signature twice within the tolerance",
    }
    Internal { exit: Exit::Failure,
        text: "The library detected an error in its own code and ended the call. The pair, the arguments and the service are not the cause.",
        causes: &[
            "The library has a bug. Report the message and the version, which contain no secret.",
        ],
        example: "justcall-auth --version, and what was called",
    }
    BadRequest { exit: Exit::Failure,
        text: "The service refused the request with HTTP 400, or with another 4xx status that has no separate error. The pair is not the cause.",
        causes: &[
            "A parameter or field is missing, misspelt or of the wrong type. The response body names the parameter or field.",
            "The body is not valid JSON. Run `jq . FILE` to check the body.",
            "The path does not accept this method (405). Look up the endpoint in the API reference.",
        ],
        example: "justcall-auth request GET /v2.1/calls --query per_page=many",
    }
    InvalidCredentials { exit: Exit::Rejected,
        text: "The service rejected the API key and secret (401). The response does not reveal whether the key or the secret is wrong, or whether the pair was ever valid. The library does not send the pair again for 30 seconds.",
        causes: &[
            "The pair was revoked or replaced. A click on Revoke or Generate API Key under Settings → API & Webhooks disables the old pair immediately. Compare the key in JustCall with the key that `justcall-auth doctor` shows, and update every program that uses the old pair.",
            "After a reset, only the key or only the secret was updated. Update both the key and the secret.",
            "The key or the secret is incomplete or contains extra characters. Copy the key and the secret again. The secret is shown only once. If the secret is lost, click Revoke, then Generate API Key, and copy the new pair immediately.",
            "The library reads an unexpected source. Run `justcall-auth doctor` to see the source, and whether other sources contain a different pair.",
            "Another program sent the pair with Basic or Bearer, or base64-encoded. JustCall expects `Authorization: key:secret` unchanged.",
        ],
        example: "HTTP 401 {\"status\": \"error\", \"message\": \"Invalid API key or secret.\"}",
    }
    Forbidden { exit: Exit::Forbidden,
        text: "The pair is valid, but it does not permit this request (403). Do not reset the pair, because a new pair of the same account has the same rights. If the service names the reason, the reason is plan, role, ip or addon.",
        causes: &[
            "Reason plan: The account's plan does not include API access. Upgrade the plan, or ask JustCall support.",
            "Reason role: The endpoint requires Admin-level credentials. Ask an Admin to generate the pair.",
            "Reason ip: The key is limited to certain IP addresses, which do not include the address of this machine. Add the address under Settings → API & Webhooks. `justcall-auth doctor` shows this machine's address.",
            "Reason addon: The endpoint belongs to an add-on that the account does not have.",
        ],
        example: "HTTP 403 {\"status\": \"error\", \"message\": \"This endpoint requires Admin-level credentials.\"}",
    }
    NotFound { exit: Exit::Failure,
        text: "The service has no such path, or the object does not exist (404). The pair is not the cause.",
        causes: &[
            "The version in the path is missing or wrong. Write /v2.1/calls, not /calls.",
            "The identifier belongs to another account, or the object was deleted.",
            "The base URL already contains a part of the path.",
        ],
        example: "justcall-auth request GET /calls   (write: /v2.1/calls)",
    }
    Unprocessable { exit: Exit::Failure,
        text: "The service understood the request but did not accept its contents (422). The response body names the fields.",
        causes: &[
            "A required field is missing or empty.",
            "A value has the wrong form. Phone numbers need the country code, and dates need the form in the API reference.",
            "The object already exists, or its state does not allow the change.",
        ],
        example: "HTTP 422 {\"status\": \"error\", \"message\": \"Invalid contact_number.\"}",
    }
    RateLimited { exit: Exit::RateLimited,
        text: "The rate limit of the account is exhausted (429). The limit counts the requests of all programs and pairs of the account. The request had no effect.",
        causes: &[
            "The program sent too many requests in a short time. Wait for the time in retry_after, then send fewer requests. `justcall-auth doctor` shows the remaining requests.",
            "Another integration of the same account uses up the limit. See the usage under Settings → API & Webhooks.",
            "The program polls for data that webhooks could deliver. Deliveries of webhooks do not count towards the limit.",
            "The limit of the plan is too low for the task. Larger plans allow more requests.",
        ],
        example: "HTTP 429 {\"status\": \"error\", \"message\": \"Rate limit exceeded. Retry after 45 seconds.\"}",
    }
    ServerError { exit: Exit::Service,
        text: "The service failed (5xx). The pair and the request may be correct. A request that changes data may have taken effect, so check before you repeat the request.",
        causes: &[
            "The failure is temporary. The library already retried requests that may be sent twice. Retry later.",
            "This request fails every time. Simplify the request, and report the time and the path to JustCall support.",
        ],
        example: "HTTP 500 {\"status\": \"error\", \"message\": \"Internal Server Error\"}",
    }
    Unavailable { exit: Exit::Service,
        text: "The service, or a gateway in front of the service, cannot answer now (502, 503, 504). The pair may be valid.",
        causes: &[
            "The service is overloaded or under maintenance. Retry after the time in retry_after, or later. See JustCall's status page.",
            "Your gateway or proxy cannot reach the service. Run `justcall-auth doctor` to see the route of calls.",
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
