//! The headers of a response, in one block of memory.

use std::collections::TryReserveError;

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
    /// Creates an empty list with room for `count` headers whose names and values have `length` bytes together, for
    /// numbers that come from input.
    ///
    /// # Errors
    /// Fails if there is not enough memory.
    pub fn try_with_capacity(count: usize, length: usize) -> Result<Self, TryReserveError> {
        let mut list = Self::default();
        list.text.try_reserve_exact(length)?;
        list.ends.try_reserve_exact(count)?;
        Ok(list)
    }

    /// Creates the list of `headers`, which come from a program.
    ///
    /// # Errors
    /// Fails as [`Headers::try_with_capacity`].
    pub fn try_from_pairs(headers: &[(String, String)]) -> Result<Self, TryReserveError> {
        let length = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let mut list = Self::try_with_capacity(headers.len(), length)?;
        for (name, value) in headers {
            list.push(name, value);
        }
        Ok(list)
    }

    /// Appends a header.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let end_of_name = self.text.len();
        self.text.push_str(value);
        self.ends.push((end_of_name, self.text.len()));
    }

    /// Appends a header from a network. Bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// Fails if there is not enough memory.
    pub fn try_push_lossy(&mut self, name: &[u8], value: &[u8]) -> Result<(), TryReserveError> {
        self.ends.try_reserve(1)?;
        self.try_append(name)?;
        let end_of_name = self.text.len();
        self.try_append(value)?;
        self.ends.push((end_of_name, self.text.len()));
        Ok(())
    }

    fn try_append(&mut self, bytes: &[u8]) -> Result<(), TryReserveError> {
        // Faster than the search for chunks, and nearly always enough.
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.text.try_reserve(text.len())?;
            self.text.push_str(text);
            return Ok(());
        }
        for chunk in bytes.utf8_chunks() {
            self.text.try_reserve(chunk.valid().len() + char::REPLACEMENT_CHARACTER.len_utf8())?;
            self.text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Ok(())
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
        let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(Headers::try_from_pairs(&owned).expect("memory"), headers);
        let mut received = Headers::default();
        for (name, value) in [(&b"a"[..], &b"1"[..]), (b"a\xff", b"\xff\xfe1\xc3"), (b"", b"")] {
            received.try_push_lossy(name, value).expect("memory");
        }
        let lossy = [("a", "1"), ("a\u{fffd}", "\u{fffd}\u{fffd}1\u{fffd}"), ("", "")];
        assert!(received.iter().eq(lossy), "{:?}", received.iter().collect::<Vec<_>>());
        assert!(Headers::try_with_capacity(usize::MAX, 1).is_err());
        assert!(Headers::try_with_capacity(1, usize::MAX).is_err());
        assert_eq!((headers.len(), headers.is_empty()), (5, false));
        assert_eq!((headers.get("b"), headers.get("A"), headers.get("c")), (Some(""), Some("1"), None));
        assert_eq!(format!("{headers:?}"), "Headers { len: 5, .. }");
        assert!(Headers::default().is_empty() && Headers::default().iter().len() == 0);
    }
}
