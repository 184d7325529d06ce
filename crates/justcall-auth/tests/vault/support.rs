//! A server that the tests share, and environments for it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::net::TcpStream;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use justcall_auth::source::{Environment, LoadedSource};
use justcall_auth::{Error, Source};
use justcall_auth_vault_tests::Bao;
use serde_json::json;

/// A key and a secret that occur nowhere else.
pub const KEY: &str = "canarykeyK8vT41";
pub const SECRET: &str = "canary7f3a9Q2xW";

/// Returns the server of all tests that do not change its state.
pub fn bao() -> &'static Bao {
    static BAO: LazyLock<Bao> = LazyLock::new(Bao::start);
    &BAO
}

/// Returns a path that no other test uses.
pub fn new_path() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("justcall-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Stores the pair at a new path. Returns the path.
pub fn stored() -> String {
    let path = new_path();
    bao().store(&path, &json!({"api_key": KEY, "api_secret": SECRET, "note": "ours"}));
    path
}

/// Reads a whole request. A server that answers and closes before it has read the body resets the connection, and the
/// reset can overtake the answer.
pub fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let (mut request, mut byte) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |length| length.trim().parse().expect("a length"));
    let _incomplete = stream.take(length).read_to_end(&mut request);
    request
}

/// The variables of a test.
#[derive(Debug, Clone, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Returns the address and the authority of `bao`.
    pub fn of(bao: &Bao) -> Self {
        let ca = bao.ca_file().display().to_string();
        Self::default().with("VAULT_ADDR", &bao.address()).with("VAULT_CACERT", &ca)
    }

    /// Returns the variables for a token.
    pub fn with_token(token: &str) -> Self {
        Self::of(bao()).with("VAULT_TOKEN", token)
    }

    /// Returns the variables for the token that may do everything.
    pub fn root() -> Self {
        Self::with_token(bao().root_token())
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Reads the source with these variables. No text of an error contains the pair or a token.
    pub fn load(&self, spelling: &str) -> Result<LoadedSource, Error> {
        let loaded = Source::parse(spelling).and_then(|source| source.load(self));
        if let Err(error) = &loaded {
            let shown = format!("{error} {error:?} {}", error.hint());
            assert!(!shown.contains(KEY) && !shown.contains(SECRET), "{shown}");
            for (name, value) in &self.0 {
                let is_secret = name.ends_with("TOKEN") || name.ends_with("_ID");
                assert!(!is_secret || !shown.contains(value), "{shown}");
            }
        }
        loaded
    }
}

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.get(name).map(Into::into)
    }
}

/// Returns the pair of `loaded`.
pub fn pair(loaded: &LoadedSource) -> String {
    loaded.pair.credentials.expose_authorization(|pair| String::from_utf8_lossy(pair).into_owned())
}
