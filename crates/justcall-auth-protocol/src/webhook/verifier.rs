//! The verifier: the order of the checks, and their errors.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::body::{self, SignedFields, malformed};
use super::event::WebhookEvent;
use super::headers::WebhookHeaders;
use super::secrets::{FixedSecrets, SigningSecrets};
use super::signature::Signature;
use super::timestamp;
use super::url::{EncodedUrl, Expected};
use crate::copy;
use crate::error::{Error, ErrorKind};
use crate::metrics::{ProcessResults, webhook_metrics};
use crate::service;

/// The default of [`WebhookVerifier::set_tolerance`].
pub const DEFAULT_TOLERANCE: Duration = Duration::from_secs(600);

/// The text that stands for any URL, for interfaces that pass URLs as text, such as C. No webhook can be registered
/// with it.
pub const ANY_URL: &str = "*";

/// The program's own check for repeated deliveries. It is called last, for a delivery that has passed every other
/// check.
pub trait ReplayCheck: Send + Sync {
    /// Returns true if this delivery was seen before. Otherwise the same call must store it, so that of two equal
    /// deliveries at the same moment only one passes.
    ///
    /// # Errors
    /// May fail with any error if the answer is unknown. The verification then fails with this error.
    fn was_seen(&self, event: &WebhookEvent) -> Result<bool, Error>;
}

/// A closure is a replay check.
impl<F: Fn(&WebhookEvent) -> Result<bool, Error> + Send + Sync> ReplayCheck for F {
    fn was_seen(&self, event: &WebhookEvent) -> Result<bool, Error> {
        self(event)
    }
}

/// Verifies deliveries of webhooks. Set it up once, then share it between threads.
///
/// **The body of a verified delivery is not proven**: see [the module](super) for what a signature covers.
pub struct WebhookVerifier {
    expected: Expected,
    secrets: VerifierSecrets,
    tolerance: u64,
    replay_check: Option<Box<dyn ReplayCheck>>,
    /// Separate from the other fields, which other threads read while one counts.
    results: ProcessResults,
}

enum VerifierSecrets {
    Fixed(FixedSecrets),
    Shared(Arc<dyn SigningSecrets>),
}

/// The secrets and the replay check for one delivery.
struct Overrides<'a> {
    /// Used instead of the secrets of the verifier.
    secrets: Option<&'a dyn SigningSecrets>,
    check: Option<&'a dyn ReplayCheck>,
}

impl WebhookVerifier {
    /// Creates a verifier of deliveries for `url`, exactly as it is registered in JustCall.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if `url` is not a complete URL.
    pub fn for_url(url: &str) -> Result<Self, Error> {
        Ok(Self::new(Expected::These(vec![EncodedUrl::expected(url)?])))
    }

    /// Creates a verifier of deliveries for any URL. It accepts deliveries for every endpoint of the account, so check
    /// [`WebhookEvent::url`].
    pub fn for_any_url() -> Self {
        Self::new(Expected::Any)
    }

    fn new(expected: Expected) -> Self {
        let tolerance = DEFAULT_TOLERANCE.as_secs();
        let secrets = VerifierSecrets::Fixed(FixedSecrets::default());
        Self { expected, secrets, tolerance, replay_check: None, results: ProcessResults::default() }
    }

    /// Accepts deliveries for `url` too.
    ///
    /// # Errors
    /// Fails with `invalid_argument` if `url` is not a complete URL, or if any URL is already accepted.
    pub fn add_url(&mut self, url: &str) -> Result<(), Error> {
        match &mut self.expected {
            Expected::Any => Err(Error::invalid_argument(
                "The verifier already accepts every URL, so no URL can be added.",
            )),
            Expected::These(urls) => {
                urls.push(EncodedUrl::expected(url)?);
                Ok(())
            }
        }
    }

    /// Accepts deliveries that are signed with `secret`, the API secret. Copies it into protected memory. Add the
    /// current secret first, then those that it recently replaced.
    ///
    /// # Errors
    /// Fails with `credentials_malformed` if `secret` cannot be a secret, or with `invalid_argument` after
    /// [`WebhookVerifier::use_secrets_of`].
    pub fn add_secret(&mut self, secret: &[u8]) -> Result<(), Error> {
        match &mut self.secrets {
            VerifierSecrets::Fixed(secrets) => secrets.add(secret),
            VerifierSecrets::Shared(_) => Err(two_sources()),
        }
    }

    /// Accepts deliveries that are signed with one of `secrets`, which may change. Replaces an earlier source of
    /// secrets.
    ///
    /// # Errors
    /// Fails with `invalid_argument` after [`WebhookVerifier::add_secret`].
    pub fn use_secrets_of(&mut self, secrets: Arc<dyn SigningSecrets>) -> Result<(), Error> {
        if matches!(&self.secrets, VerifierSecrets::Fixed(given) if !given.is_empty()) {
            return Err(two_sources());
        }
        self.secrets = VerifierSecrets::Shared(secrets);
        Ok(())
    }

