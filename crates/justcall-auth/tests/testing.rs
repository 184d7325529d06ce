//! The support for tests of programs. This file is a separate program, because the function affects all clients of the
//! process.

mod support;

use justcall_auth::testing::forget_rejections;
use justcall_auth::{Client, Error, ErrorKind, Request};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use support::{bare_config, pair, sandbox};

fn client(sandbox: &Sandbox) -> Client {
    Client::new(bare_config(sandbox).set_credentials(pair(sandbox))).expect("a client")
}

fn call(client: &Client) -> Result<(), Error> {
    client.request(Request::new("GET", "/v2.1/echo").expect("good")).map(drop)
}

#[test]
fn it_forgets_the_rejections_of_all_clients_of_the_process() {
    forget_rejections();
    let sandbox = sandbox();
    let first = client(&sandbox);
    let fault = json!({"fault": "answer", "status": 401, "path": "/v2.1/echo"});
    sandbox.control("POST", "faults", &fault).expect("a fault");
    assert!(call(&first).expect_err("a 401").request_sent());
    sandbox.control("DELETE", "faults", &Value::Null).expect("no fault");
    for client in [&first, &client(&sandbox)] {
        let error = call(client).expect_err("the pair was rejected a moment ago");
        assert_eq!((error.kind(), error.request_sent()), (ErrorKind::InvalidCredentials, false));
    }
    forget_rejections();
    for client in [&first, &client(&sandbox)] {
        call(client).expect("the pair is good again");
    }
}
