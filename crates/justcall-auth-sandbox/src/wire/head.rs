//! The head of a request, exactly as it arrived.

/// The text that replaces the pair in a recorded head.
const REDACTED: &str = "<authorization>";

/// The head of a request, exactly as it arrived. Text is ISO 8859-1, so that each byte is one character and none
/// is lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    request_line: String,
    fields: Vec<Field>,
    end: String,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    /// The blanks between the colon and the value.
    gap: String,
    /// The value with trailing spaces, which the service (and the help article) counts as part of the pair.
    value: String,
    end: String,
}

impl Head {
    /// Parses the bytes of a head, including the empty line at its end.
    pub(crate) fn parse(bytes: Vec<u8>) -> Self {
        let text: String = bytes.into_iter().map(char::from).collect();
        let mut lines = text.split_inclusive('\n');
        let mut head = Self { request_line: lines.next().unwrap_or_default().to_owned(), ..Self::default() };
        for line in lines {
            let (content, end) = split_line_end(line);
            match content.split_once(':') {
                Some((name, rest)) => {
                    let value = rest.trim_start_matches([' ', '\t']);
                    head.fields.push(Field {
                        name: name.to_owned(),
                        gap: rest[..rest.len() - value.len()].to_owned(),
                        value: value.to_owned(),
                        end: end.to_owned(),
                    });
                }
                None => head.end.push_str(line),
            }
        }
        head
    }

    /// Returns the method and the target of the request line, as far as they arrived.
    pub(crate) fn method_and_target(&self) -> (&str, &str) {
        let mut words = self.request_line.trim_end().split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    /// Returns the value of the only `Authorization` header, with trailing spaces, or `None` if there is none or more than
    /// one.
    pub(crate) fn authorization(&self) -> Option<&str> {
        let mut values = self.fields.iter().filter(|field| field.is_authorization());
        let first = values.next()?;
        values.next().is_none().then_some(first.value.as_str())
    }

    /// Returns names and values in their order, without the authorization.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .filter(|field| !field.is_authorization())
            .map(|field| (field.name.as_str(), field.value.as_str()))
    }

    /// Returns all names in their order and spelling.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Returns the first value of a header.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.fields().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the head exactly as it arrived, except for the value of `Authorization`.
    pub(crate) fn redacted(&self) -> String {
        let mut text = self.request_line.clone();
        for field in &self.fields {
            let value = if field.is_authorization() { REDACTED } else { &field.value };
            text.extend([&field.name, ":", &field.gap, value, &field.end]);
        }
        text + &self.end
    }
}

impl Field {
    fn is_authorization(&self) -> bool {
        self.name.eq_ignore_ascii_case("authorization")
    }
}

fn split_line_end(line: &str) -> (&str, &str) {
    let content = line.strip_suffix('\n').unwrap_or(line);
    let content = content.strip_suffix('\r').unwrap_or(content);
    line.split_at(content.len())
}

#[cfg(test)]
mod tests {
    use super::Head;

    const RAW: &str = "GET /x HTTP/1.1\r\nHOST: a\r\nauthorization:  key:secret \r\nX-A:1\r\nx-a: 2\r\n\r\n";

    #[test]
    fn it_returns_the_head_as_it_arrived_except_the_pair() {
        let head = Head::parse(RAW.as_bytes().to_vec());
        assert_eq!(head.redacted(), RAW.replace("key:secret ", "<authorization>"));
        assert!(!head.redacted().contains("secret"));
    }

    #[test]
    fn it_reads_a_head_that_broke_off_and_shows_nothing_of_the_pair() {
        for end in 0..RAW.len() {
            let head = Head::parse(RAW.as_bytes()[..end].to_vec());
            let shown = head.redacted();
            assert!(!shown.contains("key") && !shown.contains("sec"), "{shown:?}");
            let (method, target) = head.method_and_target();
            assert!("GET".starts_with(method) && "/x".starts_with(target), "{method:?} {target:?}");
        }
    }

    #[test]
    fn it_keeps_order_spelling_and_trailing_spaces() {
        let head = Head::parse(RAW.as_bytes().to_vec());
        assert_eq!(head.authorization(), Some("key:secret "));
        assert_eq!(head.fields().collect::<Vec<_>>(), [("HOST", "a"), ("X-A", "1"), ("x-a", "2")]);
        assert_eq!(head.names().collect::<Vec<_>>(), ["HOST", "authorization", "X-A", "x-a"]);
        assert_eq!(head.value("host"), Some("a"));
    }

    #[test]
    fn it_takes_no_authorization_when_there_are_two() {
        let head =
            Head::parse(b"GET / HTTP/1.1\r\nAuthorization: a:b\r\nAuthorization: c:d\r\n\r\n".to_vec());
        assert_eq!(head.authorization(), None);
        assert!(!head.redacted().contains("a:b") && !head.redacted().contains("c:d"));
    }
}
