//! The conditions for the path of a request, which begins with that of the base URL.

/// Checks that `path`, with or without a query, can be sent and means the same to every server.
///
/// # Errors
/// Returns the fault as a predicate, such as "has a dot segment". It contains one byte of `path` at most, which no pair has.
pub fn check_path(path: &str) -> Result<(), String> {
    if let Some(byte) = path.bytes().find(|byte| !(0x21..=0x7E).contains(byte)) {
        return Err(format!("contains the byte 0x{byte:02X}, which must be percent-encoded"));
    }
    // Some parsers of URLs read a backslash as a slash.
    if path.contains(['\\', '#', '"', '<', '>', '^', '`', '{', '|', '}']) {
        return Err("contains a character that must be percent-encoded: one of \\ # \" < > ^ ` { | }".into());
    }
    let (route, _query) = path.split_once('?').unwrap_or((path, ""));
    if route.starts_with("//") {
        return Err("starts with two slashes, which can name another host".into());
    }
    if with_decoded_separators(route).starts_with("//") || has_dot_segment(route) {
        return Err("has a dot segment, or slashes that are encoded at its start".into());
    }
    let bytes = path.as_bytes();
    for (at, _) in path.match_indices('%') {
        if !(bytes.get(at + 1..at + 3)).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err("has a % that is not followed by two hexadecimal digits".into());
        }
        if matches!(&path[at..at + 3].to_ascii_lowercase()[..], "%00" | "%0a" | "%0d") && at < route.len() {
            return Err("has an encoded NUL or line break".into());
        }
    }
    Ok(())
}

/// Returns `path` with the slashes and dots that are percent-encoded in it, which some servers decode before they split it.
fn with_decoded_separators(path: &str) -> String {
    path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/")
}

/// Returns true if a segment of `path` is `.` or `..`, encoded or not.
fn has_dot_segment(path: &str) -> bool {
    with_decoded_separators(path).split('/').any(|segment| segment == ".." || segment == ".")
}

#[cfg(test)]
mod tests {
    use super::check_path;

    #[test]
    fn it_names_the_fault_of_a_path() {
        for (path, fault) in [
            ("/\u{96}", "contains the byte 0xC2, which must be percent-encoded"),
            ("/a b", "contains the byte 0x20, which must be percent-encoded"),
            ("//a", "starts with two slashes, which can name another host"),
            ("/a%zz", "has a % that is not followed by two hexadecimal digits"),
            ("/a%0D", "has an encoded NUL or line break"),
        ] {
            assert_eq!(check_path(path).expect_err(path), fault);
        }
        for path in ["", "/a", "/a/%C3%A4/~b", "/a?b=%0a", "/a//b"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }
}
