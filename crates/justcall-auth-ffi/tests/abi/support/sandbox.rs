//! A sandbox, and its pair in the formats of the programs.

use std::path::PathBuf;

use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;
use tempfile::TempDir;

/// A sandbox with a file that holds the pair of its first account.
pub(crate) struct Service {
    pub(crate) sandbox: Sandbox,
    folder: TempDir,
}

impl Service {
    pub(crate) fn start() -> Self {
        Self::with(SandboxConfig::default())
    }

    /// Starts a sandbox with plain HTTP.
    pub(crate) fn start_plain() -> Self {
        Self::with(SandboxConfig { http: true, ..SandboxConfig::default() })
    }

    fn with(config: SandboxConfig) -> Self {
        let sandbox = Sandbox::start(config).expect("a sandbox starts");
        Self { sandbox, folder: tempfile::tempdir().expect("a folder for the test") }
    }

    pub(crate) fn ca_file(&self) -> &str {
        self.sandbox.ca_file().and_then(|path| path.to_str()).expect("TLS is on, the path is ours")
    }

    /// Returns a source with the sandbox's pair.
    pub(crate) fn good_source(&self) -> String {
        self.source("good", self.sandbox.api_secret())
    }

    /// Returns a source with the sandbox's key and a wrong secret.
    pub(crate) fn bad_source(&self) -> String {
        self.source("bad", &"0".repeat(40))
    }

    fn source(&self, name: &str, secret: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        std::fs::write(&path, format!("{}:{secret}\n", self.sandbox.api_key())).expect("the test's file");
        format!("file:{}", path.display())
    }

    /// Returns the line that the command `justcall-auth-sandbox` would print.
    pub(crate) fn line(&self) -> String {
        let sandbox = &self.sandbox;
        json!({
            "url": sandbox.url(),
            "ca_file": sandbox.ca_file(),
            "api_key": sandbox.api_key(),
            "api_secret": sandbox.api_secret(),
            "control_url": sandbox.control_url(),
        })
        .to_string()
    }
}
