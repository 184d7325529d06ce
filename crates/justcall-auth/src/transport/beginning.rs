//! The start of a response, read while the request is still being sent.

use std::str;

/// The meaning of the first bytes of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// Too few bytes to decide.
    Unknown,
    /// An informational response of this length; the final response follows.
    Interim(usize),
    /// The service accepts the request.
    Success,
    /// The service refuses the request, or does not speak HTTP.
    Refusal,
}

/// The position of the status in `HTTP/1.1 200 OK`.
const STATUS_AT: usize = b"HTTP/1.1 ".len();
const STATUS_END: usize = STATUS_AT + 3;

/// Returns the meaning of `bytes`, the first bytes of a response.
pub(super) fn beginning(bytes: &[u8]) -> Beginning {
    let prefix = b"HTTP/1.";
    if !bytes.iter().zip(prefix).all(|(byte, expected)| byte == expected) {
        return Beginning::Refusal;
    }
    let Some(digits) = bytes.get(STATUS_AT..STATUS_END) else { return Beginning::Unknown };
    match str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()) {
        // 101 ends HTTP on a connection, so it counts as a refusal.
        Some(100 | 102..=199_u16) => head_length(bytes).map_or(Beginning::Unknown, Beginning::Interim),
        Some(200..=299) => Beginning::Success,
        _ => Beginning::Refusal,
    }
}

/// Returns the length of the head at the start of `bytes`, with its empty line, or `None` if the head is not complete.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        length += line.len();
        if matches!(line, b"\r\n" | b"\n") {
            return Some(length);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_the_status_as_soon_as_it_is_complete() {
        let answer = b"HTTP/1.1 413 Too Large\r\n\r\n";
        for end in 0..answer.len() {
            let expected = if end < STATUS_END { Beginning::Unknown } else { Beginning::Refusal };
            assert_eq!(beginning(&answer[..end]), expected, "{end} bytes");
        }
        assert_eq!(beginning(b"HTTP/1.0 204"), Beginning::Success);
        for refusal in ["HTTP/1.1 302", "HTTP/1.1 101", "HTTP/1.1 2xx", "HTTP/1.1 +20", "SSH-2.0", "H2"] {
            assert_eq!(beginning(refusal.as_bytes()), Beginning::Refusal, "{refusal}");
        }
    }

    #[test]
    fn it_measures_an_interim_response_once_it_is_complete() {
        for head in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"] {
            for end in 0..head.len() {
                assert_eq!(beginning(&head.as_bytes()[..end]), Beginning::Unknown, "{end} bytes of {head:?}");
            }
            let followed = format!("{head}HTTP/1.1 200 OK\r\n\r\n");
            assert_eq!(beginning(followed.as_bytes()), Beginning::Interim(head.len()));
        }
        assert_eq!(beginning(b"HTTP/1.1 199 \n\nHTTP"), Beginning::Interim(15));
    }
}
