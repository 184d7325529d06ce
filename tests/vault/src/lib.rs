//! A real server of OpenBao for tests: over TLS on loopback, with a certificate of an authority that the test creates.
//!
//! [`Bao`] starts a server and controls it with curl. [`JwtIssuer`] signs JWTs, as Kubernetes does for a service
//! account. A failure of the support panics, because no test can continue without it.

mod bao;
mod certificates;
mod jwt;

pub use bao::{Bao, Storage, program};
pub use certificates::Authority;
pub use jwt::JwtIssuer;
