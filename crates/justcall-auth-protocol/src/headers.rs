//! The headers of a response, in one block of memory.

/// The headers of a response, in the order received. All names and values are in one block, because a response may have
/// many.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Every name, followed by its value.
    text: String,
    /// The end of each name and of its value in the text.
    ends: Vec<(usize, usize)>,
}

impl Headers {
    /// Creates an empty list with room for `count` headers whose names and values have `length` bytes together.
    pub fn with_capacity(count: usize, length: usize) -> Self {
        Self { text: String::with_capacity(length), ends: Vec::with_capacity(count) }
    }

    /// Appends a header.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let end_of_name = self.text.len();
        self.text.push_str(value);
        self.ends.push((end_of_name, self.text.len()));
    }

    /// Returns the number of headers.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns true if there are no headers.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the names and values in the order received.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(end_of_name, end)| {
            let header = (&self.text[start..end_of_name], &self.text[end_of_name..end]);
            start = end;
            header
        })
    }

    /// Returns the value of the first header with this name, ignoring case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut list = Self::default();
        for (name, value) in headers {
            list.push(name.as_ref(), value.as_ref());
        }
        list
    }
}

impl From<Vec<(String, String)>> for Headers {
    fn from(headers: Vec<(String, String)>) -> Self {
        headers.into_iter().collect()
    }
}

/// Shows the number of headers. They may be data of the customer and must not appear in logs.
impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headers").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_names_and_values_apart_and_in_order() {
        let pairs = [("a", "1"), ("", ""), ("B", ""), ("b", "\u{fffd}"), ("", "x")];
        let headers: Headers = pairs.into_iter().collect();
        assert!(headers.iter().eq(pairs));
        assert_eq!((headers.len(), headers.is_empty()), (5, false));
        assert_eq!((headers.get("b"), headers.get("A"), headers.get("c")), (Some(""), Some("1"), None));
        assert_eq!(format!("{headers:?}"), "Headers { len: 5, .. }");
        assert!(Headers::default().is_empty() && Headers::default().iter().len() == 0);
    }
}
