//! Names of halves in dotenv, JSON and YAML files.

use super::finding::{Finding, Subject};
use super::placeholder::is_name;
use super::unicode;

/// Returns the findings about `name`: its characters outside ASCII. Returns `None` if `name` is not the name of a half.
pub fn half_name(name: &[u8]) -> Option<Vec<Finding>> {
    let ascii: Vec<u8> = name.iter().copied().filter(u8::is_ascii).collect();
    is_name(&ascii).then(|| unicode::codes(name).map(|code| Finding::new(code, Subject::Name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_invisible_characters_in_the_name_of_a_half() {
        let codes = |name: &str| {
            let found = half_name(name.as_bytes())?;
            Some(found.iter().map(|finding| finding.code().name()).collect::<Vec<_>>())
        };
        assert_eq!(codes("JUSTCALL_API_KEY"), Some(vec![]));
        assert_eq!(codes("api_\u{200b}secret"), Some(vec!["zero_width"]));
        assert_eq!(codes("\u{feff}JUSTCALL_API_KEY\u{a0}"), Some(vec!["byte_order_mark", "no_break_space"]));
        assert_eq!(codes("PORT"), None);
    }
}
