//! The certificate authorities that are installed on this system.

use std::path::Path;

use justcall_auth_protocol::error::{Error, ErrorKind};
use rustls::RootCertStore;

/// Reads the installed certificate authorities. `rustls-native-certs` knows their location on every system, but also reads
/// `SSL_CERT_FILE` and `SSL_CERT_DIR`, unless `avoids_variables` is true.
///
/// # Errors
/// Fails with `tls_failed` if there are none.
pub(super) fn installed_roots(avoids_variables: bool) -> Result<RootCertStore, Error> {
    let found = match bundle() {
        Some(file) if avoids_variables => rustls_native_certs::load_certs_from_paths(Some(file), None),
        _ => rustls_native_certs::load_native_certs(),
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(Error::with_message(ErrorKind::TlsFailed, "This system has no CA certificates.")
            .with_hint(
                "Install the package ca-certificates, or set ca_file or SSL_CERT_FILE to a file with CA certificates.",
            ));
    }
    Ok(roots)
}

/// Returns the file with the certificates of this system, if it has one file for all.
fn bundle() -> Option<&'static Path> {
    const FILES: &[&str] = &[
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        "/usr/local/etc/ssl/cert.pem",
    ];
    FILES.iter().map(Path::new).find(|file| file.is_file())
}
