//! The response that verifies a pair, compared with `serde_json`.

use justcall_auth::{Account, printable, service};
use serde_json::Value;

use crate::Target;
use crate::json::{self, Model};
use crate::seeds;

pub const TARGET: Target = Target {
    name: "account",
    about: "A body is an account exactly if `serde_json` finds `\"status\": \"success\"` and an object `data` whose fields have \
            their types, with the same number, address and plan, without unprintable characters.",
    check,
    seeds: || {
        let cases = seeds::vectors("verify");
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for case in &cases {
            bodies.extend(seeds::texts(case["faults"].as_array().map_or(&[][..], Vec::as_slice), "/body"));
        }
        bodies.push(
            br#"{"status":"success","data":{"account_id":4711,"email":"a@b.example","plan":"Pro"}}"#.to_vec(),
        );
        bodies.push(b"\xEF\xBB\xBF{\"status\":\"success\",\"data\":{\"account_id\":\"4711\"}}".to_vec());
        bodies.sort();
        bodies.dedup();
        bodies
    },
    tokens: &[
        "\"status\":",
        "\"success\"",
        "\"failed\"",
        "\"data\":",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"account_id\":",
        "\"email\":",
        "\"plan\":",
        "null",
        "true",
        "0",
        "-1",
        "1.0",
        "1e3",
        "18446744073709551615",
        "18446744073709551616",
        "\"7\"",
        "\"+7\"",
        "\\u0061",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\u0000",
        "\\u202e",
        "\u{feff}",
        "\"d\\u0061ta\":",
        "[[[[[[[[",
        "é",
    ],
};

fn check(data: &[u8]) {
    let account = service::account(data);
    let is_object = service::is_json_object(data);
    match expected(data) {
        Model::Unknown => {}
        Model::Refused => assert!(account.is_err(), "{account:?}"),
        Model::Found((id, email, plan)) => {
            let account = account.as_ref().expect("the model finds an account");
            assert_eq!(account.id(), id.filter(|id| *id != 0));
            assert_eq!(account.email(), email.as_deref());
            assert_eq!(account.plan(), plan.as_deref());
            assert_eq!(account.verified_by(), service::ACCOUNT_PATH);
        }
    }
    assert!(is_object || account.is_err());
    for text in account.iter().flat_map(|account| [Account::email(account), account.plan()]).flatten() {
        assert!(text.chars().all(printable::is_printable) && text.trim() == text, "{text:?}");
    }
}

type Fields = (Option<u64>, Option<String>, Option<String>);

/// Returns the fields of the account.
fn expected(body: &[u8]) -> Model<Fields> {
    let text = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let values = match json::object(text, &["status", "data"]) {
        Model::Unknown => return Model::Unknown,
        Model::Refused => return Model::Refused,
        Model::Found(values) => values,
    };
    // The last value of a name counts.
    let (status, data) = (values[0].last(), values[1].last());
    let Some(Value::Object(data)) = data.filter(|_| status.is_some_and(|status| status == "success")) else {
        return Model::Refused;
    };
    // A field that is longer than any account has is refused.
    if body.len() > 64 * 1024 {
        return Model::Unknown;
    }
    let text = |name: &str| match data.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(printable::on_one_line(text))),
        Some(_) => None,
    };
    let id = match data.get("account_id") {
        None | Some(Value::Null) => Some(None),
        Some(Value::Number(number)) => number.as_u64().map(Some),
        Some(Value::String(digits)) => digits.parse().ok().map(Some),
        Some(_) => None,
    };
    let fields = id.and_then(|id| Some((id, text("email")?, text("plan")?)));
    fields.map_or(Model::Refused, Model::Found)
}
