//! The certificate authorities that are installed on this system.

use std::path::Path;

use justcall_auth_protocol::error::{Error, ErrorKind};
use rustls::RootCertStore;

/// Returns the installed certificate authorities. `rustls-native-certs` knows where every system keeps them, but reads
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` by itself: `avoids_variables` keeps it from that.
///
/// # Errors
/// `tls_failed` if there are none.
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
                "Install them (the package ca-certificates), or name a file with ca_file or SSL_CERT_FILE.",
            ));
    }
    Ok(roots)
}

/// The file that holds the certificates of this system, where it keeps them in one.
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
