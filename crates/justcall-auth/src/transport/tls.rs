//! TLS 1.2 and 1.3: whom to trust, and how a failed handshake is told.

use std::io;
use std::path::Path;
use std::sync::Arc;

use justcall_auth_protocol::error::{Error, ErrorKind};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// Reads the certificate authorities of `path`.
///
/// # Errors
/// `invalid_argument` when it cannot be read or holds no certificate.
pub(crate) fn roots_in(path: &Path) -> Result<RootCertStore, Error> {
    let refuse = |why: String| Error::invalid_argument(format!("The CA file {} {why}.", path.display()));
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| refuse(format!("is not PEM: {error}")))?;
        roots.add(certificate).map_err(|error| refuse(format!("holds an unusable certificate: {error}")))?;
    }
    if roots.is_empty() {
        return Err(refuse("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)".into()));
    }
    Ok(roots)
}

/// How to shake hands, trusting `roots`.
pub(super) fn config(roots: Arc<RootCertStore>) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The certificate authorities of this system.
///
/// # Errors
/// `tls_failed` when it has none.
pub(crate) fn system_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(Error::with_message(
            ErrorKind::TlsFailed,
            format!("This system has no CA certificates{why}."),
        )
        .hint_is(
            "Install them (the package ca-certificates), or name a file with ca_file or SSL_CERT_FILE.",
        ));
    }
    Ok(roots)
}

/// The TLS failure inside `error`, if it is one.
pub(super) fn failure(error: &io::Error) -> Option<Error> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let result = Error::with_message(
        ErrorKind::TlsFailed,
        format!("A secure connection to the service could not be made: {inner}."),
    );
    Some(match inner {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                result.hint_is("The service's certificate is out of date, or this machine's clock is wrong: check the clock first.")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                result.hint_is("The certificate belongs to another host: check the base URL, and whether a proxy answers in place of the service.")
            }
            _ => result,
        },
        rustls::Error::InvalidMessage(_) => {
            result.hint_is("What answers does not speak TLS: check the port in the base URL.")
        }
        _ => result,
    })
}
