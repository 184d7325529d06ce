//! The changes of `rotate` to a file: it replaces the pair and keeps all other text, or changes nothing.

use justcall_auth::Credentials;
use justcall_auth::source::{Content, read_text};
use proptest::prelude::*;
use serde_json::{Map, Value};

const KEY: &str = "newkey123456";
const SECRET: &str = "newsecret123";

/// Returns the text with the new pair, or `None` if it is refused. A refusal contains no value.
fn rewrite(old: &str) -> Option<String> {
    let credentials = Credentials::new(KEY.as_bytes(), SECRET.as_bytes()).expect("a good pair");
    let created_at = "2026-11-24T16:10:00Z";
    let content = Content { credentials: &credentials, created_at, previous_compromised: false };
    match content.rewrite(old.as_bytes()) {
        Ok(new) => Some(String::from_utf8(new.as_ref().to_vec()).expect("UTF-8")),
        Err(error) => {
            assert!(!format!("{error} {error:?}").contains("canary"), "{old:?}: {error:?}");
            assert!(error.message().len() < 300, "{error}");
            None
        }
    }
}

fn is_new(text: &str) -> bool {
    let expected = format!("{KEY}:{SECRET}");
    read_text(text.as_bytes())
        .is_ok_and(|pair| pair.expose_authorization(|header| header == expected.as_bytes()))
}

/// Generates a line of dotenv, harmless or not.
fn line() -> impl Strategy<Value = String> {
    let ours = prop_oneof![
        Just("JUSTCALL_API_KEY=canary7f"),
        Just("JUSTCALL_API_SECRET=canary3a"),
        Just("export JUSTCALL_API_KEY='canary7f'  # sales"),
        Just("JUSTCALL_API_SECRET = \"canary3a\" # sales"),
        Just("export JUSTCALL_API_KEY=canary7f JUSTCALL_API_SECRET=canary3a OTHER=x"),
        Just("OTHER=x JUSTCALL_API_KEY=canary7f"),
        Just("JUSTCALL_API_SECRET="),
    ];
    let others = prop_oneof![
        Just("# remark"),
        Just(""),
        Just("GREETING=hello world"),
        Just("NOTE=\"two # three\""),
        Just("LIST='a b'"),
        Just("PORT=1 HOST=b"),
        Just("export PATH_TO=/a/b"),
    ];
    let hostile = "[A-C]=[\"'\\\\# a(){};$`=]{0,6}";
    prop_oneof![
        4 => ours.prop_map(str::to_owned),
        4 => others.prop_map(str::to_owned),
        2 => hostile,
        1 => "[A-C\"'\\\\# =]{0,8}",
    ]
}

fn dotenv() -> impl Strategy<Value = String> {
    let lines = proptest::collection::vec(line(), 1..6);
    (lines, prop_oneof![Just("\n"), Just("\r\n")], any::<bool>())
        .prop_map(|(lines, end, is_closed)| lines.join(end) + if is_closed { end } else { "" })
}

/// Returns `old` with the new halves instead of those of [`line`].
fn expected(old: &str) -> String {
    let lines: Vec<String> = old
        .split('\n')
        .map(|line| {
            let (text, end) = line.strip_suffix('\r').map_or((line, ""), |text| (text, "\r"));
            let empty = if text == "JUSTCALL_API_SECRET=" { SECRET } else { "" };
            format!("{text}{empty}{end}").replace("canary7f", KEY).replace("canary3a", SECRET)
        })
        .collect();
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn it_refuses_random_dotenv_or_changes_only_the_two_values(old in dotenv()) {
        if let Some(new) = rewrite(&old) {
            prop_assert!(is_new(&new), "{:?} became {:?}", old, new);
            prop_assert!(!new.contains("canary"), "{:?} became {:?}", old, new);
            // A half without a line gets one at the end.
            let added = new.strip_prefix(&expected(&old));
            let added = added.map(|added| added.trim().lines().all(|line| line.starts_with("JUSTCALL_API_")));
            // Text without a dotenv line, such as an empty file, becomes one line key:secret.
            let is_line = new.trim() == format!("{KEY}:{SECRET}") && !old.contains(['=', '#']);
            prop_assert!(added == Some(true) || is_line, "{:?} became {:?}", old, new);
            prop_assert_eq!(rewrite(&new), Some(new.clone()), "a repeated rewrite changes nothing");
        }
    }

    #[test]
    fn it_refuses_random_text_or_changes_only_the_two_values(old in "[A-C:='\"\\\\# \n{}\\[\\]]{0,24}") {
        if let Some(new) = rewrite(&old) {
            prop_assert!(is_new(&new), "{:?} became {:?}", old, new);
        }
    }
}

