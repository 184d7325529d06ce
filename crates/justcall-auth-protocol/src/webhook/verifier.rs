//! The verifier: the order of the checks, and what each of them says.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::body::{self, Signed, malformed};
use super::event::WebhookEvent;
use super::headers::WebhookHeaders;
use super::secrets::{Fixed, SigningSecrets};
use super::signature::Signature;
use super::timestamp;
use super::url::{EncodedUrl, Expected};
use crate::copy;
use crate::error::{Error, ErrorKind};
use crate::metrics::{ResultsOfProcess, webhook_metrics};
use crate::service;

/// How far a delivery's time may be from now, unless said otherwise.
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(600);

/// Says that any URL will do, where a URL is asked for as text: in C. No webhook can be registered with it.
pub const ANY_URL: &str = "*";

/// The program's own memory of deliveries. It is asked last, about a delivery that has passed every other check.
pub trait ReplayCheck: Send + Sync {
    /// Whether this delivery was seen before. A delivery that was not is to be remembered by the same call, or two of
    /// them at the same moment both pass.
    ///
    /// # Errors
    /// Any: the memory cannot tell. The delivery is not accepted then, and the error is passed on.
    fn was_seen(&self, event: &WebhookEvent) -> Result<bool, Error>;
}

/// A closure will do.
impl<F: Fn(&WebhookEvent) -> Result<bool, Error> + Send + Sync> ReplayCheck for F {
    fn was_seen(&self, event: &WebhookEvent) -> Result<bool, Error> {
        self(event)
    }
}

/// Verifies deliveries of webhooks. Set it up once, then share it between threads.
///
/// **A verified delivery's body is still not proven**: see [the module](super) for what a signature covers.
pub struct WebhookVerifier {
    expected: Expected,
    secrets: Secrets,
    tolerance: u64,
    replay_check: Option<Box<dyn ReplayCheck>>,
    /// Apart from the rest, which other threads read while one counts.
    results: ResultsOfProcess,
}

enum Secrets {
    Given(Fixed),
    Of(Arc<dyn SigningSecrets>),
}

/// What is asked about one delivery.
struct Asked<'a> {
    /// In place of the verifier's own.
    secrets: Option<&'a dyn SigningSecrets>,
    check: Option<&'a dyn ReplayCheck>,
}

impl WebhookVerifier {
    /// A verifier of deliveries for `url`, which is to be given exactly as it is registered in JustCall.
    ///
    /// # Errors
    /// `invalid_argument` when it is no whole URL.
    pub fn for_url(url: &str) -> Result<Self, Error> {
        Ok(Self::new(Expected::These(vec![EncodedUrl::expected(url)?])))
    }

    /// A verifier of deliveries for whatever URL: what was signed for any endpoint of the account passes, so look at
    /// [`WebhookEvent::url`].
    pub fn for_any_url() -> Self {
        Self::new(Expected::Any)
    }

    fn new(expected: Expected) -> Self {
        let tolerance = DEFAULT_TOLERANCE.as_secs();
        let secrets = Secrets::Given(Fixed::default());
        Self { expected, secrets, tolerance, replay_check: None, results: ResultsOfProcess::default() }
    }

    /// Expects deliveries for `url` as well.
    ///
    /// # Errors
    /// `invalid_argument` when it is no whole URL, or any URL is expected already.
    pub fn add_url(&mut self, url: &str) -> Result<(), Error> {
        match &mut self.expected {
            Expected::Any => Err(Error::invalid_argument("Any URL is expected already.")),
            Expected::These(urls) => {
                urls.push(EncodedUrl::expected(url)?);
                Ok(())
            }
        }
    }

    /// Takes deliveries that are signed with `secret`, the API secret, which is copied into protected memory. Give the
    /// current one first, then those that it replaced a short while ago.
    ///
    /// # Errors
    /// `credentials_malformed` when it cannot be a secret; `invalid_argument` after [`WebhookVerifier::use_secrets_of`].
    pub fn add_secret(&mut self, secret: &[u8]) -> Result<(), Error> {
        match &mut self.secrets {
            Secrets::Given(secrets) => secrets.add(secret),
            Secrets::Of(_) => Err(two_sources()),
        }
    }

