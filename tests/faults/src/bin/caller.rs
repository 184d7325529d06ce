//! Makes the calls that its standard input names, one per line, and prints a row for each, as `targets/caller.c` and
//! `targets/caller.py` do: see `src/vectors/caller.rs`.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use justcall_auth::{Client, Config, Error, Request, WebhookHeaders, WebhookVerifier, unix_time};

const WEBHOOK_URL: &str = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4";
const SIGNATURE: [(&str, &str); 3] = [
    ("x-justcall-signature", "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"),
    ("x-justcall-signature-version", "v1"),
    ("x-justcall-request-timestamp", "2024-03-21 17:08:22"),
];
const TOLERANCE: u64 = 600;

fn main() -> Result<()> {
    let mut client = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let row = match (&client, &words[..]) {
            (_, ["open", rest @ ..]) => match open(rest)? {
                Ok(opened) => {
                    client = Some(opened);
                    "ok 0 1 -1".to_owned()
                }
                Err(error) => row(Err(error)),
            },
            (Some(client), words) => row(call(client, words)?),
            (None, _) => bail!("no client is open"),
        };
        println!("{}", row.replace('\n', " "));
        io::stdout().flush()?;
    }
    Ok(())
}

/// Creates the client of `open BASE_URL CA_FILE SOURCE TIMEOUT_MS RETRIES`.
fn open(words: &[&str]) -> Result<Result<Client, Error>> {
    let [base_url, ca_file, source, timeout, retries] = words else { bail!("open has five arguments") };
    let (timeout, retries) = (Duration::from_millis(timeout.parse()?), retries.parse()?);
    let configured = || {
        let mut config = Config::new();
        config.set_base_url(base_url)?.set_ca_file(ca_file)?.set_source(source)?.set_proxy("")?;
        config.set_timeout(timeout).set_max_retries(retries);
        Client::new(&config)
    };
    Ok(configured())
}

/// Makes a call. Returns its HTTP status, which is 200 for an account and 0 for a webhook.
fn call(client: &Client, words: &[&str]) -> Result<Result<u16, Error>> {
    Ok(match *words {
        ["verify"] => client.verify().map(|_| 200),
        ["webhook"] => verify_webhook(client).map(|()| 0),
        ["get", path] => send(client, "GET", path, None),
        ["post", path, bytes] => {
            let length = bytes.parse().context("a length")?;
            send(client, "POST", path, Some(vec![b' '; length]))
        }
        _ => bail!("unknown call {words:?}"),
    })
}

fn send(client: &Client, method: &str, path: &str, body: Option<Vec<u8>>) -> Result<u16, Error> {
    let mut request = Request::new(method, path)?;
    if let Some(body) = body {
        request.set_body(body);
    }
    client.request(request).map(|response| response.http_status())
}

/// Verifies the example of the official reference at the time of this machine.
fn verify_webhook(client: &Client) -> Result<(), Error> {
    let mut verifier = WebhookVerifier::for_url(WEBHOOK_URL)?;
    verifier.set_tolerance(TOLERANCE);
    verifier.use_secrets_of(Arc::new(client.clone()))?;
    let body = format!("{{\"webhook_url\": \"{WEBHOOK_URL}\", \"type\": \"call.completed\"}}");
    let now = unix_time().as_secs().try_into().unwrap_or(i64::MAX);
    verifier.verify(&WebhookHeaders::find(SIGNATURE), body.as_bytes(), now).map(drop)
}

fn row(result: Result<u16, Error>) -> String {
    let error = match result {
        Ok(status) => return format!("ok {status} 1 -1"),
        Err(error) => error,
    };
    let wait = error.retry_after().map_or(-1, |wait| i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    let mut row =
        format!("{} {} {} {wait}", error.kind().name(), error.http_status(), u8::from(error.request_sent()));
    let service_message = error.service_message().unwrap_or_default();
    let _infallible = write!(row, " {error} {error:?} {} {service_message}", error.hint());
    row
}
