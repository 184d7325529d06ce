//! The lines to paste into a program, for each language that the library has a face for.

use std::path::Path;

use clap::ValueEnum;
use justcall_auth::service;

/// A language, or a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Python,
    C,
    #[value(name = "c++", alias = "cpp")]
    Cpp,
    Rust,
    Curl,
}

impl Language {
    /// As `--language` takes it.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// All of them, by name.
    pub fn names() -> String {
        Self::value_variants().iter().map(|language| language.name()).collect::<Vec<_>>().join(", ")
    }

    /// What must be there before the lines work.
    pub fn preparation(self) -> &'static str {
        match self {
            Self::Python => "after: pip install ./bindings/python",
            Self::C => "compile with -Iinclude, link with -ljustcall_auth",
            Self::Cpp => "C++17; compile with -Iinclude, link with -ljustcall_auth",
            Self::Rust => "after: cargo add justcall-auth --path crates/justcall-auth",
            Self::Curl => "the secret reaches curl through the pipe alone",
        }
    }

    /// The lines that verify the pair of `source`, at the service of `base_url` with the authorities of `ca_file`.
    pub fn snippet(self, source: &str, base_url: Option<&str>, ca_file: Option<&Path>) -> String {
        let ca_file = ca_file.map(Path::to_string_lossy);
        let ca_file = ca_file.as_deref();
        match self {
            Self::Python => {
                let options = [("base_url", base_url), ("ca_file", ca_file)];
                let options = given(&options, |name, value| format!(", {name}={}", text(value)));
                format!(
                    "import justcall_auth\nclient = justcall_auth.Client({}{options})\nprint(client.verify().email)\n",
                    text(source)
                )
            }
            Self::C => {
                let options = [("source", Some(source)), ("base_url", base_url), ("ca_file", ca_file)];
                let options = given(&options, |name, value| {
                    format!("justcall_config_set_{name}(config, {}, NULL);\n", text(value))
                });
                format!(
                    "#include <justcall_auth.h>\njustcall_client *client = NULL;\njustcall_config *config = justcall_config_new();\n{options}justcall_status status = justcall_client_new(config, &client, NULL);\n"
                )
            }
            Self::Cpp => {
                let options = [("source", Some(source)), ("base_url", base_url), ("ca_file", ca_file)];
                let options = given(&options, |name, value| format!(".{name}({})", text(value)));
                format!(
                    "#include <justcall_auth.hpp>\njustcall::client client(justcall::config(){options});\nauto account = client.verify();\n"
                )
            }
            Self::Rust => {
                let options = [("source", Some(source)), ("base_url", base_url), ("ca_file", ca_file)];
                let options = given(&options, |name, value| format!(".set_{name}({})?", text(value)));
                format!(
                    "let mut config = justcall_auth::Config::new();\nlet client = justcall_auth::Client::new(config{options})?;\nprintln!(\"{{:?}}\", client.verify()?.email());\n"
                )
            }
            Self::Curl => {
                let url = base_url.unwrap_or(service::BASE_URL).trim_end_matches('/');
                let ca_file =
                    given(&[("cacert", ca_file)], |name, value| format!(" --{name} {}", word(value)));
                format!(
                    "justcall-auth header --source {} |\n  curl{ca_file} -H @- {}\n",
                    word(source),
                    word(&format!("{url}{}", service::USERS_PATH))
                )
            }
        }
    }
}

/// Those of `options` that are given, each as `write` puts it.
fn given(options: &[(&str, Option<&str>)], write: impl Fn(&str, &str) -> String) -> String {
    options.iter().filter_map(|(name, value)| Some(write(name, (*value)?))).collect()
}

/// A text literal; the languages agree on what little has to be escaped.
fn text(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// One word of a shell.
fn word(value: &str) -> String {
    shlex::try_quote(value).map(Into::into).unwrap_or_default()
}