    /// Takes deliveries that are signed with one of `secrets`, whichever those are when the delivery comes. Replaces an
    /// earlier source of them.
    ///
    /// # Errors
    /// `invalid_argument` after [`WebhookVerifier::add_secret`].
    pub fn use_secrets_of(&mut self, secrets: Arc<dyn SigningSecrets>) -> Result<(), Error> {
        if matches!(&self.secrets, Secrets::Given(given) if !given.is_empty()) {
            return Err(two_sources());
        }
        self.secrets = Secrets::Of(secrets);
        Ok(())
    }

    /// How far a delivery's time may be from now, in the past and in the future, in whole seconds; ten minutes unless
    /// said otherwise. 0 takes those of this very second alone.
    pub fn set_tolerance(&mut self, seconds: u64) {
        self.tolerance = seconds;
    }

    /// Asks `check` about every delivery that passed all else.
    pub fn set_replay_check(&mut self, check: impl ReplayCheck + 'static) {
        self.replay_check = Some(Box::new(check));
    }

    /// Verifies one delivery: its headers, its body as the bytes that came, and the time in seconds since the epoch.
    ///
    /// # Errors
    /// The first of these that holds: `webhook_unsigned`, `webhook_version`, `webhook_malformed`, `webhook_mismatch`,
    /// `webhook_stale`, `webhook_wrong_url`, `webhook_replayed`. `invalid_argument` when there is no secret or the replay
    /// check panicked; `out_of_memory`; what the source of the secrets or the replay check says.
    pub fn verify(&self, headers: &WebhookHeaders<'_>, body: &[u8], now: i64) -> Result<WebhookEvent, Error> {
        self.verify_with(headers, body, now, &Asked { secrets: None, check: self.replay_check.as_deref() })
    }

    /// Like [`WebhookVerifier::verify`], but asks `check` about this delivery, in place of what was set: for a check that
    /// has to know more of it than the event tells.
    ///
    /// # Errors
    /// Those of [`WebhookVerifier::verify`].
    pub fn verify_asking(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        check: &dyn ReplayCheck,
    ) -> Result<WebhookEvent, Error> {
        self.verify_with(headers, body, now, &Asked { secrets: None, check: Some(check) })
    }

    /// Verifies as [`WebhookVerifier::verify`] does, but takes the secrets from `secrets`, in place of those that were set: for
    /// one delivery whose secrets are to be found in a limited time.
    ///
    /// # Errors
    /// Those of [`WebhookVerifier::verify`].
    pub fn verify_with_secrets(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        secrets: &dyn SigningSecrets,
    ) -> Result<WebhookEvent, Error> {
        let asked = Asked { secrets: Some(secrets), check: self.replay_check.as_deref() };
        self.verify_with(headers, body, now, &asked)
    }

    /// The results of the verifications that this verifier made in this process, as OpenMetrics 1.0 text: the counter
    /// `justcall_auth_webhooks_total`, whose label `result` is `ok` or the name of the error. The text is never longer
    /// than [`MAX_SIZE`](crate::metrics::MAX_SIZE), and holds no secret, URL or content of a delivery.
    ///
    /// Deliveries that are verified with the secrets of a client are also in the usage of that client, beside those of its
    /// other verifiers. Serve one of the two texts, or a sum over both counts them twice.
    ///
    /// A child of `fork()` starts at zero.
    pub fn usage(&self) -> String {
        self.results.with(webhook_metrics)
    }

    fn verify_with(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        asked: &Asked<'_>,
    ) -> Result<WebhookEvent, Error> {
        let result = self.judge(headers, body, now, asked);
        let failure = result.as_ref().err().map(Error::kind);
        self.results.add(failure);
        self.secrets(asked).delivered(failure);
        result
    }

    fn secrets<'a>(&'a self, asked: &Asked<'a>) -> &'a dyn SigningSecrets {
        asked.secrets.unwrap_or(match &self.secrets {
            Secrets::Given(secrets) => secrets,
            Secrets::Of(secrets) => secrets.as_ref(),
        })
    }