    /// Sets how far the time of a delivery may be from now, in the past and in the future, in whole seconds. The
    /// default is ten minutes. 0 accepts only deliveries of the current second.
    pub fn set_tolerance(&mut self, seconds: u64) {
        self.tolerance = seconds;
    }

    /// Sets the replay check, which is called for every delivery that has passed all other checks.
    pub fn set_replay_check(&mut self, check: impl ReplayCheck + 'static) {
        self.replay_check = Some(Box::new(check));
    }

    /// Verifies one delivery: its headers, the raw bytes of its body, and the time in seconds since the epoch.
    ///
    /// # Errors
    /// Fails with the first that applies: `webhook_unsigned`, `webhook_version`, `webhook_malformed`,
    /// `webhook_mismatch`, `webhook_stale`, `webhook_wrong_url`, `webhook_replayed`. Fails with `invalid_argument` if
    /// there is no secret or if the replay check panicked, with `out_of_memory` if memory is short, and with the error
    /// of the source of secrets or of the replay check.
    pub fn verify(&self, headers: &WebhookHeaders<'_>, body: &[u8], now: i64) -> Result<WebhookEvent, Error> {
        self.verify_with(
            headers,
            body,
            now,
            &Overrides { secrets: None, check: self.replay_check.as_deref() },
        )
    }

    /// Verifies one delivery as [`WebhookVerifier::verify`], but calls `check` instead of the verifier's replay check.
    /// For checks that need to know more about a delivery than the event contains.
    ///
    /// # Errors
    /// Fails as [`WebhookVerifier::verify`].
    pub fn verify_asking(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        check: &dyn ReplayCheck,
    ) -> Result<WebhookEvent, Error> {
        self.verify_with(headers, body, now, &Overrides { secrets: None, check: Some(check) })
    }

    /// Verifies one delivery as [`WebhookVerifier::verify`], but with `secrets` instead of the verifier's secrets. For one
    /// delivery whose secrets must be found in a limited time.
    ///
    /// # Errors
    /// Fails as [`WebhookVerifier::verify`].
    pub fn verify_with_secrets(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        secrets: &dyn SigningSecrets,
    ) -> Result<WebhookEvent, Error> {
        let overrides = Overrides { secrets: Some(secrets), check: self.replay_check.as_deref() };
        self.verify_with(headers, body, now, &overrides)
    }

    /// Returns the results of this verifier in this process as OpenMetrics 1.0 text: the counter
    /// `justcall_auth_webhooks_total`, whose label `result` is `ok` or the name of the error. The text is never longer
    /// than [`MAX_SIZE`](crate::metrics::MAX_SIZE), and contains no secret, URL or content of a delivery.
    ///
    /// Deliveries that are verified with the secrets of a client are counted in the metrics of that client too. Export
    /// only one of the two texts, because a sum over both would count them twice.
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
        overrides: &Overrides<'_>,
    ) -> Result<WebhookEvent, Error> {
        let result = self.check(headers, body, now, overrides);
        let failure = result.as_ref().err().map(Error::kind);
        self.results.add(failure);
        self.secrets(overrides).delivered(failure);
        result
    }

    fn secrets<'a>(&'a self, overrides: &Overrides<'a>) -> &'a dyn SigningSecrets {
        overrides.secrets.unwrap_or(match &self.secrets {
            VerifierSecrets::Fixed(secrets) => secrets,
            VerifierSecrets::Shared(secrets) => secrets.as_ref(),
        })
    }

    fn check(
        &self,
        headers: &WebhookHeaders<'_>,
        body: &[u8],
        now: i64,
        overrides: &Overrides<'_>,
    ) -> Result<WebhookEvent, Error> {
        if overrides.secrets.is_none()
            && matches!(&self.secrets, VerifierSecrets::Fixed(secrets) if secrets.is_empty())
        {
            return Err(Error::invalid_argument("The webhook verifier has no secret.")
                .with_hint("Pass the API secret of the account, or a client that uses this secret."));
        }
        let signature = headers.signature.ok_or_else(|| Error::new(ErrorKind::WebhookUnsigned))?;
        if headers.version != Some(service::WEBHOOK_KNOWN_VERSION.as_bytes()) {
            return Err(Error::new(ErrorKind::WebhookVersion));
        }
        let signature = Signature::read(signature).ok_or_else(|| {
            malformed("The signature does not consist of 64 hexadecimal digits, or its header occurs twice.")
        })?;
        let written = headers.timestamp.ok_or_else(|| malformed("The timestamp header is missing."))?;
        let timestamp = timestamp::read(written)
            .ok_or_else(|| malformed("The timestamp header contains no time, or occurs twice."))?;
        let signed = body::read(body)?;

        let secret_index = self.signer(self.secrets(overrides), &signature, &signed, written)?;
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
        overrides.check.map_or(Ok(()), |check| check_replay(check, &event))?;
        Ok(event)
    }

    /// Returns the index of the secret that signed.
    fn signer(
        &self,
        secrets: &dyn SigningSecrets,
        signature: &Signature,
        signed: &SignedFields<'_>,
        timestamp: &[u8],
    ) -> Result<usize, Error> {
        let url = self.expected.encode(&signed.url)?;
        let mut is_signer = |secret: &[u8]| {
            url.encodings().any(|form| signature.is_by(secret, form, &signed.event_type, timestamp))
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
            "The signature matches, but its timestamp is {apart} s {side}. The tolerance is {} s.",
            self.tolerance
        );
        Err(Error::with_message(ErrorKind::WebhookStale, message))
    }
}

