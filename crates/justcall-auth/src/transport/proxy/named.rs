//! The proxy of the configuration or the environment, and whether calls to a base URL use it.

use std::net::IpAddr;

use http::Uri;
use justcall_auth_protocol::error::Error;

use super::super::no_proxy;
use super::super::resolve::{host_and_port, without_brackets};
use super::{Proxy, refuse};
use crate::source::Environment;

/// A proxy of the configuration or the environment, and whether calls to a base URL use it.
#[derive(Debug, Clone)]
pub struct NamedProxy {
    /// The environment variable with the proxy, or `None` if it comes from the configuration.
    pub variable: Option<&'static str>,
    /// The reason why calls do not use the proxy, or `None` if they do.
    pub exception: Option<ProxyException>,
    /// The proxy, or `None` if it is not usable, which matters only if calls use it.
    proxy: Option<Proxy>,
}

/// The reason why calls do not use a named proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyException {
    /// The base URL is `http://`, which is allowed only for this machine.
    PlainHttp,
    /// The host of the base URL is this machine, and the proxy comes from the environment.
    Loopback,
    /// This entry of `NO_PROXY` covers the host of the base URL.
    Entry(String),
}

impl NamedProxy {
    /// Returns the proxy of the configuration.
    pub(crate) fn configured(proxy: Proxy, uri: &Uri) -> Self {
        Self { variable: None, exception: plain_http(uri), proxy: Some(proxy) }
    }

    /// Returns the proxy in `https_proxy` or `HTTPS_PROXY`. Calls use it unless the host of `uri` is this machine or
    /// `no_proxy` or `NO_PROXY` covers it.
    ///
    /// # Errors
    /// Fails with `invalid_argument` and the name of the variable if calls to `uri` would use a proxy that is not
    /// usable.
    pub(crate) fn of_environment(environment: &dyn Environment, uri: &Uri) -> Result<Option<Self>, Error> {
        let variable = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| {
                let value = environment.variable(name)?.to_string_lossy().into_owned();
                Some((name, value)).filter(|(_, value)| !value.is_empty())
            })
        };
        let Some((name, url)) = variable(["https_proxy", "HTTPS_PROXY"]) else { return Ok(None) };
        let list = variable(["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
        let exception = plain_http(uri).or_else(|| exception(uri, &list));
        let proxy = match Proxy::read(&url) {
            Ok(proxy) => Some(proxy),
            Err(_) if exception.is_some() => None,
            Err(unusable) => return Err(refuse(&format!("The proxy in the variable {name}"), &unusable)),
        };
        Ok(Some(Self { variable: Some(name), exception, proxy }))
    }

    /// Returns `host:port` without the login, or `None` if the proxy is not usable.
    pub fn address(&self) -> Option<String> {
        self.proxy.as_ref().map(Proxy::address)
    }

    /// Returns the proxy if calls use it.
    pub(crate) fn into_used(self) -> Option<Proxy> {
        self.proxy.filter(|_| self.exception.is_none())
    }
}

fn plain_http(uri: &Uri) -> Option<ProxyException> {
    (uri.scheme_str() != Some("https")).then_some(ProxyException::PlainHttp)
}

/// Returns the exception for a proxy of the environment, which is never used for the machine itself.
fn exception(uri: &Uri, list: &str) -> Option<ProxyException> {
    let (host, port) = host_and_port(uri);
    let bare = without_brackets(host).trim_end_matches('.');
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    if bare.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(is_loopback) {
        return Some(ProxyException::Loopback);
    }
    no_proxy::matching(list, host, port).map(|entry| ProxyException::Entry(entry.to_owned()))
}