/// Generates JSON of any kind, with relevant members at any depth.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\"\\\\{}:, é]{0,6}".prop_map(Value::from),
    ];
    let name = || prop_oneof!["[a-c\"{}: ]{0,3}", Just("api_key".to_owned()), Just("api_secret".to_owned())];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_refuses_random_json_or_changes_only_the_two_values(
        members in proptest::collection::btree_map("[a-c\"{}: ]{0,3}", json(), 0..4),
        halves in proptest::option::of((json(), json())),
        is_pretty: bool,
    ) {
        let mut members: Map<String, Value> = members.into_iter().collect();
        if let Some((key, secret)) = halves {
            members.insert("api_key".into(), key);
            members.insert("api_secret".into(), secret);
        }
        let old = Value::Object(members.clone());
        let text = if is_pretty { serde_json::to_string_pretty(&old) } else { serde_json::to_string(&old) };
        let is_nested = ["api_key", "api_secret"]
            .iter()
            .any(|name| members.get(*name).is_some_and(|half| half.is_object() || half.is_array()));
        let Some(new) = rewrite(&text.expect("JSON")) else {
            prop_assert!(is_nested, "{old} was refused");
            return Ok(());
        };
        prop_assert!(!is_nested, "{new} lost what was in a half");
        let mut new: Value = serde_json::from_str(&new).expect("JSON");
        let mut take = |name: &str| new.as_object_mut().expect("an object").remove(name);
        prop_assert_eq!(take("api_key"), Some(KEY.into()));
        prop_assert_eq!(take("api_secret"), Some(SECRET.into()));
        prop_assert!(take("created_at").is_some());
        members.remove("api_key");
        members.remove("api_secret");
        members.remove("created_at");
        prop_assert_eq!(new, Value::Object(members));
    }
}

/// Returns the environment of a shell after it has read `text`, or `None` if it cannot read it.
#[cfg(unix)]
fn sourced(text: &str) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), text).expect("a file");
    let mut shell = std::process::Command::new("sh");
    // Without a PATH, no word of the text runs a program.
    shell.args(["-c", "PATH=; set -a; . ./file; export -p"]).env_clear().current_dir(folder.path());
    let output = shell.output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_set = |line: &&str| !line.starts_with("export PWD=");
    output.status.success().then(|| text.lines().filter(is_set).map(str::to_owned).collect())
}

#[cfg(unix)]
proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn it_changes_nothing_else_for_a_shell(old in dotenv()) {
        // A shell reads the carriage return as a part of the value.
        let old = old.replace("\r\n", "\n");
        // The process number of the shell differs each time.
        let Some(new) = rewrite(&old).filter(|_| !old.contains("$$")) else { return Ok(()) };
        let (Some(before), Some(after)) = (sourced(&old), sourced(&new)) else { return Ok(()) };
        let is_ours = |line: &&String| line.contains("JUSTCALL_API_");
        let others = |lines: &[String]| lines.iter().filter(|line| !is_ours(line)).cloned().collect::<Vec<_>>();
        prop_assert_eq!(others(&before), others(&after), "{:?} became {:?}", old, new);
        for line in after.iter().filter(is_ours) {
            prop_assert!(line.contains(KEY) || line.contains(SECRET), "{:?} became {:?}: {}", old, new, line);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_control_a_shell_reveals_a_careless_change() {
    let old = sourced("NOTE='see\nJUSTCALL_API_KEY=a'\n").expect("it can be read");
    let careless = sourced("NOTE='see\nJUSTCALL_API_KEY=b'\n").expect("it can be read");
    assert!(old != careless && old.iter().any(|line| line.contains("NOTE=")), "{old:?}");
    assert_eq!(rewrite("NOTE='see\nJUSTCALL_API_KEY=a'\n"), None);
    assert!(rewrite("NOTE='see'\nJUSTCALL_API_KEY=a\n").is_some_and(|new| is_new(&new)));
}