    fn judge(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        asked: &Asked<'_>,
    ) -> Result<WebhookEvent, Error> {
        if asked.secrets.is_none() && matches!(&self.secrets, Secrets::Given(given) if given.is_empty()) {
            return Err(Error::invalid_argument("The webhook verifier has no secret.")
                .with_hint("Give it the API secret of the account, or a client to take it from."));
        }
        let signature = headers.signature.ok_or_else(|| Error::new(ErrorKind::WebhookUnsigned))?;
        if headers.version != Some(service::WEBHOOK_KNOWN_VERSION.as_bytes()) {
            return Err(Error::new(ErrorKind::WebhookVersion));
        }
        let signature = Signature::read(signature)
            .ok_or_else(|| malformed("The signature is not 64 hexadecimal digits, or is there twice."))?;
        let written = headers.timestamp.ok_or_else(|| malformed("The timestamp's header is missing."))?;
        let timestamp = timestamp::read(written)
            .ok_or_else(|| malformed("The timestamp's header is no time, or is there twice."))?;
        let signed = body::read(body)?;

        let secret_index = self.signer(self.secrets(asked), &signature, &signed, written)?;
        self.check_age(timestamp, now)?;
        if !self.expected.includes(&signed.url) {
            return Err(Error::new(ErrorKind::WebhookWrongUrl));
        }
        let event = WebhookEvent {
            url: copy::owned(signed.url)?,
            event_type: copy::owned(signed.event_type)?,
            timestamp,
            secret_index,
            signature: signature.to_text(),
        };
        asked.check.map_or(Ok(()), |check| check_replay(check, &event))?;
        Ok(event)
    }

    /// Which secret signed.
    fn signer(
        &self,
        secrets: &dyn SigningSecrets,
        signature: &Signature,
        signed: &Signed<'_>,
        timestamp: &[u8],
    ) -> Result<usize, Error> {
        let url = self.expected.encode(&signed.url)?;
        let mut is_signer = |secret: &[u8]| {
            url.forms().any(|form| signature.is_by(secret, form, &signed.event_type, timestamp))
        };
        secrets.find(&mut is_signer)?.ok_or_else(|| Error::new(ErrorKind::WebhookMismatch))
    }

    fn check_age(&self, timestamp: i64, now: i64) -> Result<(), Error> {
        let apart = now.abs_diff(timestamp);
        if apart <= self.tolerance {
            return Ok(());
        }
        let side = if timestamp < now { "in the past" } else { "in the future" };
        let message = format!(
            "The signature is right, but its time is {apart} s {side}, more than the tolerance of {} s.",
            self.tolerance
        );
        Err(Error::with_message(ErrorKind::WebhookStale, message))
    }
}

fn check_replay(check: &dyn ReplayCheck, event: &WebhookEvent) -> Result<(), Error> {
    // It is not our code that would panic, and the verifier is as good as before. The delivery is not accepted.
    match catch_unwind(AssertUnwindSafe(|| check.was_seen(event))) {
        Ok(Ok(false)) => Ok(()),
        Ok(Ok(true)) => Err(Error::new(ErrorKind::WebhookReplayed)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::invalid_argument("The replay check of the webhook verifier panicked.")),
    }
}

fn two_sources() -> Error {
    Error::invalid_argument("The secrets of a webhook verifier are either given or a client's, not both.")
}

