//! A running server.

use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Authority;

/// The limit of each wait. A loaded machine takes seconds to start the server.
const LIMIT: Duration = Duration::from_secs(100);

/// Runs the server until the standard input is closed, also if the test is killed. Then removes its folder.
const SCRIPT: &str = r#"
"$1" server -config "$2/configuration.json" </dev/null >"$2/log" 2>&1 &
read -r _
kill -9 $!
wait
rm -rf "$2"
"#;

/// The storage of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// The memory of one server.
    Memory,
    /// The files of each server of a cluster.
    Raft,
}

/// A server of OpenBao. It ends when this value is dropped, or when the test ends.
pub struct Bao {
    shell: Child,
    input: Option<ChildStdin>,
    folder: PathBuf,
    ca_file: PathBuf,
    port: u16,
    plain_port: u16,
    root_token: String,
    unseal_key: String,
}

impl Bao {
    /// Starts an unsealed server with a KV engine of version 2 at `secret/`.
    pub fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let authority = Authority::new(folder.path());
        let mut bao = Self::sealed(folder, &authority, Storage::Memory);
        bao.initialise();
        bao.mount("", "secret");
        bao
    }

    /// Starts the first server of a cluster, unsealed, with a KV engine of version 2 at `secret/`.
    pub fn start_cluster(authority: &Authority) -> Self {
        let mut bao = Self::sealed(TempDir::new().expect("a folder"), authority, Storage::Raft);
        bao.initialise();
        bao.mount("", "secret");
        bao
    }

    /// Starts another server of the cluster of `leader`, unsealed.
    pub fn join(authority: &Authority, leader: &Self) -> Self {
        let mut bao = Self::sealed(TempDir::new().expect("a folder"), authority, Storage::Raft);
        let ca = fs::read_to_string(authority.file()).expect("the certificate of the authority");
        let (status, answer) = bao.request(
            "POST",
            "sys/storage/raft/join",
            None,
            &json!({"leader_api_addr": leader.address(), "leader_ca_cert": ca}),
        );
        assert_eq!(status, 200, "{answer}");
        bao.root_token.clone_from(&leader.root_token);
        bao.unseal_key.clone_from(&leader.unseal_key);
        bao.unseal();
        bao.wait_until("the server is a standby", || {
            bao.request("GET", "sys/leader", None, &Value::Null).1["leader_address"] == leader.address()
        });
        bao
    }

    /// Starts a server that is not initialised.
    pub fn sealed(folder: TempDir, authority: &Authority, storage: Storage) -> Self {
        // Found before the folder becomes that of the shell, which removes it.
        let program = program();
        let folder = folder.keep();
        let [certificate, key] = authority.issue(&folder);
        let [port, plain_port] = [free_port(), free_port()];
        let mut encrypted = json!({
            "address": format!("127.0.0.1:{port}"),
            "tls_cert_file": certificate,
            "tls_key_file": key,
        });
        let mut configuration = json!({
            "api_addr": format!("https://127.0.0.1:{port}"),
            "log_level": "warn",
        });
        configuration["storage"] = match storage {
            Storage::Memory => json!({"inmem": {}}),
            Storage::Raft => {
                let data = folder.join("data");
                fs::create_dir(&data).expect("the folder of the data");
                let cluster = format!("127.0.0.1:{}", free_port());
                configuration["cluster_addr"] = json!(format!("https://{cluster}"));
                encrypted["cluster_address"] = json!(cluster);
                json!({"raft": {"path": data, "node_id": format!("node-{port}"), "performance_multiplier": 1}})
            }
        };
        let plain = json!({"address": format!("127.0.0.1:{plain_port}"), "tls_disable": true});
        configuration["listener"] = json!([{"tcp": encrypted}, {"tcp": plain}]);
        fs::write(folder.join("configuration.json"), configuration.to_string()).expect("the configuration");
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(program)
            .arg(&folder)
            .env("HOME", &folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the shell starts");
        let input = shell.stdin.take();
        let ca_file = authority.file().to_owned();
        let (root_token, unseal_key) = (String::new(), String::new());
        let bao = Self { shell, input, folder, ca_file, port, plain_port, root_token, unseal_key };
        bao.wait_until("the server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        bao
    }

    fn initialise(&mut self) {
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let (status, answer) = self.request("POST", "sys/init", None, &shares);
        assert_eq!(status, 200, "{answer} {}", self.log());
        answer["root_token"].as_str().expect("a token").clone_into(&mut self.root_token);
        answer["keys"][0].as_str().expect("a key").clone_into(&mut self.unseal_key);
        self.unseal();
        self.wait_until("the server is active", || {
            self.request("GET", "sys/health", None, &Value::Null).0 == 200
        });
    }

    /// Unseals the server.
    pub fn unseal(&self) {
        let (status, answer) = self.request("POST", "sys/unseal", None, &json!({"key": self.unseal_key}));
        assert_eq!(status, 200, "{answer}");
    }

    /// Seals the server.
    pub fn seal(&self) {
        self.post("sys/seal", &json!({}));
    }

    /// Returns the address of the server.
    pub fn address(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Returns the address without TLS.
    pub fn plain_address(&self) -> String {
        format!("http://127.0.0.1:{}", self.plain_port)
    }

    /// Returns the file with the certificate of its authority.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Returns the token that may do everything.
    pub fn root_token(&self) -> &str {
        &self.root_token
    }

    /// Returns the folder of the server, for files of a test.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the log of the server.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Sends a request to the API with curl. Returns the status and the body.
    pub fn request(&self, method: &str, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        self.request_in("", method, path, token, body)
    }

    /// Sends a request in a namespace.
    pub fn request_in(
        &self,
        namespace: &str,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> (u16, Value) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--cacert"]).arg(&self.ca_file);
        curl.args(["--request", method, "--write-out", "\n%{http_code}", "--config", "-"]);
        // Tokens and bodies are not arguments, because process lists show those.
        let quoted = |text: &str| Value::from(text).to_string();
        let mut lines = vec![format!("url = \"{}/v1/{path}\"\n", self.address())];
        if let Some(token) = token {
            lines.push(format!("header = {}\n", quoted(&format!("X-Vault-Token: {token}"))));
        }
        if !namespace.is_empty() {
            lines.push(format!("header = {}\n", quoted(&format!("X-Vault-Namespace: {namespace}"))));
        }
        if !body.is_null() {
            lines.push(format!("data = {}\n", quoted(&body.to_string())));
        }
        let mut child = curl
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("curl is installed (debian-packages.txt)");
        child
            .stdin
            .take()
            .expect("it was piped")
            .write_all(lines.concat().as_bytes())
            .expect("curl reads its input");
        let output = child.wait_with_output().expect("curl ends");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let (body, status) = text.rsplit_once('\n').expect("the status is on the last line");
        (status.parse().expect("a status"), serde_json::from_str(body).unwrap_or_default())
    }

    /// Sends a request with the root token, which must succeed. Returns its body.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.request("POST", path, Some(&self.root_token), body);
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// Sends GET with the root token, which must succeed. Returns its body.
    pub fn get(&self, path: &str) -> Value {
        let (status, answer) = self.request("GET", path, Some(&self.root_token), &Value::Null);
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    /// Mounts a KV engine of version 2 at `path` in `namespace`. Waits until it can be used.
    pub fn mount(&self, namespace: &str, path: &str) {
        let token = Some(self.root_token());
        let engine = json!({"type": "kv", "options": {"version": "2"}});
        // The leader of a cluster needs a moment to become active, and an engine to be upgraded to version 2.
        self.wait_until("the engine is mounted", || {
            self.request_in(namespace, "POST", &format!("sys/mounts/{path}"), token, &engine).0 < 300
        });
        self.wait_until("the engine can be used", || {
            self.request_in(namespace, "GET", &format!("{path}/data/none"), token, &Value::Null).0 == 404
        });
    }

    /// Stores `fields` in a new version of the secret at `path`, under `secret/`.
    pub fn store(&self, path: &str, fields: &Value) {
        self.post(&format!("secret/data/{path}"), &json!({"data": fields}));
    }

    /// Returns the fields of the current version of the secret at `path`.
    pub fn stored(&self, path: &str) -> Value {
        self.get(&format!("secret/data/{path}"))["data"]["data"].clone()
    }

    /// Creates the policy `name` that permits `capabilities` on the secret at `path`.
    pub fn permit(&self, name: &str, path: &str, capabilities: &[&str]) {
        let list = Value::from(capabilities.to_vec());
        let policy = format!("path \"secret/data/{path}\" {{ capabilities = {list} }}");
        self.post(&format!("sys/policies/acl/{name}"), &json!({"policy": policy}));
    }

    /// Returns a token with `policies`. `ttl` is such as `1h`.
    pub fn token(&self, policies: &[&str], ttl: &str) -> String {
        let answer = self.post("auth/token/create", &json!({"policies": policies, "ttl": ttl}));
        answer["auth"]["client_token"].as_str().expect("a token").to_owned()
    }

    /// Enables the login `approle` with a role `app` that has `policies`. Returns its `role_id` and a `secret_id`.
    pub fn approle(&self, policies: &[&str], settings: &Value) -> (String, String) {
        if self.get("sys/auth")["data"]["approle/"].is_null() {
            self.post("sys/auth/approle", &json!({"type": "approle"}));
        }
        let mut role = json!({"token_policies": policies});
        for (name, value) in settings.as_object().into_iter().flatten() {
            role[name] = value.clone();
        }
        self.post("auth/approle/role/app", &role);
        let role_id = self.get("auth/approle/role/app/role-id")["data"]["role_id"].clone();
        let secret_id = self.post("auth/approle/role/app/secret-id", &json!({}))["data"]["secret_id"].clone();
        let text = |value: Value| value.as_str().expect("a text").to_owned();
        (text(role_id), text(secret_id))
    }

    /// Waits until `reached` returns true.
    pub fn wait_until(&self, what: &str, mut reached: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !reached() {
            assert!(begun.elapsed() < LIMIT, "{what} never happened: {}", self.log());
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        drop(self.input.take());
        let _status = self.shell.wait();
    }
}

/// Returns a port that is free now. If another process takes it first, the server ends and the test fails.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}

/// Returns the command of OpenBao, which `cargo xtask test` installs beside the Python tools.
pub fn program() -> PathBuf {
    let named = std::env::var_os("JUSTCALL_BAO").map(PathBuf::from);
    let program = named.unwrap_or_else(|| target_folder().join("venv/bin/bao"));
    assert!(program.exists(), "there is no OpenBao: set JUSTCALL_BAO, or run `cargo xtask test` once");
    program
}

/// Returns cargo's target folder, which contains this program.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the root of the repository");
    folder.map_or_else(|| root.join("target"), Path::to_owned)
}
