//! What a successful verification tells of the account.

/// The account that a pair belongs to. A detail that the service did not tell is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    id: Option<u64>,
    email: Option<String>,
    plan: Option<String>,
    verified_by: String,
}

impl Account {
    /// An account as the service told it, and the path that told it. No account has the number 0.
    pub fn new(
        id: Option<u64>,
        email: Option<String>,
        plan: Option<String>,
        verified_by: impl Into<String>,
    ) -> Self {
        Self { id: id.filter(|id| *id != 0), email, plan, verified_by: verified_by.into() }
    }

    /// The same account, told by another path.
    pub(crate) fn with_path(self, path: &str) -> Self {
        Self { verified_by: path.to_owned(), ..self }
    }

    /// The account's number.
    pub fn id(&self) -> Option<u64> {
        self.id
    }

    /// The account's e-mail address.
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// The account's plan, such as `Pro`.
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// The path whose answer proved the pair, such as `/v2/account`.
    pub fn verified_by(&self) -> &str {
        &self.verified_by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_the_number_0_for_none() {
        let account = |id| Account::new(Some(id), None, None, "/v2/account");
        assert_eq!((account(0).id(), account(1).id()), (None, Some(1)));
    }
}
