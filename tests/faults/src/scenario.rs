//! What a program does between the markers, and what it needs for that.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use justcall_auth_sandbox::Sandbox;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::programs::{Program, Programs};

/// What a program does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// Creates a client with a `file:` source and verifies the pair.
    Verify,
    /// Sends a POST: the library, with 200 KiB on an open connection.
    Request,
    /// Verifies a delivery with the secret of a `file:` source.
    Webhook,
    /// Sends a GET after a reset. The source already has the new pair.
    Reset,
    /// Sends a GET after a reset. The source has the new pair 300 ms later, and the call waits for it.
    Held,
    /// Reads a `file:` source.
    LoadFile,
    /// Reads a `dir:` source whose version can be swapped.
    LoadDir,
    /// Reads `env:`.
    LoadEnv,
    /// Reads a `command:` source.
    LoadCommand,
    /// Reads `systemd:`.
    LoadSystemd,
    /// Replaces the pair in a file after a reset.
    RotateFile,
    /// Replaces the pair in a folder after a reset.
    RotateDir,
}

/// The scenarios of the programs in C and Python.
pub const OF_LIBRARY: [Scenario; 10] = [
    Scenario::Verify,
    Scenario::Request,
    Scenario::Webhook,
    Scenario::Reset,
    Scenario::Held,
    Scenario::LoadFile,
    Scenario::LoadDir,
    Scenario::LoadEnv,
    Scenario::LoadCommand,
    Scenario::LoadSystemd,
];
/// The scenarios of the command, which reads every kind of source with the same code as the library.
pub const OF_COMMAND: [Scenario; 5] =
    [Scenario::Verify, Scenario::Request, Scenario::Webhook, Scenario::RotateFile, Scenario::RotateDir];

/// The pair whose secret signed the example of the official reference.
const WEBHOOK_PAIR: (&str, &str) =
    ("1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948", "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb");
const DELIVERY: &str = "POST / HTTP/1.1\r\n\
    x-justcall-signature: 56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf\r\n\
    x-justcall-signature-version: v1\r\nx-justcall-request-timestamp: 2024-03-21 17:08:22\r\n\r\n\
    {\"webhook_url\": \"https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4\", \"type\": \"call.completed\"}";

impl Scenario {
    /// Returns its name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Request => "request (POST)",
            Self::Webhook => "webhook",
            Self::Reset => "reset: rejected, then sent with the new pair",
            Self::Held => "reset: held until the source has the new pair",
            Self::LoadFile => "load `file:`",
            Self::LoadDir => "load `dir:`",
            Self::LoadEnv => "load `env:`",
            Self::LoadCommand => "load `command:`",
            Self::LoadSystemd => "load `systemd:`",
            Self::RotateFile => "rotate `file:`",
            Self::RotateDir => "rotate `dir:`",
        }
    }

    /// Returns true if the service must have answered with success for the call to succeed.
    pub fn needs_service(self) -> bool {
        matches!(
            self,
            Self::Verify | Self::Request | Self::Reset | Self::Held | Self::RotateFile | Self::RotateDir
        )
    }

    /// Returns true if the service rejects the pair that the program has before the call.
    pub fn is_after_reset(self) -> bool {
        matches!(self, Self::Reset | Self::Held | Self::RotateFile | Self::RotateDir)
    }

    /// Returns the name that the programs in C and Python know.
    fn argument(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Request => "request",
            Self::Webhook => "webhook",
            Self::Reset => "reset",
            Self::Held => "held",
            _ => "load",
        }
    }
}

/// A pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The API key.
    pub key: String,
    /// The API secret.
    pub secret: String,
}

impl Pair {
    /// Returns the pair in a response of the sandbox.
    fn of(response: &Value) -> Result<Self> {
        let half = |name: &str| response[name].as_str().map(str::to_owned).context("the response has a pair");
        Ok(Self { key: half("api_key")?, secret: half("api_secret")? })
    }

    fn line(&self) -> String {
        format!("{}:{}\n", self.key, self.secret)
    }
}

/// A scenario that is ready to run.
pub struct Stage {
    folder: TempDir,
    /// The pair before the call.
    pub old: Pair,
    /// The pair after a reset.
    pub new: Option<Pair>,
    /// The command line.
    pub words: Vec<PathBuf>,
    /// The environment variables of the source.
    pub environment: Vec<(&'static str, String)>,
    /// The standard input of the command; the other programs get a byte when they are to begin.
    pub input: String,
    scenario: Scenario,
}

impl Stage {
    /// Prepares `scenario` for `program` with a new account in `sandbox`. `bug` is a bug that `targets/target.c`
    /// plants.
    ///
    /// # Errors
    /// If the sandbox refuses a call, or a file cannot be written.
    pub fn prepare(
        programs: &Programs,
        program: Program,
        scenario: Scenario,
        sandbox: &Sandbox,
        bug: &str,
    ) -> Result<Self> {
        let account = sandbox.control("POST", "pairs", &json!({})).context("an account")?;
        let (key, secret) = WEBHOOK_PAIR;
        let old = match scenario {
            Scenario::Webhook => Pair { key: key.to_owned(), secret: secret.to_owned() },
            _ => Pair::of(&account)?,
        };
        let mut stage = Self {
            folder: TempDir::new()?,
            old,
            new: None,
            words: programs.words(program),
            environment: Vec::new(),
            input: String::new(),
            scenario,
        };
        stage.write_old()?;
        let source = stage.source();
        let ca_file = sandbox.ca_file().context("TLS is on")?.to_owned();
        if program == Program::Cli {
            let account_id = account["account_id"].to_string();
            stage.command_line(sandbox, &source, &account_id)?;
            let options = ["--json", "--source", &source, "--base-url", sandbox.url(), "--ca-file"];
            stage.words.extend(options.map(PathBuf::from));
            stage.words.push(ca_file);
        } else {
            stage.words.extend([PathBuf::from(sandbox.url()), ca_file, source.into()]);
            stage.words.push(scenario.argument().into());
            stage.words.extend((program == Program::C).then(|| bug.into()));
        }
        Ok(stage)
    }