/// URLs of webhooks often hold a token, so they are left out.
impl fmt::Debug for WebhookVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookVerifier").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const SECRET: &[u8] = b"ea39089c40790e9dc7a080ec95e849b8fa0fa5fb";
    const URL: &str = "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4";
    const SIGNATURE: &str = "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf";
    const NOW: i64 = 1_711_040_902;

    fn verifier() -> WebhookVerifier {
        let mut verifier = WebhookVerifier::for_url(URL).expect("a URL");
        verifier.add_secret(SECRET).expect("a secret");
        verifier
    }

    fn verify(verifier: &WebhookVerifier) -> Result<WebhookEvent, Error> {
        let body = format!(r#"{{"type":"call.completed","webhook_url":"{URL}"}}"#);
        let upper = SIGNATURE.to_uppercase();
        let headers = WebhookHeaders::new(Some(upper.as_bytes()), Some(b"v1"), Some(b"2024-03-21 17:08:22"));
        verifier.verify(&headers, body.as_bytes(), NOW)
    }

    fn refusal(verifier: &WebhookVerifier) -> ErrorKind {
        verify(verifier).expect_err("it is refused").kind()
    }

    /// The vectors cannot have these: no time is that far from now.
    #[test]
    fn it_counts_to_the_ends_of_time() {
        let mut verifier = verifier();
        let event = verify(&verifier).expect("genuine");
        assert_eq!(event.timestamp(), NOW);
        for now in [i64::MIN, i64::MAX] {
            assert!(verifier.check_age(NOW, now).is_err());
        }
        verifier.set_tolerance(u64::MAX);
        for now in [i64::MIN, i64::MAX] {
            assert!(verifier.check_age(-NOW, now).is_ok());
        }
    }

    #[test]
    fn it_asks_the_replay_check_once_and_tells_it_all() {
        let asked: Arc<Mutex<Vec<WebhookEvent>>> = Arc::default();
        let mut verifier = verifier();
        let memory = asked.clone();
        verifier.set_replay_check(move |event: &WebhookEvent| {
            let mut seen = memory.lock().expect("whole");
            let is_known = seen.contains(event);
            seen.push(event.clone());
            Ok(is_known)
        });
        let event = verify(&verifier).expect("the first one");
        assert_eq!(refusal(&verifier), ErrorKind::WebhookReplayed);
        assert_eq!(*asked.lock().expect("whole"), [event.clone(), event.clone()]);
        assert_eq!(event.signature(), SIGNATURE, "a cache must not be evaded by writing it otherwise");
    }

    #[test]
    fn it_survives_a_replay_check_that_panics_or_fails_and_accepts_nothing() {
        let mut verifier = verifier();
        verifier.set_replay_check(|_: &WebhookEvent| -> Result<bool, Error> { panic!("canary") });
        let error = verify(&verifier).expect_err("it panicked");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(!format!("{error:?}").contains("canary"));
        verifier.set_replay_check(|_: &WebhookEvent| Err(Error::new(ErrorKind::Unavailable)));
        assert_eq!(refusal(&verifier), ErrorKind::Unavailable);
        verifier.set_replay_check(|_: &WebhookEvent| Ok(false));
        assert!(verify(&verifier).is_ok());
    }

    #[test]
    fn it_asks_the_check_of_one_delivery_in_place_of_its_own() {
        let mut verifier = verifier();
        let body = format!(r#"{{"type":"call.completed","webhook_url":"{URL}"}}"#);
        let headers =
            WebhookHeaders::new(Some(SIGNATURE.as_bytes()), Some(b"v1"), Some(b"2024-03-21 17:08:22"));
        for is_seen in [true, false] {
            let answers = |answer: bool| move |_: &WebhookEvent| Ok(answer);
            verifier.set_replay_check(answers(!is_seen));
            let asked = verifier.verify_asking(&headers, body.as_bytes(), NOW, &answers(is_seen));
            assert_eq!(asked.err().map(|error| error.kind()), is_seen.then_some(ErrorKind::WebhookReplayed));
            assert_eq!(verify(&verifier).is_ok(), is_seen, "the control: its own says otherwise");
        }
    }

    #[test]
    fn it_never_takes_two_sources_of_secrets_nor_none() {
        struct Client(Result<(), ErrorKind>);
        impl SigningSecrets for Client {
            fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
                self.0.map_err(Error::new)?;
                Ok(is_signer(SECRET).then_some(7))
            }
        }
        let new = || WebhookVerifier::for_url(URL).expect("a URL");
        let mut verifier = new();
        assert_eq!(refusal(&verifier), ErrorKind::InvalidArgument, "there is no secret");
        verifier.use_secrets_of(Arc::new(Client(Ok(())))).expect("the only source");
        assert_eq!(verify(&verifier).expect("genuine").secret_index(), 7);
        assert!(verifier.add_secret(SECRET).is_err());
        verifier.use_secrets_of(Arc::new(Client(Err(ErrorKind::SourceUnavailable)))).expect("it replaces");
        assert_eq!(refusal(&verifier), ErrorKind::SourceUnavailable);
        verifier = new();
        verifier.add_secret(SECRET).expect("a secret");
        assert!(verifier.use_secrets_of(Arc::new(Client(Ok(())))).is_err());
        assert!(verify(&verifier).is_ok(), "what was refused changed nothing");
    }

    #[test]
    fn it_takes_secrets_as_the_service_gives_them_alone() {
        for secret in
            [&b""[..], b"ea39089c40790e9d\n", b"\"ea39089c40790e9d\"", b"{api_secret}", &[b'a'; 513]]
        {
            let error = WebhookVerifier::for_any_url().add_secret(secret).expect_err("no secret");
            assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
            assert!(!format!("{error:?}").contains("ea39"));
        }
        assert!(WebhookVerifier::for_any_url().add_url(URL).is_err());
    }
}
