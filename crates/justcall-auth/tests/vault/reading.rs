//! The pair of the current version.

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::support::{KEY, SECRET, Variables, bao, new_path, pair, stored};

#[test]
fn it_reads_the_current_version_of_a_secret() {
    let (path, variables) = (stored(), Variables::root());
    let spelling = format!("vault:secret/{path}");
    let loaded = variables.load(&spelling).expect("a pair");
    assert_eq!(pair(&loaded), format!("{KEY}:{SECRET}"));
    let address = bao().address();
    assert_eq!(loaded.place, format!("The secret secret/{path} (version 1) in Vault at {address}"));
    assert_eq!((loaded.pair.created_at, loaded.pair.previous_compromised), (None, false));

    let next = json!({
        "api_key": KEY, "api_secret": "another-secret", "created_at": "2024-03-21T17:08:22Z", "previous_compromised": true,
    });
    bao().store(&path, &next);
    let loaded = variables.load(&spelling).expect("a pair");
    assert_eq!(pair(&loaded), format!("{KEY}:another-secret"));
    assert!(loaded.place.contains("(version 2)"), "{}", loaded.place);
    assert_eq!(loaded.pair.created_at, Some(Duration::from_secs(1_711_040_902)));
    assert!(loaded.pair.previous_compromised);
}

#[test]
fn it_takes_address_authority_and_token_from_the_source_or_the_environment() {
    let (path, token) = (stored(), bao().root_token());
    let folder = tempfile::tempdir().expect("a folder");
    let (token_file, home) = (folder.path().join("token"), folder.path().display().to_string());
    fs::write(&token_file, format!("{token}\n")).expect("a file");
    fs::write(folder.path().join(".vault-token"), token).expect("a file");
    let (address, ca) = (bao().address(), bao().ca_file().display());
    let in_source = format!("vault:{address}/secret/{path}?ca={ca}&token_file={}", token_file.display());
    let from_environment = format!("vault:secret/{path}");
    let root = Variables::root();
    for (spelling, variables) in [
        (&in_source, Variables::default()),
        (&in_source, Variables::with_token("another").with("VAULT_ADDR", "https://127.0.0.1:1")),
        (&from_environment, root.clone()),
        (&from_environment, root.clone().without("VAULT_TOKEN").with("HOME", &home)),
        (&from_environment, root.clone().with("HOME", "/nonexistent")),
        (
            &from_environment,
            Variables::default()
                .with("BAO_ADDR", &address)
                .with("BAO_CACERT", &ca.to_string())
                .with("BAO_TOKEN", &format!("{token}\n"))
                .with("VAULT_TOKEN", "another")
                .with("VAULT_ADDR", "https://127.0.0.1:1"),
        ),
        (&format!("vault:{}/secret/{path}", bao().plain_address()), root.clone()),
    ] {
        let loaded = variables.load(spelling).unwrap_or_else(|error| panic!("{spelling}: {error:?}"));
        assert_eq!(pair(&loaded), format!("{KEY}:{SECRET}"), "{spelling}");
    }
}

#[test]
fn it_reads_other_fields_engines_paths_and_namespaces() {
    let root = Variables::root();
    let path = new_path();
    bao().store(&format!("{path}/a%20b/%C3%BC"), &json!({"k": KEY, "s": SECRET, "api_key": "x"}));
    let loaded = root.load(&format!("vault:secret/{path}/a b/ü?key=k&secret=s")).expect("a pair");
    assert_eq!(pair(&loaded), format!("{KEY}:{SECRET}"));

    bao().mount("", &format!("team/{path}"));
    let fields = json!({"data": {"api_key": KEY, "api_secret": SECRET}});
    bao().post(&format!("team/{path}/data/justcall"), &fields);
    let loaded = root.load(&format!("vault:justcall?mount=team/{path}")).expect("a pair");
    assert_eq!(pair(&loaded), format!("{KEY}:{SECRET}"));

    bao().post(&format!("sys/namespaces/{path}"), &json!({}));
    bao().mount(&path, "secret");
    let token = Some(bao().root_token());
    let (status, answer) = bao().request_in(&path, "POST", "secret/data/justcall", token, &fields);
    assert_eq!(status, 200, "{answer}");
    for (spelling, variables) in [
        (format!("vault:secret/justcall?namespace={path}"), root.clone()),
        ("vault:secret/justcall".to_owned(), root.clone().with("VAULT_NAMESPACE", &path)),
    ] {
        assert_eq!(pair(&variables.load(&spelling).expect("a pair")), format!("{KEY}:{SECRET}"));
    }
    root.load("vault:secret/justcall").expect_err("the control: without the namespace there is no secret");
}
