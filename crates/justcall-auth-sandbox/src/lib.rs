//! A local server that answers as the `JustCall` API does, for tests of programs that talk to it.
//!
//! It serves HTTPS with its own certificate authority, on loopback addresses only. It has accounts
//! with one pair of API key and secret each, and resets and revokes pairs immediately as the dashboard does, or after
//! an overlap for planned rotations. It answers every endpoint that the official client calls, and 401, 403, 422 and 429
//! with the documented bodies. On demand it fails: with late, early, truncated, reset, hanging or malformed answers, at
//! every stage of a connection. It records requests without the pair: only *which generation* of key and secret a
//! request carried.
//!
//! ```
//! use justcall_auth_sandbox::{Sandbox, SandboxConfig};
//! use serde_json::json;
//!
//! let sandbox = Sandbox::start(SandboxConfig::default())?;
//! let base_url = sandbox.url(); // the base URL for the client under test
//! let trust = sandbox.ca_file(); // the authority that it must trust
//! let pair = (sandbox.api_key(), sandbox.api_secret());
//!
//! // The next request gets 503, the one after it the normal answer.
//! sandbox.control("POST", "faults", &json!({"fault": "answer", "status": 503, "times": 1}))?;
//! // The dashboard's reset: the old pair ends immediately.
//! let new_pair = sandbox.control("POST", "reset", &json!({}))?;
//! assert_eq!(new_pair["generation"], 2);
//! # let _ = (base_url, trust, pair);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The command `justcall-auth-sandbox` is the same server. It prints its URLs and its pair as one line of JSON.
//! Tests in other languages control it over HTTP at its control URL, and people in a browser at its console. [`control`]
//! describes the calls.

// The layers from the bottom up. A module uses only those above it in this list:
//
// - `dialect`, `config`, `error`, `random`; `arguments`: those of the command;
// - `state`: accounts and pairs, faults, requests and webhooks, with all their changes; `wire`: messages and streams of bytes;
// - `shared`: what all connections share, including the state;
// - `api`: the service's answers; `webhook`: its events; `console`: the page for a browser; `control`: the calls that
//   control it; `handler`: one request, with the fault that strikes it;
// - `server`: sockets, TLS and connections; `sandbox`: the running server on its thread.
mod api;
mod arguments;
mod config;
mod console;
pub mod control;
mod dialect;
mod error;
mod handler;
mod random;
mod sandbox;
mod server;
mod shared;
mod state;
mod webhook;
mod wire;

pub use arguments::SandboxArguments;
pub use config::SandboxConfig;
pub use dialect::Dialect;
pub use error::{ControlError, StartError};
pub use sandbox::Sandbox;
