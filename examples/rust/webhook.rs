//! Verifies a delivery of a webhook: `webhook URL [SOURCE [BASE_URL [CA_FILE]]] < request`, where the request is recorded:
//! headers, an empty line, the body.

use std::io::Read as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use justcall_auth::webhook::object_path;
use justcall_auth::{Client, Config, Error, ErrorKind, Request, WebhookHeaders, WebhookVerifier};

// [snippet]
/// Made once, shared by all threads. What signs webhooks is the API secret, which the client knows: there is no other.
fn verifier(url: &str, client: &Client) -> Result<WebhookVerifier, Error> {
    let mut verifier = WebhookVerifier::for_url(url)?;
    verifier.use_secrets_of(Arc::new(client.clone()))?;
    Ok(verifier)
}

/// The HTTP status to answer with.
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
            // The body is not signed: what the API says is true, what the body says may not be.
            let path = object_path(event.event_type(), body)?;
            let object = client.request(Request::new("GET", &path)?)?;
            println!("{}: {}", event.event_type(), String::from_utf8_lossy(object.body()));
            Ok(200)
        }
        // The probe of a URL that is being saved, or a proxy removed the signature of a genuine delivery.
        Err(error) if error.kind() == ErrorKind::WebhookUnsigned => {
            eprintln!("warning: {error}");
            Ok(200)
        }
        Err(error) => {
            eprintln!("{error}\nhint: {}", error.hint());
            Ok(401)
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
