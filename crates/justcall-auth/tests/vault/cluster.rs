//! Several servers of one cluster, and servers that do not answer.

use std::net::TcpListener;

use justcall_auth::ErrorKind;
use justcall_auth_vault_tests::{Authority, Bao, Storage};
use serde_json::json;

use crate::support::{KEY, SECRET, Variables, bao, pair, stored};

#[test]
fn it_reads_from_a_standby_and_from_the_first_server_that_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path());
    let leader = Bao::start_cluster(&authority);
    leader.store("a", &json!({"api_key": KEY, "api_secret": SECRET}));
    let standby = Bao::join(&authority, &leader);
    let sealed = Bao::sealed(tempfile::tempdir().expect("a folder"), &authority, Storage::Memory);
    let variables = Variables::of(&leader).with("VAULT_TOKEN", leader.root_token());
    let (leader_address, standby_address) = (leader.address(), standby.address());
    // A port on which nothing listens, because the listener is dropped.
    let dead = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let dead = format!("https://{dead}");
    let expected = format!("{KEY}:{SECRET}");
    for addresses in [
        vec![&standby_address],
        vec![&dead, &leader_address],
        vec![&dead, &sealed.address(), &standby_address],
        vec![&leader_address, &dead],
    ] {
        let list = addresses.iter().map(|address| address.as_str()).collect::<Vec<_>>().join(",");
        let in_source = variables.clone().without("VAULT_ADDR").load(&format!("vault:{list}/secret/a"));
        assert_eq!(pair(&in_source.expect(&list)), expected);
        let in_environment = variables.clone().with("VAULT_ADDR", &list).load("vault:secret/a");
        assert_eq!(pair(&in_environment.expect(&list)), expected);
    }
    // The error of the first server counts.
    let list = format!("{},{dead}", sealed.address());
    let error = variables.clone().with("VAULT_ADDR", &list).load("vault:secret/a").expect_err(&list);
    assert_eq!((error.kind(), error.reason()), (ErrorKind::SourceUnavailable, Some("vault_sealed")));
    assert!(error.message().contains(&sealed.address()), "{error}");

    // A login creates a token, which only the leader can do. The standby forwards it.
    leader.permit("app", "a", &["read"]);
    let (role_id, secret_id) = leader.approle(&["app"], &json!({}));
    let login = variables.with("VAULT_ROLE_ID", &role_id).with("VAULT_SECRET_ID", &secret_id);
    let login = login.with("VAULT_ADDR", &standby_address);
    let spelling = "vault:secret/a?auth=approle";
    // The new role reaches the standby after a moment.
    standby.wait_until("the standby forwards the login", || {
        login.load(spelling).is_ok_and(|loaded| pair(&loaded) == expected)
    });
    drop(leader);
    standby.wait_until("the standby has noticed that the leader is gone", || {
        let result = login.load(spelling).map(drop);
        result.is_err_and(|error| error.reason() == Some("vault_standby"))
    });
}

#[test]
fn it_leaves_a_server_that_does_not_answer_in_time_for_the_others() {
    // A listener that accepts no connection: the kernel connects, but no answer comes.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("https://{}", silent.local_addr().expect("an address"));
    let path = stored();
    let list = format!("{silent},{}", bao().address());
    let loaded = Variables::root().with("VAULT_ADDR", &list).load(&format!("vault:secret/{path}"));
    assert_eq!(pair(&loaded.expect("a pair")), format!("{KEY}:{SECRET}"));
}
