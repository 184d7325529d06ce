//! The commands, one file each.

mod doctor;
mod explain;
mod header;
mod request;
mod rotate;
mod scan;
mod setup;
mod status;
mod verify;
mod webhook;

use crate::arguments::{Arguments, Command, WebhookCommand};
use crate::failure::Failure;
use crate::output::Output;

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let global = &arguments.global;
    match &arguments.command {
        Command::Verify { verify_path } => verify::run(global, verify_path.as_deref(), output),
        Command::Doctor { verify_path } => doctor::run(global, verify_path.as_deref(), output),
        Command::Request(request) => request::run(global, request, output),
        Command::Setup(setup) => setup::run(global, setup, output),
        Command::Rotate(rotate) => rotate::run(global, rotate, output),
        Command::Header => header::run(global, output),
        Command::Scan(scan) => scan::run(global, scan, output),
        Command::Webhook { command: WebhookCommand::Verify(delivery) } => {
            webhook::verify(global, delivery, output)
        }
        Command::Status(status) => status::run(global, status, output),
        Command::Explain { name } => explain::run(name.as_deref(), output),
    }
}
