//! `verify`: checks the pair and prints its account.

use justcall_auth::{Account, Client};
use serde_json::{Value, json};

use crate::arguments::Global;
use crate::failure::{Failure, GREEN};
use crate::help::table;
use crate::output::Output;

/// The text for details that the service did not return. The path of the verification may prove the pair without them.
const NOT_REPORTED: &str = "not returned by the service";

pub(super) fn run(global: &Global, verify_path: Option<&str>, output: &Output) -> Result<(), Failure> {
    let mut config = global.config()?;
    if let Some(path) = verify_path {
        config.set_verify_path(path)?;
    }
    let client = Client::new(&config)?;
    let account = client.verify()?;
    let credentials = client.credentials()?;
    let object = json!({"account": account_json(&account, credentials.key_hint())});
    Ok(output.success(&text(&account, credentials.key_hint()), object)?)
}

/// Returns an account as JSON.
pub(super) fn account_json(account: &Account, key_hint: &str) -> Value {
    json!({
        "id": account.id(),
        "email": account.email(),
        "plan": account.plan(),
        "verified_by": account.verified_by(),
        "key_hint": key_hint,
    })
}

fn text(account: &Account, key_hint: &str) -> String {
    let id = account.id().map(|id| id.to_string());
    let verified_by = format!("GET {}", account.verified_by());
    let rows = [
        ("Account", id.as_deref().unwrap_or(NOT_REPORTED)),
        ("E-mail", account.email().unwrap_or(NOT_REPORTED)),
        ("Plan", account.plan().unwrap_or(NOT_REPORTED)),
        ("Verified by", &verified_by),
        ("API key", key_hint),
    ];
    let mut text = format!("{GREEN}✓{GREEN:#} The service accepts the API key and secret.\n");
    table(&mut text, rows.into_iter());
    text
}
