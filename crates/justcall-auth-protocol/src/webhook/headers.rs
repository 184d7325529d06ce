//! The three headers of a delivery.

use std::fmt;

use crate::service;

/// The headers that a delivery is verified by, in their raw form. An empty header counts as missing.
#[derive(Clone, Copy, Default)]
pub struct WebhookHeaders<'a> {
    pub(super) signature: Option<&'a [u8]>,
    pub(super) version: Option<&'a [u8]>,
    pub(super) timestamp: Option<&'a [u8]>,
}

const NAMES: [&str; 3] = [service::WEBHOOK_SIGNATURE, service::WEBHOOK_VERSION, service::WEBHOOK_TIMESTAMP];

/// The value of a repeated header. It is not a valid signature, version or time.
const REPEATED: &[u8] = b",";

impl<'a> WebhookHeaders<'a> {
    /// Creates the headers from the values of `x-justcall-signature`, `x-justcall-signature-version` and
    /// `x-justcall-request-timestamp`.
    pub fn new(signature: Option<&'a [u8]>, version: Option<&'a [u8]>, timestamp: Option<&'a [u8]>) -> Self {
        Self {
            signature: signature.and_then(content),
            version: version.and_then(content),
            timestamp: timestamp.and_then(content),
        }
    }

    /// Returns true if `name` is the name of one of the headers, ignoring case. For callers that avoid converting other
    /// headers.
    pub fn has_name(name: &[u8]) -> bool {
        NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
    }

    /// Returns true if one of the headers has a name of this length.
    pub fn has_name_of(length: usize) -> bool {
        NAMES.iter().any(|known| known.len() == length)
    }

    /// Finds the headers among all headers, ignoring the case of names. A repeated header becomes invalid, because
    /// another program could use either value.
    pub fn find<Name, Value>(headers: impl IntoIterator<Item = (Name, &'a Value)>) -> Self
    where
        Name: AsRef<[u8]>,
        Value: AsRef<[u8]> + ?Sized + 'a,
    {
        let mut found = [None; 3];
        for (name, value) in headers {
            let name = name.as_ref();
            if let Some(at) = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known.as_bytes())) {
                found[at] = Some(if found[at].is_some() { REPEATED } else { value.as_ref() });
            }
        }
        let [signature, version, timestamp] = found;
        Self::new(signature, version, timestamp)
    }
}

/// Shows which headers are present, but not their values.
impl fmt::Debug for WebhookHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookHeaders")
            .field("signature", &self.signature.is_some())
            .field("version", &self.version.is_some())
            .field("timestamp", &self.timestamp.is_some())
            .finish()
    }
}

/// Returns the value without the blanks around it, which are not part of it in HTTP. Returns `None` if nothing is left.
fn content(value: &[u8]) -> Option<&[u8]> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_blank(byte))?;
    let end = value.iter().rposition(|byte| !is_blank(byte))?;
    Some(&value[start..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_headers_in_any_case_among_others() {
        let headers = WebhookHeaders::find([
            ("Host", "x"),
            ("X-JUSTCALL-SIGNATURE", " ab "),
            ("x-justcall-Signature-Version", "\tv1"),
            ("x-justcall-signature-", "no"),
        ]);
        assert_eq!(headers.signature, Some(&b"ab"[..]));
        assert_eq!(headers.version, Some(&b"v1"[..]));
        assert_eq!(headers.timestamp, None);
    }

    #[test]
    fn it_recognises_headers_by_name_and_by_length() {
        for name in NAMES {
            assert!(WebhookHeaders::has_name(name.to_uppercase().as_bytes()), "{name}");
            assert!(WebhookHeaders::has_name_of(name.len()), "{name}");
        }
        assert!(!WebhookHeaders::has_name(b"x-justcall-signaturf") && !WebhookHeaders::has_name_of(19));
    }

    #[test]
    fn it_treats_an_empty_header_as_missing_and_a_repeated_one_as_invalid() {
        assert_eq!(WebhookHeaders::new(Some(b""), Some(b" \t"), None).signature, None);
        let twice = WebhookHeaders::find([("x-justcall-signature", "ab"), ("X-Justcall-Signature", "ab")]);
        assert_eq!(twice.signature, Some(REPEATED));
        for twice in [["ab", ""], ["", "ab"]] {
            let headers = twice.map(|value| ("x-justcall-signature", value));
            assert_eq!(WebhookHeaders::find(headers).signature, Some(REPEATED));
        }
    }

    #[test]
    fn it_shows_which_headers_are_present_and_no_value() {
        let headers = WebhookHeaders::new(Some(b"canary"), None, Some(b"canary"));
        let shown = format!("{headers:?}");
        assert_eq!(shown, "WebhookHeaders { signature: true, version: false, timestamp: true }");
    }
}
