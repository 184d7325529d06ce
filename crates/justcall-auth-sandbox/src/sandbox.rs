//! A running sandbox.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::console;
use crate::control::ControlOrigin;
use crate::server::{Certificates, Listeners, Server};
use crate::shared::Shared;
use crate::state::{NewAccount, Pair};
use crate::{ControlError, SandboxConfig, StartError, control, random};

/// Bytes of the random token in the control URL.
const TOKEN_BYTES: usize = 16;

/// A running sandbox. It serves from its own thread until it is dropped; then every connection is cut,
/// the thread has ended, and the CA file is gone if the sandbox chose its name.
///
/// All methods may be called from any thread, also within an asynchronous runtime: none waits for the
/// network, but [`control`](Self::control) where it is asked to deliver webhooks.
pub struct Sandbox {
    shared: Arc<Shared>,
    control_url: String,
    console_url: Option<String>,
    pair: Pair,
    ca_file: Option<CaFile>,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox with one account (plan Pro, role Admin). When this returns, connections are accepted.
    ///
    /// # Errors
    ///
    /// [`StartError`] says which address, file or system call failed; nothing is left behind then.
    pub fn start(config: SandboxConfig) -> Result<Self, StartError> {
        let listeners = Listeners::bind(&config.listen, config.console)?;
        let (certificates, ca_file) = if config.http {
            (None, None)
        } else {
            let (certificates, pem) = Certificates::generate()?;
            (Some(certificates), Some(CaFile::write(config.ca_file, &pem)?))
        };
        let scheme = if config.http { "http" } else { "https" };
        let url = format!("{scheme}://{}", listeners.api_address);
        let token = random::hex(TOKEN_BYTES);
        let control_url = format!("{scheme}://{}/control/{token}/", listeners.control_address);
        let control_origin = ControlOrigin { scheme, port: listeners.control_address.port() };
        let console_url = listeners
            .console_address
            .map(|address| format!("http://{address}/control/{token}/{}", console::PAGE));
        let ca_path = ca_file.as_ref().map(|file| file.path.clone());
        let shared = Arc::new(Shared::new(config.dialect, url, token, ca_path));
        let pair = shared
            .state()
            .create_account(NewAccount::default())
            .expect("the first account has nothing to clash with")
            .pair()
            .clone();
        let server = Server { shared: Arc::clone(&shared), certificates, control_origin };
        let (runtime, stop, thread) = run(listeners, server)?;
        Ok(Self {
            shared,
            control_url,
            console_url,
            pair,
            ca_file,
            runtime,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where the API is, such as `https://127.0.0.1:43210`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The file (PEM) with the certificate of the authority that a client must trust; `None` under plain
    /// HTTP.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_ref().map(|file| file.path.as_path())
    }

    /// The key of the first account's first pair: 40 lower-case hex digits. A reset does not change what this
    /// returns.
    pub fn api_key(&self) -> &str {
        &self.pair.key
    }

    /// The secret of the first account's first pair: 40 lower-case hex digits. A reset does not change what
    /// this returns.
    pub fn api_secret(&self) -> &str {
        &self.pair.secret
    }

    /// Where control calls go over HTTP; it ends with a slash and holds the random token that admits them.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// Where the console is, for a browser on this machine; `None` unless the configuration asks for it. It holds the token
    /// of the control URL.
    pub fn console_url(&self) -> Option<&str> {
        self.console_url.as_deref()
    }

    /// Makes a control call without HTTP; [`control`](crate::control) describes the calls. `path` is what
    /// would follow the control URL, its query included; a body of [`Value::Null`] is none. `POST webhooks`
    /// blocks until the receivers have answered.
    ///
    /// # Errors
    ///
    /// [`ControlError`] with the status and message that the call would get over HTTP.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, ControlError> {
        if !control::waits(method, path) {
            return control::execute(&self.shared, method, path, body);
        }
        let (shared, body) = (Arc::clone(&self.shared), body.clone());
        let (method, path) = (method.to_owned(), path.to_owned());
        let (answer, answered) = mpsc::channel();
        self.runtime.spawn(async move {
            // It fails only if the caller waits no more.
            let _ = answer.send(control::execute_waiting(&shared, &method, &path, &body).await);
        });
        answered.recv().expect("the sandbox serves until it is dropped, which takes it by value")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It fails only if the thread has ended.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported on its thread; a second one here would abort.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url()).finish_non_exhaustive()
    }
}

fn run(
    listeners: Listeners,
    server: Server,
) -> Result<(Handle, oneshot::Sender<()>, JoinHandle<()>), StartError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)?;
    let handle = runtime.handle().clone();
    let (stop, stopped) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("justcall-auth-sandbox".to_owned())
        .spawn(move || {
            runtime.block_on(listeners.serve(server, stopped)).expect("bound sockets can be polled");
        })
        .map_err(StartError::Runtime)?;
    Ok((handle, stop, thread))
}

/// The authority's certificate on disk; removed with this value if the sandbox chose the name.
struct CaFile {
    path: PathBuf,
    ours: bool,
}

impl CaFile {
    fn write(path: Option<PathBuf>, pem: &str) -> Result<Self, StartError> {
        let ours = path.is_none();
        let path = path.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("justcall-auth-sandbox-{}.pem", random::hex(8)))
        });
        // A name of our own must be new: whatever waits under it in a shared directory is not ours to write to.
        let mut options = OpenOptions::new();
        options.write(true).create(!ours).truncate(!ours).create_new(ours);
        let written = options.open(&path).and_then(|mut file| file.write_all(pem.as_bytes()));
        match written {
            Ok(()) => Ok(Self { path, ours }),
            Err(error) => Err(StartError::CaFile(path, error)),
        }
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if self.ours {
            // Somebody may have cleaned up before us.
            let _ = fs::remove_file(&self.path);
        }
    }
}
