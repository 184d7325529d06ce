//! The subject, the issuer and the expiry of a certificate, for messages. They decide nothing: rustls decides which
//! certificates to trust, but offers none of the three as text.

use std::time::Duration;

use justcall_auth_protocol::date;
use justcall_auth_protocol::printable::is_printable;
use rustls::pki_types::CertificateDer;

/// The readable properties of a certificate. A property that cannot be read is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The common name of its owner, else the organisation.
    pub subject: Option<String>,
    /// The common name of its signer, else the organisation.
    pub issuer: Option<String>,
    /// The time of expiry, since the epoch.
    pub expires: Option<Duration>,
}

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// A field that certificates of version 1 do not have.
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `UTF8String`, `PrintableString` and `IA5String`.
const TEXTS: [u8; 3] = [0x0C, 0x13, 0x16];
/// 2.5.4.3 and 2.5.4.10, encoded.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0A];

impl Certificate {
    /// Reads the certificate (RFC 5280, section 4.1).
    pub(super) fn read(certificate: &CertificateDer<'_>) -> Self {
        fields(certificate.as_ref()).unwrap_or(Self { subject: None, issuer: None, expires: None })
    }
}

fn fields(bytes: &[u8]) -> Option<Certificate> {
    let mut outer = Der(Der(bytes).expect(SEQUENCE)?);
    let mut body = Der(outer.expect(SEQUENCE)?);
    let (tag, _version_or_serial) = body.next()?;
    if tag == VERSION {
        body.next()?;
    }
    let _algorithm = body.expect(SEQUENCE)?;
    let issuer = body.expect(SEQUENCE)?;
    let mut validity = Der(body.expect(SEQUENCE)?);
    let subject = body.expect(SEQUENCE)?;
    let _not_before = validity.next()?;
    let (tag, not_after) = validity.next()?;
    Some(Certificate { subject: name(subject), issuer: name(issuer), expires: time(tag, not_after) })
}

/// The common name of a distinguished name, else the organisation.
fn name(bytes: &[u8]) -> Option<String> {
    let mut organisation = None;
    let mut sets = Der(bytes);
    while let Some((_, set)) = sets.next() {
        let mut attributes = Der(set);
        while let Some((_, attribute)) = attributes.next() {
            let mut attribute = Der(attribute);
            let kind = attribute.expect(OBJECT_IDENTIFIER)?;
            let text = attribute.next().filter(|(tag, _)| TEXTS.contains(tag)).map(|(_, text)| shown(text));
            match kind {
                COMMON_NAME if text.is_some() => return text,
                ORGANISATION => organisation = text,
                _ => {}
            }
        }
    }
    organisation
}

/// The longest displayed name, in characters.
const MAX_NAME: usize = 64;

/// Returns `text` on one line and cut, because a hostile name must neither control nor fill a terminal.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| is_printable(*c)).take(MAX_NAME).collect()
}

/// Returns the time since the epoch. Returns `None` for a time before it, or for malformed text.
fn time(tag: u8, text: &[u8]) -> Option<Duration> {
    let length = match tag {
        UTC_TIME => 13,
        GENERALIZED_TIME => 15,
        _ => return None,
    };
    let seconds = date::certificate_time(text).filter(|_| text.len() == length)?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

/// A sequence of elements in the distinguished encoding rules (X.690).
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Returns the tag and the contents of the next element.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7F => (usize::from(*first), rest),
            // The first byte is the number of length bytes. Four are more than any certificate has.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, contents))
    }

    /// Returns the contents of the next element, if it has the tag `tag`.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, contents)| contents)
    }
}

#[cfg(test)]
mod tests {
    use justcall_auth_sandbox::{Sandbox, SandboxConfig};
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn it_reads_both_forms_of_time() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", None),
            (GENERALIZED_TIME, "20240229120000Z", Some(1_709_208_000)),
            (GENERALIZED_TIME, "20270115080000Z", Some(1_800_000_000)),
            (GENERALIZED_TIME, "21000301000000Z", Some(4_107_542_400)),
            (UTC_TIME, "7001010000", None),
            (UTC_TIME, "701301000000Z", None),
            (UTC_TIME, "", None),
            (0x04, "700101000000Z", None),
        ] {
            assert_eq!(time(tag, text.as_bytes()).map(|time| time.as_secs()), expected, "{text}");
        }
    }

    #[test]
    fn it_shows_a_name_on_one_line_and_cuts_a_long_one() {
        assert_eq!(shown("Société \u{1F600}".as_bytes()), "Société \u{1F600}");
        assert_eq!(shown("a\u{202E}b\u{2066}c\x1b[2Jd\r\ne\0\u{9b}f".as_bytes()), "abc[2Jdef");
        assert_eq!(shown("é".repeat(10_000).as_bytes()), "é".repeat(MAX_NAME));
        assert_eq!(shown(b"\xffname"), "\u{FFFD}name", "bytes that are not UTF-8");
    }

    #[test]
    fn it_reads_a_certificate_and_survives_every_truncation() {
        let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox");
        let file = sandbox.ca_file().expect("it speaks TLS");
        let der = CertificateDer::from_pem_file(file).expect("a certificate");
        let read = Certificate::read(&der);
        assert_eq!(read.subject.as_deref(), Some("justcall-auth-sandbox CA"));
        assert_eq!(read.issuer, read.subject, "it signs itself");
        let days =
            read.expires.expect("it expires").saturating_sub(crate::clock::unix_time()).as_secs() / 86_400;
        assert!((363..=365).contains(&days), "{days}");
        for end in 0..der.len() {
            assert_eq!(fields(&der[..end]), None, "{end}");
        }
        for at in 0..der.len() {
            let mut broken = der.to_vec();
            broken[at] ^= 0xFF;
            let _any = fields(&broken);
        }
    }
}
