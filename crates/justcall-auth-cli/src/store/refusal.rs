//! Why a pair cannot be written, in words, and what to do instead.

use std::io;
use std::path::Path;

use justcall_auth::source::shown;
use justcall_auth::{Error, ErrorKind};

/// Nothing was changed, for `why`.
pub(super) fn refusal(place: &str, why: &str, remedy: &str) -> Error {
    let message = format!("{place} cannot be written: {why}. Nothing was changed.");
    Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(remedy)
}

/// The system said `error`.
pub(super) fn system(place: &str, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "Run it as the user that owns it, or as root: the new one gets the owner, group, mode and ACL of the old one, and it is written beside it, into the same folder."
        }
        io::ErrorKind::ReadOnlyFilesystem => MOUNTED_SECRET,
        io::ErrorKind::ResourceBusy => MOUNTED_FILE,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room on that file system.",
        _ => "Put it right, then run it again; the pair that was there is still there.",
    };
    let message = format!("{place} cannot be written: {error}.");
    Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(remedy)
}

/// What is there has no place for a pair, as `error` says.
pub(super) fn unfit(place: &str, error: &Error) -> Error {
    error.clone().with_new_message(format!("{place}: {} Nothing was changed.", error.message()))
}

pub(super) fn mounted(place: &str) -> Error {
    let why =
        "it is mounted by itself, as `docker run -v FILE:FILE` does, and cannot be replaced in one step";
    refusal(place, why, MOUNTED_FILE)
}

pub(super) fn busy(place: &str) -> Error {
    refusal(place, "another justcall-auth is writing there", "Let it finish, or end it; then run this again.")
}

pub(super) fn absent(place: &str) -> Error {
    refusal(place, "there is none yet", "Use `justcall-auth setup` for a first pair.")
}

pub(super) fn dangling(place: &str) -> Error {
    let remedy = "Remove the link, or make the file that it leads to: an empty one will do for `justcall-auth rotate`.";
    refusal(place, "it is a symbolic link that leads nowhere", remedy)
}

pub(super) fn present(place: &str) -> Error {
    refusal(
        place,
        "there is something already",
        "Use `justcall-auth rotate` to put another pair in its place, or name another place.",
    )
}

/// A file at `path` that several names lead to.
pub(super) fn linked(place: &str, path: &Path) -> Error {
    let remedy = format!(
        "See which they are: find / -xdev -samefile {}. Keep one, and make symbolic links of the others.",
        shown(path)
    );
    refusal(place, "it has several names (hard links), of which one would get the new pair", &remedy)
}

const MOUNTED_SECRET: &str = "Change it where it comes from. Kubernetes: kubectl create secret generic NAME --from-file=api_key --from-file=api_secret --dry-run=client -o yaml | kubectl apply -f -. Docker: make a new secret and update the service. Then `justcall-auth verify` shows which pair is there.";

const MOUNTED_FILE: &str = "Change the file that is mounted, outside, then restart the container: what is mounted is the old file, not its name. Better, mount its folder (docker run -v /etc/justcall:/etc/justcall:ro): then a pair that is replaced outside is seen inside at once.";
