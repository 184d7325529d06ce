//! Reads the vectors. A key that is not known is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value};

use super::server::ServerKind;

/// The folders of the vectors.
pub const FOLDERS: [&str; 3] = ["servers", "networks", "clocks"];

/// A fault, and the calls that meet it.
#[derive(Debug, Clone)]
pub struct Vector {
    /// As it was read.
    pub json: Value,
    /// The folder and the file, such as `servers/nginx`.
    pub file: String,
    /// Its number in the file.
    pub number: usize,
    /// The fault in one sentence.
    pub about: String,
    /// The server that the client connects to, or `None`: the sandbox.
    pub server: Option<ServerKind>,
    /// The lines of each section of the server's configuration.
    pub configuration: Map<String, Value>,
    /// The certificate of the server.
    pub certificate: String,
    /// A fault of the sandbox behind the server, or null.
    pub fault: Value,
    /// The commands that set up a separate network.
    pub network: Option<Vec<String>>,
    /// The names that a name server in that network knows.
    pub names: Option<Map<String, Value>>,
    /// The time of the calling program: see [`super::clock`].
    pub clock: Option<String>,
    /// How many seconds the monotonic clock of the calling program has run.
    pub uptime: Option<i64>,
    /// The base URL.
    pub base_url: String,
    /// The source of the pair.
    pub pair: PairKind,
    /// The timeout of a call.
    pub timeout: Duration,
    /// `max_retries` of the client.
    pub retries: u32,
    /// What happens in turn.
    pub steps: Vec<Step>,
}

/// A pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairKind {
    /// The first account of the sandbox.
    Sandbox,
    /// The pair that signed the example of the official reference.
    Webhook,
}

/// A step of a vector.
#[derive(Debug, Clone)]
pub enum Step {
    /// Something changes.
    Act(Action),
    /// The program makes a call.
    Call {
        /// The words of the call.
        call: String,
        /// What changes while the call runs, and how long after its beginning.
        during: Option<(Duration, Action)>,
        /// The row in which it must end.
        expect: Expect,
    },
}

/// A change of the world.
#[derive(Debug, Clone)]
pub enum Action {
    /// The server reads its configuration again, and replaces its processes.
    Reload,
    /// The server ends.
    Stop,
    /// Nothing, until the server has closed its connections.
    AwaitClose,
    /// The clock of the calling program jumps.
    Clock(String),
    /// A command runs in the separate network.
    Run(String),
    /// The sandbox has another fault, or none if null.
    Fault(Value),
}

/// The row of a call.
#[derive(Debug, Clone)]
pub struct Expect {
    /// The name of the error, or `ok`.
    pub name: String,
    /// The HTTP status.
    pub http_status: u16,
    /// `None`: either, because two ends race.
    pub request_sent: Option<bool>,
    /// `None`: there is none.
    pub retry_after_ms: Option<u64>,
    /// How many requests the server received for this call. `None`: any number.
    pub received: Option<usize>,
}

const KEYS: [&str; 14] = [
    "about",
    "server",
    "configuration",
    "certificate",
    "fault",
    "network",
    "names",
    "clock",
    "uptime_s",
    "base_url",
    "pair",
    "timeout_ms",
    "retries",
    "steps",
];

/// Returns the vectors of all folders.
///
/// # Errors
/// If a file is not as the README describes it.
pub fn all() -> Result<Vec<Vector>> {
    let mut vectors = Vec::new();
    for folder in FOLDERS {
        let mut files: Vec<PathBuf> = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        for path in files {
            vectors.extend(in_file(folder, &path)?);
        }
    }
    Ok(vectors)
}

fn in_file(folder: &str, path: &Path) -> Result<Vec<Vector>> {
    let stem = path.file_stem().context("a file has a name")?.to_string_lossy();
    let file = format!("{folder}/{stem}");
    let list: Value = serde_json::from_slice(&fs::read(path)?).with_context(|| file.clone())?;
    let list = list.as_array().with_context(|| format!("{file} is not a list"))?;
    list.iter()
        .enumerate()
        .map(|(number, value)| {
            Vector::parse(&file, number, value).with_context(|| format!("{file}, number {number}"))
        })
        .collect()
}

