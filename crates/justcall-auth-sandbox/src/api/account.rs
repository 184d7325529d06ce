//! `GET /v2/account`: verifies a pair, as the help article describes.

use serde::Serialize;

use crate::state::Account;
use crate::wire::{Reply, Success};

#[derive(Serialize)]
struct Data<'a> {
    account_id: u64,
    email: &'a str,
    plan: &'a str,
}

/// Answers with the account of the pair.
pub(super) fn answer(account: &Account) -> Reply {
    let data = Data { account_id: account.id, email: &account.email, plan: &account.plan };
    Reply::json(200, &Success { status: "success", data })
}
