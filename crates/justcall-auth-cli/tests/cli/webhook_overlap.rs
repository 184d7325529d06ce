//! A program that runs while its pair is rotated: webhooks that are signed with the old secret, before and after.

use std::sync::Arc;

use justcall_auth::{Client, Config, Error, ErrorKind, WebhookHeaders, WebhookVerifier};
use serde_json::{Value, json};

use crate::run::{Service, command, feed, file};

/// The delivery that JustCall publishes as its example, and the secret that signs it.
struct Published(Value);

impl Published {
    fn read() -> Self {
        let text = include_str!("../../../../tests/vectors/webhook/ok-published.json");
        Self(serde_json::from_str(text).expect("JSON"))
    }

    fn secret(&self) -> &str {
        self.0["secrets"][0].as_str().expect("a secret")
    }

    /// What `client` makes of it.
    fn verify(&self, client: &Client) -> Result<(), Error> {
        let mut verifier = WebhookVerifier::for_any_url();
        verifier.use_secrets_of(Arc::new(client.clone())).expect("none were given");
        let headers: Vec<(&str, &str)> = self.0["headers"]
            .as_array()
            .expect("headers")
            .iter()
            .map(|header| (header[0].as_str().expect("a name"), header[1].as_str().expect("a value")))
            .collect();
        let body = self.0["body"].as_str().expect("a body");
        let now = self.0["now"].as_i64().expect("a time");
        verifier.verify(&WebhookHeaders::find(headers), body.as_bytes(), now).map(drop)
    }
}

#[test]
fn it_is_up_to_the_rotation_whether_the_old_secret_is_still_believed() {
    let published = Published::read();
    for (account, compromised, stays_believed) in [(71, &[][..], true), (72, &["--compromised"], false)] {
        let service = Service::start();
        let folder = tempfile::tempdir().expect("a folder");
        let pair = json!({"account_id": account, "api_secret": published.secret()});
        let pair = service.control("POST", "pairs", &pair);
        let (_, source) = file(
            folder.path(),
            "pair.json",
            &json!({"api_key": pair["api_key"], "api_secret": pair["api_secret"]}).to_string(),
        );
        let mut config = Config::new();
        config.set_source(&source).expect("a source").set_base_url(service.sandbox.url()).expect("a URL");
        config.set_ca_file(service.sandbox.ca_file().expect("TLS is on")).expect("a path");
        let client = Client::new(&config).expect("a client");
        client.verify().expect("the old pair is good");
        published.verify(&client).expect("it is signed with the pair in use");

        let reset = service.control("POST", "reset", &json!({"account_id": account}));
        let account = account.to_string();
        let options =
            [&["rotate", "--source", &source, "--expected-account", &account], compromised].concat();
        let rotated = feed(command(&service.arguments(&options), &[]), reset.to_string());
        assert_eq!(rotated.exit, 0, "{rotated:?}");
        // The first call after the reset is answered 401, finds the new pair and is repeated with it.
        client.verify().expect("the program goes on by itself");
        let verdict = published.verify(&client);
        match verdict {
            Ok(()) => assert!(stays_believed),
            Err(error) => assert_eq!((error.kind(), stays_believed), (ErrorKind::WebhookMismatch, false)),
        }
    }
}
