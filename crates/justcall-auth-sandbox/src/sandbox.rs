//! A running sandbox.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

use crate::console;
use crate::control::ControlOrigin;
use crate::server::{AUTHORITY, Certificates, Listeners, Server};
use crate::shared::Shared;
use crate::state::{NewAccount, Pair};
use crate::{ControlError, SandboxConfig, StartError, control, random};

/// Bytes of the random token in the control URL.
const TOKEN_BYTES: usize = 16;

/// A running sandbox. It serves on its own thread until it is dropped. Dropping it cuts every connection,
/// ends the thread, and removes the CA file if the sandbox chose its name.
///
/// All methods may be called from any thread, also within an asynchronous runtime. None waits for the
/// network, except [`control`](Self::control) when it delivers webhooks.
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
    /// Starts a sandbox with one account (plan Pro, role Admin). It accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// Fails with [`StartError`], which names the address, file or system call that failed, and leaves nothing behind.
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

    /// Returns the URL of the API, such as `https://127.0.0.1:43210`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Returns the file (PEM) with the certificate of the authority that a client must trust, or `None` with plain
    /// HTTP.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_ref().map(|file| file.path.as_path())
    }

    /// Returns the key of the first account's first pair: 40 lower-case hex digits. A reset does not change what this
    /// returns.
    pub fn api_key(&self) -> &str {
        &self.pair.key
    }

    /// Returns the secret of the first account's first pair: 40 lower-case hex digits. A reset does not change what
    /// this returns.
    pub fn api_secret(&self) -> &str {
        &self.pair.secret
    }

    /// Returns the URL for control calls over HTTP. It ends with a slash and contains the random token that admits them.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// Returns the URL of the console, for a browser on this machine, or `None` unless it is configured. It contains the
    /// token of the control URL.
    pub fn console_url(&self) -> Option<&str> {
        self.console_url.as_deref()
    }

    /// Makes a control call without HTTP. [`control`](crate::control) describes the calls. `path` is the part after
    /// the control URL, including the query. [`Value::Null`] is no body. `POST webhooks`
    /// blocks until the receivers have answered.
    ///
    /// # Errors
    ///
    /// Fails with [`ControlError`], with the status and message that the call would get over HTTP.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, ControlError> {
        if !control::waits(method, path) {
            return control::execute(&self.shared, method, path, body);
        }
        let (shared, body) = (Arc::clone(&self.shared), body.clone());
        let (method, path) = (method.to_owned(), path.to_owned());
        let (answer, answered) = mpsc::channel();
        self.runtime.spawn(async move {
            // Fails only if the caller no longer waits.
            let _ = answer.send(control::execute_waiting(&shared, &method, &path, &body).await);
        });
        answered.recv().expect("the sandbox serves until it is dropped, which takes it by value")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only if the thread has ended.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server was reported on its thread, and a second one here would abort.
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

/// The file of the authority's certificate. Dropping this removes it if the sandbox chose the name.
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
        let failed = |error| StartError::CaFile(path.clone(), error);
        // A name that the sandbox chose must be new, so that no file or link of another user is written to.
        let mut options = OpenOptions::new();
        options.write(true).create(!ours).create_new(ours);
        let mut file = options.open(&path).map_err(failed)?;
        // A pipe or a terminal is only written to.
        if file.metadata().map_err(failed)?.is_file() {
            let mut found = Vec::new();
            let reader = File::open(&path).map_err(failed)?;
            reader.take(LONGEST_CA_FILE + 1).read_to_end(&mut found).map_err(failed)?;
            if !is_replaceable(&found) {
                return Err(StartError::CaFileNotOurs(path));
            }
            file.set_len(0).map_err(failed)?;
        }
        file.write_all(pem.as_bytes()).map_err(failed)?;
        Ok(Self { path, ours })
    }
}

/// More than the certificate of an authority, which has less than a kilobyte.
const LONGEST_CA_FILE: u64 = 8 * 1024;

/// Whether a file may be overwritten: it is empty, or it has the certificate of a sandbox's authority and nothing else.
fn is_replaceable(contents: &[u8]) -> bool {
    if contents.is_empty() {
        return true;
    }
    let Some(text) = std::str::from_utf8(contents).ok().filter(|text| text.len() as u64 <= LONGEST_CA_FILE)
    else {
        return false;
    };
    let is_one_certificate = text.trim_end().ends_with("-----END CERTIFICATE-----")
        && text.starts_with("-----BEGIN CERTIFICATE-----")
        && text.matches("-----BEGIN").count() == 1;
    is_one_certificate
        && CertificateDer::from_pem_slice(contents)
            .is_ok_and(|der| der.windows(AUTHORITY.len()).any(|name| name == AUTHORITY.as_bytes()))
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if self.ours {
            // Fails if another program has removed it already.
            let _ = fs::remove_file(&self.path);
        }
    }
}
