//! Where a pair is written: a file, or a folder whose files are replaced together; everything else is changed by hand.
//!
//! The library makes what is new and puts it in place in one step. What [`rights`] adds: the file that takes the place of
//! another one gets its owner, group, mode and ACL, or does not take it.

mod file;
mod folder;
mod refusal;
mod rights;
mod version;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use justcall_auth::replace::private_folder;
use justcall_auth::source::{Content, Form, read_file, shown};
use justcall_auth::{Error, Source};

use folder::{Folder, LINK};

/// A place that can be written, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Target {
    /// In words: `The file /etc/justcall.json`.
    place: String,
    folder: Folder,
    kind: Kind,
    /// Nothing is there yet.
    is_new: bool,
}

#[derive(Debug)]
enum Kind {
    /// A file of this name.
    File(PathBuf),
    /// Files of these names, with key and secret.
    Version { key: String, secret: String },
}

impl Target {
    /// Where the pair of `source` is, if it can be written at all. What a later [`Target::write`] would be refused is
    /// refused now, before anybody is asked for a pair.
    ///
    /// # Errors
    /// `source_unavailable`, saying why it cannot be written and what to do instead.
    pub fn of(source: &Source) -> Option<Result<Self, Error>> {
        match source {
            Source::File(path) => Some(Self::file(path)),
            Source::Dir { path, key, secret } => Some(Self::versions(path, key, secret)),
            _ => None,
        }
    }

    /// The same for a first pair: there must be nothing yet. Folders that are not there are made, for their owner alone.
    ///
    /// # Errors
    /// As [`Target::of`].
    pub fn first(source: &Source) -> Option<Result<Self, Error>> {
        match source {
            Source::File(path) => Some(Self::new_file(path)),
            Source::Dir { path, key, secret } => Some(Self::new_versions(path, key, secret)),
            _ => None,
        }
    }

    /// Where it is, in words.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Writes `content`, in one step.
    ///
    /// # Errors
    /// As [`Target::of`]; what was there before is there still.
    pub fn write(&self, content: &Content) -> Result<(), Error> {
        match &self.kind {
            Kind::File(name) => self.write_file(name, content),
            Kind::Version { key, secret } => content.expose_halves(|key_half, secret_half| {
                self.write_version([(key, key_half), (secret, secret_half)], content)
            }),
        }
        .map_err(|failed| match failed {
            Failed::System(error) => refusal::system(&self.place, &error),
            Failed::Known(error) => refusal::unfit(&self.place, &error),
        })
    }

