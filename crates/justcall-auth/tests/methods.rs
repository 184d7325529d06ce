//! Every method, with and without a body, as it arrives.

mod support;

use justcall_auth::Request;
use support::{client, requests, sandbox};

#[test]
fn it_sends_every_method_as_it_is_with_and_without_a_body() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
        for body in [None, Some(&b""[..]), Some(&b"{\"a\": 1}"[..])] {
            if method == "HEAD" && body.is_some() {
                continue;
            }
            let mut request = Request::new(method, "/v2.1/echo").expect(method);
            request.set_header("content-type", "text/plain; charset=utf-8").expect("a good header");
            if let Some(body) = body {
                request.set_body(body);
            }
            let response =
                client.request(request).unwrap_or_else(|error| panic!("{method} {body:?}: {error:?}"));
            let seen = requests(&sandbox).pop().expect("it arrived");
            assert_eq!(seen["method"], method);
            assert_eq!(seen["body_bytes"], body.map_or(0, <[u8]>::len), "{method} {body:?}");
            let head = seen["raw_head"].as_str().expect("a head").to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            // RFC 9110, section 8.6: a method that expects a body says its length also where it is empty.
            let expects = body.is_some() || matches!(method, "POST" | "PUT" | "PATCH");
            let expected = expects.then(|| body.map_or(0, <[u8]>::len).to_string());
            assert_eq!(length.map(str::to_owned), expected, "{method} {body:?}\n{head}");
            assert!(head.contains("content-type: text/plain; charset=utf-8\r\n"), "{head}");
            assert!(!head.contains("transfer-encoding"), "{head}");
            assert_eq!(response.body().is_empty(), method == "HEAD", "{method}");
        }
    }
}
