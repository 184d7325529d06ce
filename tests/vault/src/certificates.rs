//! The authority of a test, and the certificates that it issues.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

/// A certificate authority. Its certificate is in a file, its key only in memory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    /// Creates an authority, whose certificate is written to `folder`.
    pub fn new(folder: &Path) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "justcall-auth test CA of Vault");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = folder.join("ca.pem");
        fs::write(&file, certificate.pem()).expect("the file of the authority");
        Self { issuer: Issuer::new(params, key), file }
    }

    /// Returns the file with the certificate of the authority.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Writes a certificate for 127.0.0.1 and localhost and its key to `folder`. Returns both files.
    pub fn issue(&self, folder: &Path) -> [PathBuf; 2] {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "justcall-auth test server of Vault");
        params.subject_alt_names = vec![
            SanType::DnsName("localhost".try_into().expect("a name")),
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // Servers of a cluster are also clients of each other.
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let files = ["server.pem", "server-key.pem"].map(|name| folder.join(name));
        fs::write(&files[0], certificate.pem()).expect("the certificate");
        fs::write(&files[1], key.serialize_pem()).expect("the key");
        files
    }
}
