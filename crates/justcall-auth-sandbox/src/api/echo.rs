//! `/v2.1/echo`: shows tests what a client really sent. The service has no such endpoint.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::Call;
use crate::wire::Reply;

const MAX_FILLER: usize = 32 * 1024 * 1024;

/// Answers with the request as it arrived, without its pair. `?bytes=N` makes the answer N bytes longer; `?gzip=1`
/// compresses it if the client accepts that.
pub(super) fn answer(call: &Call) -> Reply {
    let filler = match call.parameter("bytes").map(str::parse) {
        None => 0,
        Some(Ok(bytes @ ..=MAX_FILLER)) => bytes,
        Some(_) => return Reply::error(400, "The parameter bytes must be a number up to 33554432."),
    };
    let fields: Vec<[&str; 2]> = call.head.fields().map(|(name, value)| [name, value.trim_end()]).collect();
    let mut body = json!({
        "status": "success",
        "method": call.method,
        "path": call.path,
        "query": call.query,
        "headers": fields,
        "body_base64": STANDARD.encode(&call.body),
        "body_bytes": call.body.len(),
    });
    if filler > 0 {
        body["filler"] = "x".repeat(filler).into();
    }
    let mut reply = Reply::json(200, &body);
    if call.parameter("gzip") == Some("1") && takes_gzip(call) {
        reply.body = gzip(&reply.body).into();
        reply.push("Content-Encoding", "gzip");
    }
    reply
}

fn takes_gzip(call: &Call) -> bool {
    let accepted = call.head.value("accept-encoding").unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next() == Some("gzip") && !parts.any(|weight| weight == "q=0")
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}
