//! The settings of a client, apart from the pair.

use std::sync::Arc;
use std::time::Duration;

use justcall_auth::{Config, Error};
use pyo3::prelude::*;

use crate::arguments::{
    BaseUrl, CaFile, ExpectedAccount, LocalAddress, MaxResponseLength, MaxRetries, MemoryProtection, Proxy,
    RotationWait, StateFile, Timeout, VerifyPath,
};
use crate::body::bytes;
use crate::event::Observer;

/// The argument `ca_pem`.
pub(crate) struct CaPem(Vec<u8>);

impl FromPyObject<'_, '_> for CaPem {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        bytes("ca_pem", &object).map(Self)
    }
}

/// The settings from Python's arguments.
pub(crate) struct Settings {
    pub(crate) base_url: Option<BaseUrl>,
    pub(crate) verify_path: Option<VerifyPath>,
    pub(crate) timeout: Option<Timeout>,
    pub(crate) max_retries: MaxRetries,
    pub(crate) rotation_wait: RotationWait,
    pub(crate) ca_file: Option<CaFile>,
    pub(crate) ca_pem: Option<CaPem>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) local_address: Option<LocalAddress>,
    pub(crate) max_response_length: MaxResponseLength,
    pub(crate) expected_account: Option<ExpectedAccount>,
    pub(crate) memory_protection: MemoryProtection,
    pub(crate) state_file: Option<StateFile>,
    pub(crate) observer: Arc<Observer>,
}

impl Settings {
    /// Applies all settings to `config`. Reads no file.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), Error> {
        if let Some(url) = &self.base_url {
            config.set_base_url(&url.0)?;
        }
        if let Some(path) = &self.verify_path {
            config.set_verify_path(&path.0)?;
        }
        match (&self.ca_file, &self.ca_pem) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid_argument("The arguments ca_pem and ca_file cannot be combined."));
            }
            (Some(path), None) => drop(config.set_ca_file(&path.0)?),
            (None, Some(pem)) => drop(config.set_ca_pem(&pem.0)?),
            (None, None) => {}
        }
        if let Some(path) = &self.state_file {
            config.set_state_file(&path.0)?;
        }
        if let Some(url) = &self.proxy {
            config.set_proxy(&url.0)?;
        }
        if let Some(address) = &self.local_address {
            config.set_local_address(&address.0)?;
        }
        if let Some(account) = &self.expected_account {
            config.set_expected_account(account.0)?;
        }
        config.set_timeout(self.timeout.as_ref().map_or(Duration::ZERO, |timeout| timeout.0));
        config.set_max_retries(self.max_retries.0);
        config.set_max_response_length(self.max_response_length.0);
        config.set_rotation_wait(self.rotation_wait.0);
        config.set_memory_protection(self.memory_protection.0);
        config.set_observer(self.observer.clone());
        Ok(())
    }
}
