//! A local server that answers as the `JustCall` API does, for tests of programs that talk to it.
//!
//! It speaks HTTPS with its own certificate authority, on loopback addresses only. It knows accounts
//! with one pair of API key and secret each, resets and revokes pairs at once as the dashboard does (or after
//! an overlap, for planned rotations), answers 401, 403 and 429 in the documented bodies, and breaks on
//! demand: late, early, cut, reset, hanging or malformed answers, at every stage of a connection. What came
//! in is on record, without the pair: only *which generation* of key and secret a request carried.
//!
//! ```
//! use justcall_auth_sandbox::{Sandbox, SandboxConfig};
//! use serde_json::json;
//!
//! let sandbox = Sandbox::start(SandboxConfig::default())?;
//! let base_url = sandbox.url(); // what the client under test is pointed at
//! let trust = sandbox.ca_file(); // what it has to trust
//! let pair = (sandbox.api_key(), sandbox.api_secret());
//!
//! // The next request is answered 503; then all is well again.
//! sandbox.control("POST", "faults", &json!({"fault": "answer", "status": 503, "times": 1}))?;
//! // The dashboard's reset: the old pair is dead at once.
//! let new_pair = sandbox.control("POST", "reset", &json!({}))?;
//! assert_eq!(new_pair["generation"], 2);
//! # let _ = (base_url, trust, pair);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same server is the command `justcall-auth-sandbox`, which prints where it listens as one line of JSON;
//! tests in other languages steer it over HTTP at its control URL, and people in a browser at its console. The calls are described in [`control`].

// Where a change belongs, from the bottom up; a module uses only those above it in this list:
//
// - `config`, `error`, `random`;
// - `state`: what is remembered (accounts and pairs, faults, requests), and `wire`: messages and streams of bytes;
// - `shared`: what all connections share, the state among it;
// - `api`: the service's answers; `webhook`: its events; `console`: the page for a browser; `control`: the calls that steer it; `handler`: one request, struck by
//   a fault or not;
// - `server`: sockets, TLS and connections; `sandbox`: all of it on a thread.
mod api;
mod config;
mod console;
pub mod control;
mod error;
mod handler;
mod random;
mod sandbox;
mod server;
mod shared;
mod state;
mod webhook;
mod wire;

pub use config::{Dialect, SandboxConfig};
pub use error::{ControlError, StartError};
pub use sandbox::Sandbox;
