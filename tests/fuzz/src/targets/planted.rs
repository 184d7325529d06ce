//! The control: it claims that blanks around a pair do not matter, as if the product trimmed what people paste.

use justcall_auth::Credentials;

use crate::Target;

pub const TARGET: Target = Target {
    name: "planted",
    about: "the planted bug: a pair with a blank beside it is accepted",
    check,
    seeds: || vec![b"abc123def456:sec789xyz000".to_vec()],
    tokens: &[":", "key"],
};

fn check(data: &[u8]) {
    assert_eq!(Credentials::parse(data).is_ok(), Credentials::parse(data.trim_ascii()).is_ok());
}
