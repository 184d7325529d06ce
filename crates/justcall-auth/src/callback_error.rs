//! The failure of a callback, in the program's own words.

use justcall_auth_protocol::error::{Error, ErrorKind, MAX_MESSAGE};
use justcall_auth_protocol::printable;

use crate::clock;
use crate::shared_state::SharedState;

const HINT: &str = "Check the program's callback, and the place from which the callback reads the pair.";

/// Creates the failure `kind` of a callback, described by `message`, for a [`Load`](crate::source::Load) to return. Control
/// characters are removed from `message`, secrets of the pairs that clients of this process use are masked, and it is cut at
/// 512 bytes; an empty one becomes that of `kind`. A secret that no client uses, such as one that the callback has just read, cannot be recognised: leave it out.
pub fn callback_error(kind: ErrorKind, message: &str) -> Error {
    let message = printable::on_one_line(message);
    let message = if message.is_empty() { kind.message().to_owned() } else { message };
    let pairs = SharedState::current().pairs(clock::monotonic());
    let masked = pairs.iter().fold(message, |message, pair| pair.mask(&message));
    Error::with_message(kind, printable::shortened(masked, MAX_MESSAGE)).with_hint(HINT)
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::credentials::Credentials;

    use super::*;
    use crate::client::Client;
    use crate::config::Config;

    #[test]
    fn it_masks_the_secrets_that_clients_use_removes_control_characters_and_cuts() {
        let pair = Credentials::new(b"canary-key-4b1d", b"canary-secret-9e").expect("good");
        let of = |message: &str| callback_error(ErrorKind::SourceUnavailable, message).message().to_owned();
        let said = "the\tdatabase says\r\n\u{1b}[31mcanary-secret-9e\u{1b}[0m";
        assert!(of(said).contains("canary-secret-9e"), "the control: no client uses it yet");
        let mut config = Config::new();
        config.set_credentials(pair);
        let client = Client::new(&config).expect("a client");
        client.credentials().expect("a pair");
        assert_eq!(of(said), "thedatabase says[31m[redacted][0m");
        let cut = of(&format!("{}\u{e9}canary-secret-9e", "x".repeat(MAX_MESSAGE - 1)));
        assert_eq!(cut, "x".repeat(MAX_MESSAGE - 1), "neither a character nor a secret is cut in two");
        assert_eq!(of("\n"), ErrorKind::SourceUnavailable.message());
        let error = callback_error(ErrorKind::CredentialsMissing, "no row");
        assert_eq!((error.kind(), error.hint()), (ErrorKind::CredentialsMissing, HINT));
    }
}
