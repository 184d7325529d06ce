//! SPDX expressions, and the licences that `deny.toml` allows.

/// Returns the licences that a `deny.toml` allows everywhere.
pub fn allowed(deny: &str) -> Vec<String> {
    let list = deny.split("\nallow = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns true if the expression can be fulfilled with licences that are allowed.
pub fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // The spelling of old crates, and parentheses as words.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut words = words.as_slice();
    either(&mut words, allowed) && words.is_empty()
}

fn either(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_good = both(words, allowed);
    while words.first() == Some(&"OR") {
        *words = &words[1..];
        is_good |= both(words, allowed);
    }
    is_good
}

fn both(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut is_good = one(words, allowed);
    while words.first() == Some(&"AND") {
        *words = &words[1..];
        is_good &= one(words, allowed);
    }
    is_good
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let is_good = either(words, allowed);
            let is_closed = words.first() == Some(&")");
            *words = words.get(1..).unwrap_or_default();
            is_good && is_closed
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(&format!("{licence} WITH {exception}"))
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.iter().any(|one| one == licence)
        }
        [] => false,
    }
}

#[test]
fn it_decides_expressions_by_the_allowed_licences() {
    let allowed =
        allowed("[licenses]\nallow = [\n  \"MIT\",\n  \"ISC\",\n  \"X WITH Y\",\n]\nexceptions = [\"No\"]\n");
    assert_eq!(allowed, ["MIT", "ISC", "X WITH Y"]);
    for good in
        ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "MIT AND ISC", "(MIT OR GPL-3.0) AND ISC", "X WITH Y"]
    {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in
        ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "X", "MIT WITH Y", "(MIT", "MIT ISC"]
    {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