    fn file(path: &Path) -> Result<Self, Error> {
        let place = format!("The file {}", shown(path));
        let refused = |error: &io::Error| refusal::system(&place, error);
        // A link stays one: what it leads to is replaced, where it is.
        let real = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_link = fs::symlink_metadata(path).is_ok();
                return Err(if is_link { refusal::dangling(&place) } else { refusal::absent(&place) });
            }
            real => real.map_err(|error| refused(&error))?,
        };
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(refusal::refusal(
                &place,
                "it is no file",
                "Name the file, as file:/etc/justcall.json.",
            ));
        };
        if parent.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
            return Err(refusal::refusal(
                &place,
                "it is one version of a folder that is swapped as a whole, as Kubernetes does",
                "Where it is mounted, change the secret that it comes from; elsewhere, name the folder, as dir:PATH.",
            ));
        }
        let about = fs::symlink_metadata(&real).map_err(|error| refused(&error))?;
        if !about.is_file() {
            return Err(refusal::refusal(
                &place,
                "it is no regular file",
                "Name a file, as file:/etc/justcall.json.",
            ));
        }
        if is_mounted(&real) {
            return Err(refusal::mounted(&place));
        }
        if about.nlink() > 1 {
            return Err(refusal::linked(&place, &real));
        }
        let folder = hold(parent, &place)?;
        file::rehearse(&folder, Path::new(name)).map_err(|error| refused(&error))?;
        let old = read_file(&real).map_err(|error| refused(&error))?;
        Content::check(old.as_ref()).map_err(|error| refusal::unfit(&place, &error))?;
        Ok(Self { folder, kind: Kind::File(name.into()), is_new: false, place })
    }

    fn versions(path: &Path, key: &str, secret: &str) -> Result<Self, Error> {
        let place = format!("The folder {}", shown(path));
        if !path.exists() {
            return Err(refusal::absent(&place));
        }
        if !version::is_versioned(path) {
            return Err(refusal::refusal(
                &place,
                "its two files cannot be replaced in one step, and a program that reads in between would get half of each pair",
                "Keep the pair in one file (file:PATH), or let `justcall-auth setup --source dir:PATH` lay out a new folder in the way of Kubernetes, whose files are replaced together.",
            ));
        }
        let folder = hold(path, &place)?;
        version::rehearse(&folder).map_err(|error| refusal::system(&place, &error))?;
        let kind = Kind::Version { key: key.to_owned(), secret: secret.to_owned() };
        Ok(Self { folder, kind, is_new: false, place })
    }

    fn new_file(path: &Path) -> Result<Self, Error> {
        let place = format!("The file {}", shown(path));
        let Some(name) = path.file_name() else {
            return Err(refusal::refusal(
                &place,
                "it names no file",
                "Name one, as file:/etc/justcall.json.",
            ));
        };
        if fs::symlink_metadata(path).is_ok() {
            return Err(if path.exists() { refusal::present(&place) } else { refusal::dangling(&place) });
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        private_folder(parent).map_err(|error| refusal::system(&place, &error))?;
        Ok(Self { folder: hold(parent, &place)?, kind: Kind::File(name.into()), is_new: true, place })
    }

    fn new_versions(path: &Path, key: &str, secret: &str) -> Result<Self, Error> {
        let place = format!("The folder {}", shown(path));
        private_folder(path).map_err(|error| refusal::system(&place, &error))?;
        // Links of ours that lead nowhere are what is left of a time before that was cut short.
        if [LINK, key, secret].iter().any(|name| path.join(name).exists()) {
            return Err(refusal::present(&place));
        }
        let kind = Kind::Version { key: key.to_owned(), secret: secret.to_owned() };
        Ok(Self { folder: hold(path, &place)?, kind, is_new: true, place })
    }

    fn write_file(&self, name: &Path, content: &Content) -> Result<(), Failed> {
        if self.is_new {
            let form = if is_dotenv(name) { Form::Dotenv } else { Form::Json };
            file::create(&self.folder, name, content.write(form)?.as_ref())?;
            return Ok(());
        }
        // Read now, so that what changed while a person was asked is kept.
        let new = content.rewrite(read_file(&self.folder.path().join(name))?.as_ref())?;
        Ok(file::replace(&self.folder, name, new.as_ref())?)
    }

    fn write_version(&self, halves: [(&String, &[u8]); 2], content: &Content) -> Result<(), Failed> {
        let [(key, key_half), (secret, secret_half)] = halves;
        if self.is_new {
            version::create(&self.folder, &[(key, key_half), (secret, secret_half)])?;
            return Ok(());
        }
        let compromised = content.previous_compromised.then_some(b"true".as_slice());
        let changes = [
            (key.as_str(), Some(key_half)),
            (secret.as_str(), Some(secret_half)),
            (Content::COMPROMISED_FILE, compromised),
        ];
        Ok(version::swap(&self.folder, &changes)?)
    }
}

enum Failed {
    System(io::Error),
    Known(Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

fn hold(path: &Path, place: &str) -> Result<Folder, Error> {
    match Folder::hold(path) {
        Ok(Some(folder)) => Ok(folder),
        Ok(None) => Err(refusal::busy(place)),
        Err(error) => Err(refusal::system(place, &error)),
    }
}

fn is_dotenv(name: &Path) -> bool {
    name == Path::new(".env") || name.extension() == Some(OsStr::new("env"))
}

/// Whether `path` itself is a mount: what is renamed over it would be refused.
#[cfg(target_os = "linux")]
fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    // A kernel older than 5.8 does not know; it refuses the renaming itself then.
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|told| told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Elsewhere a file is not mounted by itself.
#[cfg(not(target_os = "linux"))]
fn is_mounted(_: &Path) -> bool {
    false
}
