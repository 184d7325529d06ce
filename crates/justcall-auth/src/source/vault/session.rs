//! The token of a login, for as long as it is valid. It is renewed after two thirds of its life.
//!
//! No thread renews it. A read of the source does, and once the renewal is due, the next call of a client reads the
//! source. A call that fails to do so continues with its pair.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use justcall_auth_protocol::error::Error;
use justcall_auth_secret::{PerProcess, Secret, WipedBuffer};

use super::api::{Answer, Api, member};
use super::failure::{no_token, not_vault};
use super::login::{self, Login};
use crate::clock;

/// The shortest time before a renewal that failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// A token and its life. Times are monotonic.
#[derive(Clone)]
pub(super) struct Session {
    pub token: Arc<Secret>,
    /// The whole life of the token when it was created or first seen, which each renewal requests again.
    life: Duration,
    /// When to renew the token, or `None` if that is not possible or not necessary.
    renew_at: Option<Duration>,
    /// When the token expires, or `None` if it does not.
    ends_at: Option<Duration>,
}

impl Session {
    /// Creates a session with a token that expires `left` after `now`, of a life of `life`. Zero means never.
    fn new(token: Arc<Secret>, now: Duration, left: Duration, life: Duration, is_renewable: bool) -> Self {
        let ends_at = (!left.is_zero()).then(|| now + left);
        let renew_at = ends_at.filter(|_| is_renewable).map(|end| end.saturating_sub(life / 3).max(now));
        Self { token, life, renew_at, ends_at }
    }

    /// Creates a session with a token whose life is not known.
    fn given(token: &WipedBuffer) -> Self {
        let token = Arc::new(Secret::copy_from(token.as_ref()));
        Self::new(token, Duration::ZERO, Duration::ZERO, Duration::ZERO, false)
    }

    /// Creates a session from the answer to a login or a renewal.
    fn of_answer(token: Arc<Secret>, answer: &Answer, now: Duration) -> Self {
        let auth = answer.member(&["auth"]).unwrap_or("{}");
        let left = member(auth, "lease_duration").and_then(|raw| raw.parse().ok()).unwrap_or(0);
        let left = Duration::from_secs(left);
        Self::new(token, now, left, left, member(auth, "renewable") == Some("true"))
    }
}

/// The token in use. A child of `fork()` logs in itself, because it must not wait for an inherited lock.
#[derive(Default)]
pub(super) struct SessionStore {
    session: PerProcess<Mutex<Option<Session>>>,
    /// When the renewal is due, in milliseconds. Zero means never.
    renew_at: AtomicU64,
}

impl SessionStore {
    pub fn is_renewal_due(&self, now: Duration) -> bool {
        let due = self.renew_at.load(Ordering::Relaxed);
        due != 0 && now.as_millis() >= u128::from(due)
    }

    fn get(&self) -> Option<Session> {
        let session = self.session.get_or_make(Mutex::default);
        let session = session.lock().unwrap_or_else(PoisonError::into_inner);
        session.clone()
    }

    fn set(&self, new: &Session) {
        let millis = new.renew_at.map_or(0, |at| u64::try_from(at.as_millis()).unwrap_or(u64::MAX).max(1));
        self.renew_at.store(millis, Ordering::Relaxed);
        let session = self.session.get_or_make(Mutex::default);
        *session.lock().unwrap_or_else(PoisonError::into_inner) = Some(new.clone());
    }
}

/// The origin of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// This read has logged in.
    Login,
    /// An earlier read has logged in, so another login may give a better token.
    EarlierLogin,
    /// The environment or a file. Vault has not been asked for the life of the token yet.
    Given,
    /// The environment or a file, as in an earlier read.
    GivenBefore,
}