fn check_replay(check: &dyn ReplayCheck, event: &WebhookEvent) -> Result<(), Error> {
    // The panic comes from the program's code and leaves the verifier valid. The delivery is refused.
    match catch_unwind(AssertUnwindSafe(|| check.was_seen(event))) {
        Ok(Ok(false)) => Ok(()),
        Ok(Ok(true)) => Err(Error::new(ErrorKind::WebhookReplayed)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::invalid_argument("The replay check of the webhook verifier panicked.")),
    }
}

fn two_sources() -> Error {
    Error::invalid_argument("A webhook verifier cannot use both added secrets and the secrets of a client.")
}

/// Leaves out the URLs, which often contain a token.
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

    /// Vectors cannot contain times that are this far from now.
    #[test]
    fn it_handles_the_earliest_and_the_latest_time() {
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
    fn it_calls_the_replay_check_once_with_the_whole_event() {
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
        assert_eq!(event.signature(), SIGNATURE, "another spelling must not evade a cache");
    }

    #[test]
    fn it_accepts_nothing_if_the_replay_check_panics_or_fails() {
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
    fn it_calls_the_check_of_one_delivery_instead_of_its_own() {
        let mut verifier = verifier();
        let body = format!(r#"{{"type":"call.completed","webhook_url":"{URL}"}}"#);
        let headers =
            WebhookHeaders::new(Some(SIGNATURE.as_bytes()), Some(b"v1"), Some(b"2024-03-21 17:08:22"));
        for is_seen in [true, false] {
            let replay_check = |answer: bool| move |_: &WebhookEvent| Ok(answer);
            verifier.set_replay_check(replay_check(!is_seen));
            let asked = verifier.verify_asking(&headers, body.as_bytes(), NOW, &replay_check(is_seen));
            assert_eq!(asked.err().map(|error| error.kind()), is_seen.then_some(ErrorKind::WebhookReplayed));
            assert_eq!(
                verify(&verifier).is_ok(),
                is_seen,
                "the control: its own check has the opposite result"
            );
        }
    }

    #[test]
    fn it_refuses_to_have_two_sources_of_secrets_or_none() {
        struct SourceOfSecrets(Result<(), ErrorKind>);
        impl SigningSecrets for SourceOfSecrets {
            fn find(&self, is_signer: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<usize>, Error> {
                self.0.map_err(Error::new)?;
                Ok(is_signer(SECRET).then_some(7))
            }
        }
        let new = || WebhookVerifier::for_url(URL).expect("a URL");
        let mut verifier = new();
        assert_eq!(refusal(&verifier), ErrorKind::InvalidArgument, "there is no secret");
        verifier.use_secrets_of(Arc::new(SourceOfSecrets(Ok(())))).expect("the only source");
        assert_eq!(verify(&verifier).expect("genuine").secret_index(), 7);
        assert!(verifier.add_secret(SECRET).is_err());
        verifier
            .use_secrets_of(Arc::new(SourceOfSecrets(Err(ErrorKind::SourceUnavailable))))
            .expect("it replaces");
        assert_eq!(refusal(&verifier), ErrorKind::SourceUnavailable);
        verifier = new();
        verifier.add_secret(SECRET).expect("a secret");
        assert!(verifier.use_secrets_of(Arc::new(SourceOfSecrets(Ok(())))).is_err());
        assert!(verify(&verifier).is_ok(), "a refused call changes nothing");
    }

    #[test]
    fn it_accepts_only_well_formed_secrets() {
        for secret in
            [&b""[..], b"ea39089c40790e9d\n", b"\"ea39089c40790e9d\"", b"{api_secret}", &[b'a'; 513]]
        {
            let error = WebhookVerifier::for_any_url().add_secret(secret).expect_err("no secret");
            assert_eq!(error.kind(), ErrorKind::CredentialsMalformed);
            assert!(!format!("{error:?}").contains("ea39"));
        }
        assert!(WebhookVerifier::for_any_url().add_url(URL).is_err());
    }

    #[test]
    fn it_shows_neither_urls_nor_secrets() {
        let shown = format!("{:?}", verifier());
        assert_eq!(shown, "WebhookVerifier { tolerance: 600, .. }");
    }
}
