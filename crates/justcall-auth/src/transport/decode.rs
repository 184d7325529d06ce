//! The content encoding of a response: gzip, the only one that the library requests.

use std::cell::Cell;
use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use http::header::{CONTENT_ENCODING, HeaderMap};
use justcall_auth_protocol::error::{Error, ErrorKind};

use super::call::CallState;

/// The most layers of compression. Some gateways compress a body that is already compressed.
const MAX_LAYERS: usize = 2;

/// Returns how often the body under `headers` was compressed with gzip, or `None` if it has an encoding that is not
/// supported.
pub(super) fn gzip_layers(headers: &HeaderMap) -> Option<usize> {
    let mut layers = 0;
    for value in headers.get_all(CONTENT_ENCODING) {
        for coding in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            // Codings are compared without regard to case, and `x-gzip` is gzip (RFC 9110, section 8.4.1).
            match coding.to_ascii_lowercase().as_slice() {
                b"" | b"identity" => {}
                b"gzip" | b"x-gzip" if layers < MAX_LAYERS => layers += 1,
                _ => return None,
            }
        }
    }
    Some(layers)
}

/// Returns the plain body of `encoded`, which was compressed `layers` times. An empty body counts as plain, because
/// responses without a body, such as those to HEAD, may name an encoding.
///
/// # Errors
/// Reading fails as `encoded` does, or with `invalid_response` in `call` if the data does not match its encoding.
pub(super) fn decoded<'a>(
    encoded: impl Read + 'a,
    layers: usize,
    call: &'a CallState,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut plain: Box<dyn Read + 'a> = Box::new(encoded);
    for _ in 0..layers {
        let mut encoded = BufReader::new(EncodedBody { inner: plain, is_lost: Cell::new(false) });
        plain = if encoded.fill_buf()?.is_empty() {
            Box::new(io::empty())
        } else {
            Box::new(Gzip { decoder: MultiGzDecoder::new(encoded), call })
        };
    }
    Ok(plain)
}

/// The encoded bytes, and whether the connection failed while they were read.
struct EncodedBody<R> {
    inner: R,
    is_lost: Cell<bool>,
}

impl<R: Read> Read for EncodedBody<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).inspect_err(|_| self.is_lost.set(true))
    }
}

/// A body with one layer of compression.
struct Gzip<'a, R> {
    decoder: MultiGzDecoder<BufReader<EncodedBody<R>>>,
    call: &'a CallState,
}

impl<R: Read> Read for Gzip<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(buffer).map_err(|error| {
            let is_lost = self.decoder.get_ref().get_ref().is_lost.get();
            if is_lost { error } else { self.call.fail(broken()) }
        })
    }
}

fn broken() -> Error {
    let message = "The body of the response is not valid gzip data, although its Content-Encoding is gzip.";
    Error::with_message(ErrorKind::InvalidResponse, message)
}

/// Returns the error for a response in an encoding that the library did not request.
pub(super) fn unreadable() -> Error {
    let message = "The response has an unsupported Content-Encoding. Only gzip is supported.";
    Error::with_message(ErrorKind::InvalidResponse, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::call::CurrentCall;
    use super::*;
    use crate::context::CallContext;

    #[test]
    fn it_reads_the_names_of_encodings_in_any_spelling() {
        let layers = |values: &[&'static str]| {
            let values = values.iter().map(|value| (CONTENT_ENCODING, HeaderValue::from_static(value)));
            gzip_layers(&values.collect())
        };
        for plain in [&[][..], &[""], &["identity"], &["Identity, "]] {
            assert_eq!(layers(plain), Some(0), "{plain:?}");
        }
        for once in ["gzip", "GZIP", "x-gzip", "X-Gzip", " gzip ", "identity, gzip", ",gzip,,"] {
            assert_eq!(layers(&[once]), Some(1), "{once}");
        }
        assert_eq!(layers(&["gzip, x-gzip"]), Some(2));
        assert_eq!(gzip_layers(&HeaderMap::new()), Some(0));
        let mut two = HeaderMap::new();
        two.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        two.append(CONTENT_ENCODING, HeaderValue::from_static("GZIP"));
        assert_eq!(gzip_layers(&two), Some(2));
        for other in ["br", "deflate", "zstd", "gzip, br", "gzipped", "gzip, gzip, gzip", "gzip;q=1"] {
            assert_eq!(layers(&[other]), None, "{other}");
        }
    }

    fn compressed(plain: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory")
    }

    #[test]
    fn it_decodes_each_layer_and_reports_data_that_is_not_compressed() {
        let call = CurrentCall::begin(CallContext::default());
        let read = |encoded: &[u8], layers| {
            let mut plain = Vec::new();
            decoded(encoded, layers, &call)?.read_to_end(&mut plain).map(|_| plain)
        };
        let once = compressed(b"the body");
        let twice = compressed(&once);
        for (encoded, layers) in [(&b"the body"[..], 0), (&once, 1), (&twice, 2)] {
            assert_eq!(read(encoded, layers).expect("valid data"), b"the body", "{layers} layers");
        }
        assert_eq!(read(b"", 2).expect("an empty body"), b"");
        assert!(call.failure().is_none());
        read(b"the body", 1).expect_err("it is not compressed");
        assert_eq!(call.failure().map(|error| error.kind()), Some(ErrorKind::InvalidResponse));
    }

    #[test]
    fn it_reports_a_lost_connection_as_such() {
        struct Lost;
        impl Read for Lost {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let call = CurrentCall::begin(CallContext::default());
        let encoded = compressed(b"the body");
        let mut plain = decoded(encoded[..12].chain(Lost), 1, &call).expect("the start");
        let error = plain.read_to_end(&mut Vec::new()).expect_err("the rest is lost");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(call.failure().is_none(), "the data that came is not to blame");
    }
}
