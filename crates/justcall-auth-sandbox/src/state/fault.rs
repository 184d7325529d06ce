//! The kinds of faults, and the requests that each one is for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A kind of fault, in the spelling of `POST faults`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FaultKind {
    Delay {
        ms: u64,
    },
    Hang {},
    HangBody {},
    ResetBeforeRequest {},
    ResetAfterRequest {},
    CloseAfterRequest {},
    TruncatedBody {},
    Answer(FaultAnswer),
    Raw(RawBytes),
    Interim(Interim),
    KeyUpdate {
        #[serde(default)]
        after_bytes: usize,
    },
    HugeBody {
        bytes: u64,
        #[serde(default)]
        chunked: bool,
    },
    HugeHeaders {
        bytes: usize,
    },
    SlowBody {
        chunk_bytes: usize,
        every_ms: u64,
    },
    SlowHandshake {
        ms: u64,
    },
    HangHandshake {},
    RawHandshake(RawBytes),
    Tls {
        certificate: BadCertificate,
    },
    CloseIdle {
        #[serde(default)]
        after_ms: u64,
    },
}

/// An answer in place of the service's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultAnswer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, HeaderValues>,
    pub(crate) body: Option<Value>,
    pub(crate) content_type: Option<String>,
    pub(crate) early: Option<Early>,
}

/// An answer that is sent before the whole request was read. Nothing more is read after it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Early {
    /// How many bytes of the body are read before the answer.
    pub(crate) after_bytes: usize,
    /// What happens to the connection.
    pub(crate) then: Then,
}

impl Default for Early {
    fn default() -> Self {
        Self { after_bytes: 0, then: Then::Hang }
    }
}

/// What happens to a connection after an early answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Then {
    /// It stays open, and nothing is read.
    Hang,
    /// An orderly close. Bytes that still arrive are read for a while and discarded.
    Close,
    /// A TCP reset.
    Reset,
    /// The end of TCP without a TLS `close_notify`.
    Cut,
    /// An unencrypted TLS alert, then the same end.
    Alert,
}

/// An informational answer in the middle of a request's body. The normal answer follows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Interim {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) after_bytes: usize,
}

/// One value of a header, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum HeaderValues {
    One(String),
    Several(Vec<String>),
}

impl HeaderValues {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(value) => std::slice::from_ref(value).iter(),
            Self::Several(values) => values.iter(),
        }
        .map(String::as_str)
    }
}

/// The most bytes that a raw fault may write.
const MAX_RAW: usize = 64 * 1024 * 1024;

/// Bytes that need not be HTTP.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBytes {
    bytes: Option<String>,
    base64: Option<String>,
    parts: Option<Vec<RawPart>>,
    /// How many of the bytes are written.
    cut_after: Option<usize>,
    /// The pause after each byte.
    pub(crate) every_ms: Option<u64>,
    /// What happens to the connection after the bytes, if they are no early answer.
    pub(crate) then: Option<Then>,
    pub(crate) early: Option<Early>,
}

/// Bytes that are written so many times.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    bytes: Option<String>,
    base64: Option<String>,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

impl RawBytes {
    /// Returns the bytes to write. Fails with a message if they are missing or invalid.
    pub(crate) fn decode(&self) -> Result<Vec<u8>, String> {
        let mut bytes = match &self.parts {
            None => decode(self.bytes.as_ref(), self.base64.as_ref())?,
            Some(_) if self.bytes.is_some() || self.base64.is_some() => {
                return Err("parts are in place of bytes and base64".to_owned());
            }
            Some(parts) => {
                let mut all = Vec::new();
                for part in parts {
                    let bytes = decode(part.bytes.as_ref(), part.base64.as_ref())?;
                    let length = bytes.len().checked_mul(part.times).filter(|length| *length <= MAX_RAW);
                    if length.is_none_or(|length| all.len() + length > MAX_RAW) {
                        return Err("raw goes to 64 MiB".to_owned());
                    }
                    all.extend(bytes.repeat(part.times));
                }
                all
            }
        };
        if self.then.is_some() && self.early.is_some() {
            return Err("an early answer has its own then".to_owned());
        }
        bytes.truncate(self.cut_after.unwrap_or(usize::MAX));
        Ok(bytes)
    }
}

fn decode(bytes: Option<&String>, base64: Option<&String>) -> Result<Vec<u8>, String> {
    match (bytes, base64) {
        (Some(text), None) => Ok(text.clone().into_bytes()),
        (None, Some(encoded)) => STANDARD.decode(encoded).map_err(|error| format!("base64: {error}")),
        _ => Err("raw takes either bytes or base64".to_owned()),
    }
}

/// A certificate that a client must reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BadCertificate {
    Expired,
    NotYetValid,
    WrongHost,
    UnknownCa,
}

impl FaultKind {
    /// Returns how many bytes of the body are read before the fault strikes; `None` for all.
    pub(crate) fn strikes_after(&self) -> Option<usize> {
        match self {
            Self::Answer(FaultAnswer { early, .. }) | Self::Raw(RawBytes { early, .. }) => {
                early.map(|early| early.after_bytes)
            }
            Self::Interim(Interim { after_bytes, .. }) | Self::KeyUpdate { after_bytes } => {
                Some(*after_bytes)
            }
            _ => None,
        }
    }

    /// Returns true if the fault strikes a new connection, before there is a request.
    pub(crate) fn is_for_connections(&self) -> bool {
        matches!(
            self,
            Self::ResetBeforeRequest {}
                | Self::SlowHandshake { .. }
                | Self::HangHandshake {}
                | Self::RawHandshake(_)
                | Self::Tls { .. }
        )
    }
}

/// The requests (or, for some kinds, connections) that a fault is for.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Filter {
    path: Option<String>,
    method: Option<String>,
    api_key: Option<String>,
    pub(crate) times: Option<u64>,
    pub(crate) skip: u64,
    pub(crate) rate: f64,
}

impl Default for Filter {
    fn default() -> Self {
        Self { path: None, method: None, api_key: None, times: None, skip: 0, rate: 1.0 }
    }
}

impl Filter {
    /// Returns false if no request can have the path of the filter.
    pub(crate) fn can_meet_a_path(&self) -> bool {
        self.path.as_deref().is_none_or(|path| path.starts_with('/') && !path.contains('?'))
    }

    /// Returns true if the filter needs a request: a connection has no path, method or key.
    pub(crate) fn is_for_requests(&self) -> bool {
        self.path.is_some() || self.method.is_some() || self.api_key.is_some()
    }

    /// Returns true if a request has the path, method and key of the filter, regardless of how often it strikes.
    pub(crate) fn meets(&self, method: &str, path: &str, authorization: Option<&str>) -> bool {
        self.path.as_deref().is_none_or(|wanted| wanted == path)
            && self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .api_key
                .as_deref()
                .is_none_or(|wanted| authorization.is_some_and(|value| value.starts_with(wanted)))
    }
}

/// A fault with the requests that it is for.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) name: String,
    pub(crate) kind: FaultKind,
    pub(crate) filter: Filter,
}

impl Fault {
    /// Parses a fault in the format of `POST faults`.
    pub(crate) fn from_json(mut object: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let mut filters = Map::new();
        for name in ["path", "method", "api_key", "times", "skip", "rate"] {
            if let Some(value) = object.remove(name) {
                filters.insert(name.to_owned(), value);
            }
        }
        let name = object.get("fault").and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = serde_json::from_value(Value::Object(object))?;
        let filter = serde_json::from_value(Value::Object(filters))?;
        Ok(Self { name, kind, filter })
    }
}