    /// Adds the words of the command, with its standard input.
    fn command_line(&mut self, sandbox: &Sandbox, source: &str, account_id: &str) -> Result<()> {
        let words: &[&str] = match self.scenario {
            Scenario::Request => &["request", "POST", "/v2.1/echo", "--body", "{}"],
            Scenario::Webhook => {
                DELIVERY.clone_into(&mut self.input);
                &["webhook", "verify", "--any-url", "--now", "1711040902"]
            }
            Scenario::RotateFile | Scenario::RotateDir => {
                self.input = self.reset(sandbox)?.line();
                &["rotate", "--expected-account", account_id]
            }
            Scenario::Verify => &["verify"],
            other => anyhow::bail!("the command has no scenario {other:?} with {source}"),
        };
        self.words.extend(words.iter().map(PathBuf::from));
        Ok(())
    }

    /// Resets the pair of the account. Returns the new pair.
    ///
    /// # Errors
    /// If the sandbox refuses the call.
    pub fn reset(&mut self, sandbox: &Sandbox) -> Result<Pair> {
        let reset = sandbox.control("POST", "reset", &json!({"api_key": self.old.key})).context("a reset")?;
        Ok(self.new.insert(Pair::of(&reset)?).clone())
    }

    /// Returns the source in the spelling of every language.
    fn source(&self) -> String {
        let folder = self.folder.path().display();
        match self.scenario {
            Scenario::LoadDir | Scenario::RotateDir => format!("dir:{folder}"),
            Scenario::LoadEnv => "env:".to_owned(),
            Scenario::LoadCommand => format!("command:cat {folder}/pair"),
            Scenario::LoadSystemd => "systemd:".to_owned(),
            _ => format!("file:{folder}/pair"),
        }
    }

    fn write_old(&mut self) -> Result<()> {
        let Pair { key, secret } = &self.old;
        let folder = self.folder.path();
        match self.scenario {
            Scenario::LoadEnv => {
                self.environment =
                    vec![("JUSTCALL_API_KEY", key.clone()), ("JUSTCALL_API_SECRET", secret.clone())];
            }
            Scenario::LoadDir | Scenario::RotateDir => {
                let version = folder.join("..2026_11_30");
                fs::create_dir(&version)?;
                for (name, text) in [("api_key", key), ("api_secret", secret)] {
                    fs::write(version.join(name), text)?;
                    symlink(format!("..data/{name}"), folder.join(name))?;
                }
                symlink("..2026_11_30", folder.join("..data"))?;
            }
            Scenario::LoadSystemd => {
                fs::write(folder.join("api_key"), key)?;
                fs::write(folder.join("api_secret"), secret)?;
                self.environment = vec![("CREDENTIALS_DIRECTORY", folder.display().to_string())];
            }
            Scenario::LoadCommand => {
                let text = json!({"api_key": key, "api_secret": secret}).to_string();
                fs::write(folder.join("pair"), text)?;
            }
            _ => fs::write(folder.join("pair"), self.old.line())?,
        }
        Ok(())
    }

    /// Replaces the file of the source by one with the new pair, as a deployment does.
    ///
    /// # Errors
    /// If it cannot be written, or there was no reset.
    pub fn write_new(&self) -> Result<()> {
        let new = self.new.as_ref().context("a reset comes first")?;
        let next = self.folder.path().join("next");
        fs::write(&next, new.line())?;
        Ok(fs::rename(next, self.folder.path().join("pair"))?)
    }

    /// Fails if the source holds neither the old nor the new pair, whole.
    ///
    /// # Errors
    /// The fault of what the source holds.
    pub fn check_pair(&self) -> Result<PairLeft> {
        let folder = self.folder.path();
        let half = |name: &str| fs::read_to_string(folder.join(name)).map(|text| text.trim_end().to_owned());
        let text = match self.scenario {
            Scenario::LoadEnv => self.old.line(),
            Scenario::LoadDir | Scenario::RotateDir | Scenario::LoadSystemd => {
                format!("{}:{}\n", half("api_key")?, half("api_secret")?)
            }
            Scenario::LoadCommand => {
                let text: Value = serde_json::from_slice(&fs::read(folder.join("pair"))?)?;
                Pair::of(&text)?.line()
            }
            _ => fs::read_to_string(folder.join("pair"))?,
        };
        match (text == self.old.line(), self.new.as_ref().map(Pair::line) == Some(text)) {
            (true, _) => Ok(PairLeft::Old),
            (_, true) => Ok(PairLeft::New),
            _ => anyhow::bail!("neither pair is whole"),
        }
    }

    /// Returns the folder of the source.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the secrets that no output may contain.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        [Some(&self.old), self.new.as_ref()].into_iter().flatten().map(|pair| pair.secret.as_str())
    }
}

/// The pair that a source holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairLeft {
    /// The pair before the reset.
    Old,
    /// The pair after it.
    New,
}
