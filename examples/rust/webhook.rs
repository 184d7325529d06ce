//! Verifies a recorded delivery of a webhook: `webhook URL [SOURCE [BASE_URL [CA_FILE]]] < request`. The request is its
//! headers, an empty line and its body.

use std::io::Read as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use justcall_auth::webhook::object_path;
use justcall_auth::{Client, Config, Error, ErrorKind, Request, WebhookHeaders, WebhookVerifier};

// [snippet]
/// Creates the verifier once for all threads. JustCall signs webhooks with the API secret, which the client has.
fn verifier(url: &str, client: &Client) -> Result<WebhookVerifier, Error> {
    let mut verifier = WebhookVerifier::for_url(url)?;
    verifier.use_secrets_of(Arc::new(client.clone()))?;
    Ok(verifier)
}

/// Verifies a delivery and returns the HTTP status of the response. Respond to an error with 500.
fn receive(
    verifier: &WebhookVerifier,
    client: &Client,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<u16, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let headers = WebhookHeaders::find(headers.iter().copied());
    match verifier.verify(&headers, body, now.try_into().unwrap_or(i64::MAX)) {
        Ok(event) => {
            // The body is not signed and may be forged, so fetch the object through the API.
            let path = object_path(event.event_type(), body)?;
            let object = client.request(Request::new("GET", &path)?)?;
            println!("{}: {}", event.event_type(), String::from_utf8_lossy(object.body()));
            Ok(200)
        }
        Err(error) => {
            let status = match error.kind() {
                // A probe, or a proxy removed the signature. Or a delivery that was already handled.
                ErrorKind::WebhookUnsigned | ErrorKind::WebhookReplayed => 200,
                ErrorKind::WebhookVersion
                | ErrorKind::WebhookMalformed
                | ErrorKind::WebhookMismatch
                | ErrorKind::WebhookStale
                | ErrorKind::WebhookWrongUrl => 401,
                // Not a fault of the delivery: for example, the source of the pair cannot be read.
                _ => return Err(error),
            };
            eprintln!("warning: {error}\nhint: {}", error.hint());
            Ok(status)
        }
    }
}
// [/snippet]

fn main() {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(status) => println!("{status}"),
        Err(error) => {
            eprintln!("{error}\nhint: {}", error.hint());
            println!("500");
        }
    }
}

fn run(arguments: &[String]) -> Result<u16, Error> {
    let mut config = Config::new();
    if let Some(source) = arguments.get(1) {
        config.set_source(source)?;
    }
    if let Some(base_url) = arguments.get(2) {
        config.set_base_url(base_url)?;
    }
    if let Some(ca_file) = arguments.get(3) {
        config.set_ca_file(ca_file)?;
    }
    let client = Client::new(&config)?;
    let mut request = String::new();
    let read = std::io::stdin().read_to_string(&mut request);
    read.map_err(|_| Error::invalid_argument("The request is not text."))?;
    let (head, body) = request.split_once("\n\n").unwrap_or((&request, ""));
    let headers: Vec<(&str, &str)> = head.lines().filter_map(|line| line.split_once(':')).collect();
    let url = arguments.first().map_or("", String::as_str);
    receive(&verifier(url, &client)?, &client, &headers, body.as_bytes())
}