impl Vector {
    /// Reads a vector.
    ///
    /// # Errors
    /// If it is not as the README describes it.
    pub fn parse(file: &str, number: usize, value: &Value) -> Result<Self> {
        let members = only(value, &KEYS)?;
        let text = |name: &str, usual: &str| match members.get(name) {
            None => Ok(usual.to_owned()),
            Some(value) => text(value),
        };
        let count = |name: &str, usual: u64| match members.get(name) {
            None => Ok(usual),
            Some(value) => value.as_u64().with_context(|| format!("{name} is no number")),
        };
        let section = |name: &str| {
            members
                .get(name)
                .map(|value| value.as_object().cloned().with_context(|| format!("{name} is not an object")))
        };
        let steps = members.get("steps").and_then(Value::as_array).context("there are no steps")?;
        Ok(Self {
            json: value.clone(),
            file: file.to_owned(),
            number,
            about: text("about", "")?,
            server: match text("server", "nginx")?.as_str() {
                "sandbox" => None,
                server => Some(ServerKind::parse(server)?),
            },
            configuration: section("configuration").transpose()?.unwrap_or_default(),
            certificate: text("certificate", "good")?,
            fault: members.get("fault").cloned().unwrap_or_default(),
            network: members.get("network").map(texts).transpose()?,
            names: section("names").transpose()?,
            clock: members.get("clock").map(self::text).transpose()?,
            uptime: members.get("uptime_s").and_then(Value::as_i64),
            base_url: text("base_url", "https://localhost:{port}")?,
            pair: match text("pair", "sandbox")?.as_str() {
                "sandbox" => PairKind::Sandbox,
                "webhook" => PairKind::Webhook,
                other => bail!("unknown pair {other:?}"),
            },
            timeout: Duration::from_millis(count("timeout_ms", 20_000)?),
            retries: count("retries", 0)?.try_into()?,
            steps: steps.iter().map(Step::parse).collect::<Result<_>>()?,
        })
    }

    /// Returns the name of the vector, for people.
    pub fn title(&self) -> String {
        format!("{}: {}", self.file, self.about)
    }
}

impl Step {
    fn parse(value: &Value) -> Result<Self> {
        let Some(call) = value.get("call") else { return Action::parse(value).map(Self::Act) };
        let members = only(value, &["call", "during", "expect"])?;
        let during = match members.get("during") {
            None => None,
            Some(during) => {
                let mut action = during.clone();
                let after = action.as_object_mut().and_then(|during| during.remove("after_ms"));
                let after = after.and_then(|after| after.as_u64()).context("during has no after_ms")?;
                Some((Duration::from_millis(after), Action::parse(&action)?))
            }
        };
        let call = text(call)?;
        let expect = Expect::parse(value.get("expect").context("a call has no expect")?)?;
        expect.check(&call)?;
        Ok(Self::Call { call, during, expect })
    }
}

impl Action {
    fn parse(value: &Value) -> Result<Self> {
        let members = only(value, &["do", "clock", "run", "fault"])?;
        ensure!(members.len() == 1, "a step does one thing: {value}");
        let (name, value) = members.iter().next().context("a step does something")?;
        Ok(match name.as_str() {
            "clock" => Self::Clock(text(value)?),
            "run" => Self::Run(text(value)?),
            "fault" => Self::Fault(value.clone()),
            _ => match text(value)?.as_str() {
                "reload" => Self::Reload,
                "stop" => Self::Stop,
                "await_close" => Self::AwaitClose,
                other => bail!("unknown step {other:?}"),
            },
        })
    }
}

impl Expect {
    fn parse(value: &Value) -> Result<Self> {
        const KEYS: [&str; 5] = ["name", "http_status", "request_sent", "retry_after_ms", "received"];
        let members = only(value, &KEYS)?;
        ensure!(members.len() == KEYS.len(), "an expected row has every key: {value}");
        let number = |name: &str| -> Result<Option<u64>> {
            let value = &members[name];
            ensure!(value.is_null() || value.is_u64(), "{name} is neither a number nor null");
            Ok(value.as_u64())
        };
        let sent = &members["request_sent"];
        ensure!(sent.is_null() || sent.is_boolean(), "request_sent is neither true, false nor null");
        Ok(Self {
            name: text(&members["name"])?,
            http_status: number("http_status")?.context("http_status is null")?.try_into()?,
            request_sent: sent.as_bool(),
            retry_after_ms: number("retry_after_ms")?,
            received: number("received")?.map(usize::try_from).transpose()?,
        })
    }

    /// Fails if the row itself breaks a promise of the library.
    fn check(&self, call: &str) -> Result<()> {
        let received = self.received;
        let is_post = call.starts_with("post");
        ensure!(
            self.request_sent != Some(false) || received == Some(0),
            "a request that was received is reported as not sent"
        );
        ensure!(
            self.name != "ok" || call == "webhook" || received != Some(0),
            "a call cannot succeed without a request"
        );
        ensure!(!is_post || received.is_some_and(|received| received < 2), "a POST is sent twice");
        Ok(())
    }
}

fn only<'a>(value: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>> {
    let members = value.as_object().with_context(|| format!("{value} is not an object"))?;
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => bail!("unknown key {key:?}"),
        None => Ok(members),
    }
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("{value} is not text"))
}

/// Returns a list of texts.
pub fn texts(value: &Value) -> Result<Vec<String>> {
    value.as_array().with_context(|| format!("{value} is not a list"))?.iter().map(text).collect()
}
