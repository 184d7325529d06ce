//! The descriptions of the service that a sandbox can follow.

/// The two descriptions of the service. They differ, and a client must work with both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Dialect {
    /// The help article "API Authentication": `GET /v2/account` exists, errors have the status `error`, rate
    /// limits are in `X-RateLimit-*` headers and `Retry-After`.
    #[default]
    Article,
    /// Measurements of the live service: `GET /v2/account` is 404, a rejected pair gets `Unauthorized`
    /// with the status `failed`, rate limits are in `X-Rate-Limit-*` and `X-Rate-Limit-Burst-*` headers
    /// without `Retry-After`.
    Measured,
}
