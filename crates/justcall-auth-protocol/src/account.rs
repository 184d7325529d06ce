//! The account that a successful verification returns.

use std::borrow::Cow;

/// The account that a pair belongs to. A field is `None` if the service did not send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: Option<u64>,
    email: Option<String>,
    plan: Option<String>,
    verified_by: Cow<'static, str>,
}

impl Account {
    /// Creates an account from the fields of a response and the path of the request. The id 0 counts as no id.
    pub fn new(
        id: Option<u64>,
        email: Option<String>,
        plan: Option<String>,
        verified_by: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { id: id.filter(|id| *id != 0), email, plan, verified_by: verified_by.into() }
    }

    /// Returns the same account with another path.
    pub(crate) fn with_path(self, path: Cow<'static, str>) -> Self {
        Self { verified_by: path, ..self }
    }

    /// Returns the account's number.
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// Returns the account's e-mail address.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Returns the account's plan, such as `Pro`.
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// Returns the path of the request that proved the pair, such as `/v2/account`.
    pub fn verified_by(&self) -> &str {
        &self.verified_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_treats_the_id_0_as_no_id() {
        let account = |id| Account::new(Some(id), None, None, "/v2/account");
        assert_eq!((account(0).id(), account(1).id()), (None, Some(1)));
    }

    #[test]
    fn it_returns_what_the_service_sent_and_the_path_that_proved_the_pair() {
        let text = |text: &str| Some(text.to_owned());
        let account = Account::new(Some(7), text("a@b.example"), text("Pro"), "/v2/account");
        assert_eq!((account.email(), account.plan()), (Some("a@b.example"), Some("Pro")));
        let elsewhere = account.clone().with_path("/v2.1/users".into());
        assert_eq!((account.verified_by(), elsewhere.verified_by()), ("/v2/account", "/v2.1/users"));
        assert_eq!((elsewhere.id(), elsewhere.email()), (Some(7), Some("a@b.example")));
        let empty = Account::new(None, None, None, "/");
        assert_eq!((empty.email(), empty.plan()), (None, None));
    }
}
