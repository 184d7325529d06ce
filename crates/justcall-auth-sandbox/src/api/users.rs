//! `GET /v2.1/users`: how the official clients verify a pair.

use serde::Serialize;

use super::{Call, Page};
use crate::state::Account;
use crate::wire::{List, Reply};

#[derive(Serialize)]
struct User<'a> {
    id: u64,
    email: &'a str,
    name: &'a str,
    role: &'a str,
}

/// The account's users, of which there is one: who made the pair.
pub(super) fn answer(account: &Account, call: &Call) -> Reply {
    let page = match Page::of(call) {
        Ok(page) => page,
        Err(reply) => return reply,
    };
    let user =
        User { id: account.id * 10 + 1, email: &account.email, name: "Sandbox Admin", role: &account.role };
    let mut users = vec![user];
    let range = page.range(users.len());
    Reply::json(200, &List::new(users.drain(range).collect(), None))
}
