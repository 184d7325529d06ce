//! `request`: sends any request to the service with the pair, with retries and all other rules of the library.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use justcall_auth::source::shown;
use justcall_auth::{Client, Error, Request};
use serde_json::json;

use crate::answer::Answer;
use crate::arguments::{Global, RequestArguments};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;

pub(super) fn run(global: &Global, arguments: &RequestArguments, output: &Output) -> Result<(), Failure> {
    if output.is_json() && arguments.output.is_some() {
        return Err(Error::invalid_argument(
            "The options --json and --output cannot be combined, because both write the body.",
        )
        .with_hint("Use either --json or --output.")
        .into());
    }
    let mut config = global.config()?;
    if let Some(length) = arguments.max_response_length {
        config.set_max_response_length(length);
    }
    let client = Client::new(&config)?;
    let request = read(arguments)?;
    // Open the file first: a POST must not be sent if its response cannot be stored.
    let target = arguments.output.as_deref().map(Target::open).transpose()?;
    let result = client.request(request);
    let credentials = client.credentials().ok();
    match result {
        Ok(response) => {
            let answer = Answer::new(&response, credentials.as_ref())?;
            show(&answer, arguments.include, target, output)
        }
        Err(error) => {
            if let Some(target) = target {
                target.abandon();
            }
            let answer = error.response().map(|response| Answer::new(response, credentials.as_ref()));
            // The failure is reported without its response if memory is short for it.
            let answer = answer.and_then(Result::ok);
            Err(match answer {
                Some(answer) => {
                    Failure::Answered { error, answer: Box::new(answer), include: arguments.include }
                }
                None => error.into(),
            })
        }
    }
}

fn show(answer: &Answer, include: bool, target: Option<Target>, output: &Output) -> Result<(), Failure> {
    if output.is_json() {
        return Ok(output.success("", json!({"response": answer.json()}))?);
    }
    if include {
        output.print(&answer.head())?;
    }
    match target {
        Some(target) => target.write(answer.body()),
        None => Ok(output.body(answer)?),
    }
}

/// Builds the request from the arguments. The library reports what is wrong with them.
fn read(arguments: &RequestArguments) -> Result<Request, Error> {
    let mut request = Request::new(&arguments.method.to_ascii_uppercase(), &arguments.path)?;
    for query in &arguments.query {
        let (name, value) = query.split_once('=').ok_or_else(|| {
            Error::invalid_argument("The value of --query contains no equals sign.")
                .with_hint("Write each --query as NAME=VALUE.")
        })?;
        request.add_query(name, value)?;
    }
    for header in &arguments.header {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Error::invalid_argument("The value of --header contains no colon.")
                .with_hint("Write each --header as 'Name: value'.")
        })?;
        request.set_header(name, value.trim_matches(' '))?;
    }
    match (&arguments.body, arguments.body_file.as_deref()) {
        (Some(text), _) => drop(request.set_body(text.as_bytes())),
        (None, Some(path)) => drop(request.set_body(input::read(path, "body", u64::MAX)?)),
        (None, None) => {}
    }
    Ok(request)
}

/// The file for the body of a success. Until then it stays unchanged.
struct Target<'a> {
    file: File,
    path: &'a Path,
    is_new: bool,
}

impl<'a> Target<'a> {
    fn open(path: &'a Path) -> Result<Self, Error> {
        let is_new = path.symlink_metadata().is_err();
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(|error| {
                Error::invalid_argument(format!("The file {} cannot be written: {error}.", shown(path)))
                    .with_hint("Check the path of --output. Nothing was sent.")
            })?;
        Ok(Self { file, path, is_new })
    }

    fn write(mut self, body: &[u8]) -> Result<(), Failure> {
        let written = self.shorten().and_then(|()| self.file.write_all(body));
        written.map_err(|error| Failure::File { path: self.path.to_owned(), error })
    }

    /// A device cannot be truncated.
    fn shorten(&self) -> io::Result<()> {
        if self.file.metadata()?.is_file() { self.file.set_len(0) } else { Ok(()) }
    }

    fn abandon(self) {
        if self.is_new {
            // A failed removal leaves an empty file, which is not worth a second error.
            let _gone = std::fs::remove_file(self.path);
        }
    }
}
