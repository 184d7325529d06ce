//! The certificates in PEM files. Messages about a fault are written here: those of parsers would contain bytes of the
//! file, which may include a private key.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// Returns the certificates in `text`, in order. An item is the certificate, or its fault.
pub(super) fn certificates(text: &[u8]) -> Vec<Result<CertificateDer<'static>, &'static str>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = position(rest, BEGIN) {
        let block = &rest[begin..];
        let next = position(&block[BEGIN.len()..], BEGIN).map_or(block.len(), |next| next + BEGIN.len());
        found.extend(certificate(&block[..next]));
        rest = &block[next..];
    }
    found
}

/// Returns the certificate in `block`, which begins with a line of dashes, or `None` if it contains something else,
/// such as a key.
fn certificate(block: &[u8]) -> Option<Result<CertificateDer<'static>, &'static str>> {
    let label = &block[BEGIN.len()..];
    let label = &label[..position(label, DASHES).unwrap_or(label.len())];
    match label {
        b"CERTIFICATE" => {}
        b"TRUSTED CERTIFICATE" => {
            return Some(Err("is in OpenSSL's TRUSTED form: convert it with openssl x509 -in FILE"));
        }
        b"X509 CERTIFICATE" => return Some(Err("begins with X509 CERTIFICATE instead of CERTIFICATE")),
        b"PKCS7" | b"CMS" => {
            return Some(Err("is in a PKCS #7 bundle: convert it with openssl pkcs7 -print_certs -in FILE"));
        }
        _ => return None,
    }
    let body = &block[BEGIN.len() + label.len() + DASHES.len()..];
    let Some(end) = position(body, b"-----END CERTIFICATE-----") else {
        return Some(Err("has no end: the file is cut off, or its last line was changed"));
    };
    if position(&body[..end], b"\\n").is_some() || !body[..end].contains(&b'\n') {
        return Some(Err("has lost its line breaks: they became blanks or the two characters \\n"));
    }
    // Blanks before lines are ignored, because YAML indents them.
    let bare = body[..end].iter().copied().filter(|byte| !byte.is_ascii_whitespace());
    let lines = b"-----BEGIN CERTIFICATE-----\n".iter().copied().chain(bare);
    let lines: Vec<u8> = lines.chain(*b"\n-----END CERTIFICATE-----\n").collect();
    Some(CertificateDer::from_pem_slice(&lines).map_err(|_| "is not written in base64"))
}

/// Returns why a file contains no certificate. The text follows the name of the file in a message.
pub(super) fn no_certificate(text: &[u8]) -> &'static str {
    let bare = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
    match bare {
        [] => "is empty",
        [0x30, 0x80..=0x84, ..] => "is in DER form, not PEM: convert it with openssl x509 -inform DER",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, _, 0, _, ..] | [_, 0, _, 0, ..] => {
            "is in UTF-16: save it as plain ASCII text"
        }
        [b'<', ..] => "is HTML or XML, not certificates: it may be the web page that displays them",
        _ if position(bare, b"PRIVATE KEY-----").is_some() => "contains a private key and no certificate",
        _ if position(bare, BEGIN).is_some() => "contains other data in PEM form, and no certificate",
        _ => "contains no certificate in PEM form (-----BEGIN CERTIFICATE-----)",
    }
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
