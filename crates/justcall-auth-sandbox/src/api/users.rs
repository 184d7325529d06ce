//! `GET /v2.1/users`: verifies a pair, as the official clients do.

use serde::Serialize;

use super::{Call, Page};
use crate::state::Account;
use crate::wire::{List, Reply, Success};

#[derive(Serialize)]
struct User<'a> {
    id: u64,
    email: &'a str,
    name: &'a str,
    role: &'a str,
}

/// Answers with the account's users. There is one: the user who created the pair.
pub(super) fn answer(account: &Account, call: &Call) -> Reply {
    let page = match Page::of(call) {
        Ok(page) => page,
        Err(reply) => return reply,
    };
    let mut users = vec![user(account)];
    let range = page.range(users.len());
    Reply::json(200, &List::new(users.drain(range).collect(), None))
}

/// Answers with the user with an id.
pub(super) fn one(account: &Account, id: &str) -> Option<Reply> {
    let user = user(account);
    (id == user.id.to_string()).then(|| Reply::json(200, &Success { status: "success", data: user }))
}

fn user(account: &Account) -> User<'_> {
    User { id: account.id * 10 + 1, email: &account.email, name: "Sandbox Admin", role: &account.role }
}