/// Returns a token. Logs in or renews it if necessary.
pub(super) fn find(api: &mut Api<'_>, store: &SessionStore) -> Result<(Session, Origin), Error> {
    let now = clock::monotonic();
    let known = store.get().filter(|session| session.ends_at.is_none_or(|end| now < end));
    let Login::Token { file } = &api.target.login else {
        return match known {
            None => open(api, store).map(|session| (session, Origin::Login)),
            Some(session) => Ok((renewed(api, store, session, now)?, Origin::EarlierLogin)),
        };
    };
    let token = match file {
        Some(file) => Some(login::read(api, file)?),
        None => login::from_environment(api, "TOKEN")?,
    };
    let is_known =
        |session: &Session, token: &WipedBuffer| session.token.expose(|known| known == token.as_ref());
    match (token, known) {
        (Some(token), Some(session)) if !is_known(&session, &token) => {
            Ok((Session::given(&token), Origin::Given))
        }
        (Some(token), None) => Ok((Session::given(&token), Origin::Given)),
        // Without a token, the program has removed the variable.
        (_, Some(session)) => Ok((renewed(api, store, session, now)?, Origin::GivenBefore)),
        (None, None) => Err(no_token(api.target)),
    }
}

/// Logs in, and stores the new token.
pub(super) fn open(api: &mut Api<'_>, store: &SessionStore) -> Result<Session, Error> {
    let answer = api.target.login.log_in(api)?;
    let token = answer.member(&["auth", "client_token"]).and_then(unquoted);
    let Some(token) = token.map(|token| Arc::new(Secret::copy_from(token.as_bytes()))) else {
        return Err(not_vault(&api.place(), &api.address(), "its answer to the login contains no token"));
    };
    let session = Session::of_answer(token, &answer, clock::monotonic());
    store.set(&session);
    Ok(session)
}

/// Asks Vault for the life of a token of the environment or a file, after it was used. Renews the token if that is due.
/// A failure is no failure of the read.
pub(super) fn look_up(api: &mut Api<'_>, store: &SessionStore, session: Session) {
    let now = clock::monotonic();
    let Ok(answer) = api.call("/v1/auth/token/lookup-self", Some(&session.token), None) else { return };
    let data = answer.member(&["data"]).unwrap_or("{}");
    let number = |name: &str| member(data, name).and_then(|raw| raw.parse().ok()).unwrap_or(0);
    let [left, life] = ["ttl", "creation_ttl"].map(|name| Duration::from_secs(number(name)));
    let is_renewable = member(data, "renewable") == Some("true");
    let session = Session::new(session.token, now, left, life.max(left), is_renewable);
    store.set(&session);
    let _next_read_reports_it = renewed(api, store, session, now);
}

/// Returns a raw JSON text without its quotes, or `None` if it is empty, has escapes, or is no text.
fn unquoted(raw: &str) -> Option<&str> {
    let text = raw.strip_prefix('"')?.strip_suffix('"')?;
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')).then_some(text)
}

