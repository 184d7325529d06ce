//! The errors of a pair that cannot be written, with a hint.

use std::io;
use std::path::Path;

use justcall_auth::source::shown;
use justcall_auth::{Error, ErrorKind};

/// Returns the error that nothing was changed because of `why`.
pub(super) fn refusal(place: &str, why: &str, remedy: &str) -> Error {
    let message = format!("{place} cannot be written: {why}. Nothing was changed.");
    Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(remedy)
}

/// Returns the error for a failure of the system.
pub(super) fn system(place: &str, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "Run the command as the owner of the file who may also write into its folder, or as root. The command creates the new file in the same folder, with the owner, group, mode and ACL of the old file."
        }
        io::ErrorKind::ReadOnlyFilesystem => MOUNTED_SECRET,
        io::ErrorKind::ResourceBusy => MOUNTED_FILE,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "Free space on the file system of the source."
        }
        _ => "Remove the cause, then run the command again. The old pair is unchanged.",
    };
    let message = format!("{place} cannot be written: {error}.");
    Error::with_message(ErrorKind::SourceUnavailable, message).with_hint(remedy)
}

/// Returns the error for content that cannot store a pair.
pub(super) fn unfit(place: &str, error: &Error) -> Error {
    error.clone().with_new_message(format!("{place}: {} Nothing was changed.", error.message()))
}

pub(super) fn mounted(place: &str) -> Error {
    let why = "it is mounted by itself, as with `docker run -v FILE:FILE`, and cannot be replaced atomically";
    refusal(place, why, MOUNTED_FILE)
}

pub(super) fn busy(place: &str) -> Error {
    refusal(
        place,
        "another justcall-auth is writing there",
        "Wait until the other justcall-auth process ends, or end that process. Then run this command again.",
    )
}

pub(super) fn absent(place: &str) -> Error {
    refusal(place, "it does not exist yet", "Use `justcall-auth setup` for a first pair.")
}

pub(super) fn dangling(place: &str) -> Error {
    let remedy =
        "Remove the link, or create its target. For `justcall-auth rotate`, an empty file is enough.";
    refusal(place, "it is a symbolic link without a target", remedy)
}

pub(super) fn present(place: &str) -> Error {
    refusal(
        place,
        "it already exists",
        "Use `justcall-auth rotate` to replace the pair, or use another place.",
    )
}

/// Returns the error for a file at `path` with several names.
pub(super) fn linked(place: &str, path: &Path) -> Error {
    let remedy = format!(
        "List the names of the file with `find / -xdev -samefile {}`. Keep one name, and replace the other names by symbolic links.",
        shown(path)
    );
    refusal(place, "it has several names (hard links), and only one would get the new pair", &remedy)
}

const MOUNTED_SECRET: &str = "Change the secret at its origin. In Kubernetes, run: kubectl create secret generic NAME --from-file=api_key --from-file=api_secret --dry-run=client -o yaml | kubectl apply -f -. In Docker, create a new secret and update the service. Then check the pair with `justcall-auth verify`.";

const MOUNTED_FILE: &str = "Change the mounted file outside of the container, then restart the container. To avoid restarts, mount the folder of the file instead (docker run -v /etc/justcall:/etc/justcall:ro).";
