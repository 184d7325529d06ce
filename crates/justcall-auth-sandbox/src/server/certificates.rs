//! The sandbox's certificate authority, and the valid and invalid certificates that it issues.
//!
//! Private keys stay in memory. Only the authority's certificate is written to a file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::StartError;
use crate::state::BadCertificate;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The server side of TLS. Each connection can present another certificate.
pub(crate) struct Certificates {
    good: TlsAcceptor,
    expired: TlsAcceptor,
    not_yet_valid: TlsAcceptor,
    wrong_host: TlsAcceptor,
    unknown_ca: TlsAcceptor,
}

impl Certificates {
    /// Creates an authority and its certificates. Returns them with the authority's certificate as PEM.
    pub(crate) fn generate() -> Result<(Self, String), StartError> {
        let (issuer, pem) = authority(AUTHORITY)?;
        let (stranger, _) = authority("justcall-auth-sandbox unknown CA")?;
        let certificates = Self {
            good: acceptor(&loopback()?, &issuer)?,
            expired: acceptor(&expired()?, &issuer)?,
            not_yet_valid: acceptor(&not_yet_valid()?, &issuer)?,
            wrong_host: acceptor(&wrong_host()?, &issuer)?,
            unknown_ca: acceptor(&loopback()?, &stranger)?,
        };
        Ok((certificates, pem))
    }

    /// Returns the acceptor that presents the good certificate, or the requested bad one.
    pub(crate) fn acceptor(&self, bad: Option<BadCertificate>) -> &TlsAcceptor {
        match bad {
            None => &self.good,
            Some(BadCertificate::Expired) => &self.expired,
            Some(BadCertificate::NotYetValid) => &self.not_yet_valid,
            Some(BadCertificate::WrongHost) => &self.wrong_host,
            Some(BadCertificate::UnknownCa) => &self.unknown_ca,
        }
    }
}

/// The name of the authority that clients trust.
pub(crate) const AUTHORITY: &str = "justcall-auth-sandbox CA";

/// Creates an authority for loopback names only. A test that trusts its file trusts it for nothing else.
fn authority(name: &str) -> Result<(Issuer<'static, KeyPair>, String), StartError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(Ipv6Addr::LOCALHOST.octets(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });
    valid_for_a_year(&mut params);
    let key = KeyPair::generate().map_err(failed)?;
    let pem = params.self_signed(&key).map_err(failed)?.pem();
    Ok((Issuer::new(params, key), pem))
}

fn loopback() -> Result<CertificateParams, StartError> {
    let mut params = server(vec![
        SanType::DnsName("localhost".try_into().map_err(failed)?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ]);
    valid_for_a_year(&mut params);
    Ok(params)
}

fn expired() -> Result<CertificateParams, StartError> {
    let mut params = loopback()?;
    params.not_before = (SystemTime::now() - 30 * DAY).into();
    params.not_after = (SystemTime::now() - 2 * DAY).into();
    Ok(params)
}

fn not_yet_valid() -> Result<CertificateParams, StartError> {
    let mut params = loopback()?;
    params.not_before = (SystemTime::now() + 2 * DAY).into();
    params.not_after = (SystemTime::now() + 30 * DAY).into();
    Ok(params)
}

/// Returns a certificate for names that the authority allows and no client asks for, so that only the name is wrong.
fn wrong_host() -> Result<CertificateParams, StartError> {
    let mut params = server(vec![
        SanType::DnsName("wrong.localhost".try_into().map_err(failed)?),
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::new(127, 99, 99, 99))),
    ]);
    valid_for_a_year(&mut params);
    Ok(params)
}

fn server(names: Vec<SanType>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "justcall-auth-sandbox");
    params.subject_alt_names = names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

/// Sets the validity. It begins a day ago, for clocks that disagree a little.
fn valid_for_a_year(params: &mut CertificateParams) {
    params.not_before = (SystemTime::now() - DAY).into();
    params.not_after = (SystemTime::now() + 365 * DAY).into();
}

fn acceptor(
    params: &CertificateParams,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<TlsAcceptor, StartError> {
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.signed_by(&key, issuer).map_err(failed)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key)
        })
        .map_err(failed)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn failed(error: impl std::fmt::Display) -> StartError {
    StartError::Certificate(error.to_string())
}