/// Renews the token if that is due. A failure counts only once the token has expired.
fn renewed(
    api: &mut Api<'_>,
    store: &SessionStore,
    session: Session,
    now: Duration,
) -> Result<Session, Error> {
    if session.renew_at.is_none_or(|due| now < due) {
        return Ok(session);
    }
    let body = format!("{{\"increment\":\"{}s\"}}", session.life.as_secs());
    let answer = api.call("/v1/auth/token/renew-self", Some(&session.token), Some(body.as_bytes()));
    let session = match answer {
        // Near the end of its longest life, Vault grants less than was requested.
        Ok(answer) if answer.status == 200 => {
            Session { life: session.life, ..Session::of_answer(session.token, &answer, now) }
        }
        Ok(_) if !matches!(api.target.login, Login::Token { .. }) => return open(api, store),
        failed => {
            let left = session.ends_at.map(|end| end.saturating_sub(now)).unwrap_or_default();
            let later = Session { renew_at: Some(now + (left / 3).max(RETRY)), ..session };
            // Without a valid answer, the next request would fail too.
            failed.map(|_| later.clone()).inspect_err(|_| store.set(&later))?
        }
    };
    store.set(&session);
    Ok(session)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::super::VaultSource;
    use super::*;
    use crate::context::CallContext;
    use crate::source::Source;

    fn session(left: u64, whole: u64, is_renewable: bool) -> (Option<u64>, Option<u64>) {
        let seconds = Duration::from_secs;
        let token = Arc::new(Secret::copy_from(b"token"));
        let session = Session::new(token, seconds(1000), seconds(left), seconds(whole), is_renewable);
        (session.renew_at.map(|at| at.as_secs()), session.ends_at.map(|at| at.as_secs()))
    }

    #[test]
    fn it_renews_a_token_after_two_thirds_of_its_life() {
        assert_eq!(session(300, 300, true), (Some(1200), Some(1300)));
        assert_eq!(session(50, 300, true), (Some(1000), Some(1050)), "it is due at once");
        assert_eq!(session(300, 300, false), (None, Some(1300)), "it cannot be renewed");
        assert_eq!(session(0, 0, true), (None, None), "it never expires");
    }

    #[test]
    fn it_knows_when_a_renewal_is_due() {
        let store = SessionStore::default();
        let is_due = |seconds| store.is_renewal_due(Duration::from_secs(seconds));
        assert!(!is_due(u64::MAX / 1000), "there is no token");
        let token = Arc::new(Secret::copy_from(b"token"));
        let life = Duration::from_secs(300);
        let session = Session::new(token, Duration::from_secs(1000), life, life, true);
        store.set(&session);
        assert!(!is_due(1199) && is_due(1200) && is_due(5000));
        store.set(&Session { renew_at: None, ..session });
        assert!(!is_due(5000));
    }

    #[test]
    fn it_takes_only_a_plain_text_as_a_token() {
        assert_eq!(unquoted("\"s.abc\""), Some("s.abc"));
        for other in ["\"\"", "null", "7", "\"a\\u0041\"", "\"a b\"", "\"", "{}"] {
            assert_eq!(unquoted(other), None, "{other}");
        }
    }

    /// Answers one request after the other. Returns the address, and later the requests.
    fn server(
        answers: &'static [(u16, &'static str)],
    ) -> std::io::Result<(String, JoinHandle<std::io::Result<Vec<String>>>)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let serve = move || {
            let one = |(status, body): &(u16, &str)| {
                let mut stream = listener.accept()?.0;
                let mut request = Vec::new();
                // The body of each request ends in a bracket.
                while !request.ends_with(b"}") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte)?;
                    request.extend_from_slice(&byte);
                }
                write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
                Ok(String::from_utf8_lossy(&request).into_owned())
            };
            answers.iter().map(one).collect()
        };
        Ok((address, std::thread::spawn(serve)))
    }

    #[test]
    fn it_renews_a_token_when_that_is_due_and_keeps_it_if_vault_refuses() {
        let seconds = Duration::from_secs;
        let (address, requests) = server(&[
            (200, r#"{"auth": {"lease_duration": 600, "renewable": true}}"#),
            (200, r#"{"auth": {"lease_duration": 900, "renewable": false}}"#),
            (403, r#"{"errors": ["permission denied"]}"#),
        ])
        .expect("a server");
        let parsed = Source::parse(&format!("vault:{address}/kv/a")).expect("a spelling");
        let Source::Vault(VaultSource { target, .. }) = parsed else { unreachable!("a source in Vault") };
        let environment: &[(&str, &str)] = &[];
        let mut api = Api::new(&target, &environment, &CallContext::default());
        let store = SessionStore::default();
        let session = Session::new(
            Arc::new(Secret::copy_from(b"token")),
            seconds(1000),
            seconds(300),
            seconds(300),
            true,
        );
        let mut renew =
            |session: &Session, now| renewed(&mut api, &store, session.clone(), now).expect("no failure");
        let times =
            |session: &Session| [session.renew_at, session.ends_at].map(|at| at.map(|at| at.as_secs()));

        let early = renew(&session, seconds(1199));
        assert_eq!(times(&early), [Some(1200), Some(1300)], "nothing is due yet");
        let second = renew(&session, seconds(1200));
        assert_eq!(times(&second), [Some(1600), Some(1800)]);
        let third = renew(&second, seconds(1600));
        assert_eq!(times(&third), [None, Some(2500)], "the token cannot be renewed again");
        let refused = renew(&session, seconds(1210));
        assert_eq!(times(&refused), [Some(1240), Some(1300)], "it is tried again after a third of its time");

        let requests = requests.join().expect("no panic").expect("three requests");
        for request in requests {
            assert!(
                request.starts_with("POST /v1/auth/token/renew-self ")
                    && request.contains("X-Vault-Token: token\r\n")
            );
            assert!(
                request.ends_with(r#"{"increment":"300s"}"#),
                "the whole life, not the granted one: {request}"
            );
        }
    }
}
