//! TLS 1.2 and 1.3: the configuration, and the errors of a failed handshake.

use std::io::{self, Read, Write};
use std::sync::Arc;

use justcall_auth_protocol::error::{Error, ErrorKind};
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{PrivateKeyDer, UnixTime};
use rustls::sign::SigningKey;
use rustls::time_provider::TimeProvider;
use rustls::{CertificateError, ClientConfig, ClientConnection, RootCertStore};

use super::call::Peer;
use crate::clock;

/// Loads no private key: this client has no certificate. Keeps ring's signing code out of the binary.
#[derive(Debug)]
struct NoPrivateKeys;

impl KeyProvider for NoPrivateKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("client certificates are not supported".to_owned()))
    }
}

/// The time for the validity of certificates. The one of rustls panics if the clock is set before the epoch, as on a
/// machine whose clock has lost its battery.
#[derive(Debug)]
struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(clock::unix_time()))
    }
}

/// Creates the configuration that trusts `roots`.
pub(super) fn config(roots: Arc<RootCertStore>) -> ClientConfig {
    let provider = CryptoProvider { key_provider: &NoPrivateKeys, ..ring::default_provider() };
    let mut config = ClientConfig::builder_with_details(Arc::new(provider), Arc::new(WallClock))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// Makes the handshake. If the peer refused it and closed the connection, the error is the peer's reason, although this end
/// failed to write and had not read that reason.
pub(super) fn shake_hands(tls: &mut ClientConnection, socket: &mut (impl Read + Write)) -> io::Result<()> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let Err(error) = tls.complete_io(socket) else { return Ok(()) };
    let is_closed = matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
    while is_closed && tls.read_tls(socket).is_ok_and(|count| count > 0) {
        tls.process_new_packets().map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))?;
    }
    Err(error)
}

/// Returns the TLS error inside `error`, if there is one.
pub(super) fn failure(error: &io::Error, peer: Peer) -> Option<Error> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let (peer, why) = (peer.name(), why(inner));
    let message = format!("The TLS connection to {peer} could not be established: {why}.");
    let result = Error::with_message(ErrorKind::TlsFailed, message);
    Some(match inner {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                result.with_hint("Check the clock of this machine. If the clock is right, the certificate of the service has expired or is not valid yet.")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                result.with_hint("Check the base URL, because the certificate belongs to another host. Also check whether a proxy answers instead of the service.")
            }
            _ => result,
        },
        rustls::Error::InvalidMessage(_) => {
            result.with_hint("Check the port in the base URL.")
        }
        _ => result,
    })
}

/// Returns true if `error` is about received data that no peer with the keys of the connection sends.
pub(super) fn is_damaged(error: &io::Error) -> bool {
    use rustls::Error::{DecryptError, InvalidMessage, PeerSentOversizedRecord};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(DecryptError | InvalidMessage(_) | PeerSentOversizedRecord))
}

/// Returns the reason in the words of this library. The texts of rustls may contain received data.
fn why(error: &rustls::Error) -> &'static str {
    use CertificateError as Certificate;
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            Certificate::Expired | Certificate::ExpiredContext { .. } => "its certificate has expired",
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                "its certificate is for another host"
            }
            Certificate::UnknownIssuer => {
                "its certificate was issued by an authority that is not trusted here"
            }
            Certificate::Revoked => "its certificate was revoked",
            Certificate::BadSignature => "the signature of its certificate is wrong",
            Certificate::InvalidPurpose | Certificate::InvalidPurposeContext { .. } => {
                "its certificate is not a server certificate"
            }
            _ => "its certificate cannot be used",
        },
        rustls::Error::InvalidMessage(_) => "the peer does not speak TLS",
        rustls::Error::AlertReceived(_) => "the peer ended the handshake with a TLS alert",
        rustls::Error::PeerIncompatible(_) => "the peer offers no TLS 1.2 or 1.3 with a supported cipher",
        rustls::Error::NoCertificatesPresented => "the peer presented no certificate",
        rustls::Error::PeerMisbehaved(_)
        | rustls::Error::InappropriateMessage { .. }
        | rustls::Error::InappropriateHandshakeMessage { .. } => "the peer violates the rules of TLS",
        _ => "the handshake failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_explains_why_a_handshake_failed() {
        use rustls::Error::{
            InvalidCertificate, PeerIncompatible as Incompatible, PeerMisbehaved as Misbehaved,
        };
        use rustls::{AlertDescription, InvalidMessage, PeerIncompatible, PeerMisbehaved};
        for (error, words) in [
            (InvalidCertificate(CertificateError::Expired), "its certificate has expired"),
            (InvalidCertificate(CertificateError::NotValidYet), "its certificate is not valid yet"),
            (InvalidCertificate(CertificateError::NotValidForName), "its certificate is for another host"),
            (
                InvalidCertificate(CertificateError::UnknownIssuer),
                "its certificate was issued by an authority that is not trusted here",
            ),
            (InvalidCertificate(CertificateError::Revoked), "its certificate was revoked"),
            (InvalidCertificate(CertificateError::BadSignature), "the signature of its certificate is wrong"),
            (
                InvalidCertificate(CertificateError::InvalidPurpose),
                "its certificate is not a server certificate",
            ),
            (InvalidCertificate(CertificateError::BadEncoding), "its certificate cannot be used"),
            (rustls::Error::InvalidMessage(InvalidMessage::InvalidCcs), "the peer does not speak TLS"),
            (
                rustls::Error::AlertReceived(AlertDescription::HandshakeFailure),
                "the peer ended the handshake with a TLS alert",
            ),
            (
                Incompatible(PeerIncompatible::Tls12NotOffered),
                "the peer offers no TLS 1.2 or 1.3 with a supported cipher",
            ),
            (rustls::Error::NoCertificatesPresented, "the peer presented no certificate"),
            (
                Misbehaved(PeerMisbehaved::IllegalHelloRetryRequestWithNoChanges),
                "the peer violates the rules of TLS",
            ),
            (rustls::Error::EncryptError, "the handshake failed"),
        ] {
            assert_eq!(why(&error), words, "{error:?}");
        }
    }
}
