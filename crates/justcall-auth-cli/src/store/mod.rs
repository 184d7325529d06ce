//! Writing of pairs to a file, or to a folder whose files are replaced together. For other sources the user follows
//! manual steps.
//!
//! The library creates the new file and moves it to its place atomically. [`rights`] adds the owner, group, mode and
//! ACL of the old file; if that fails, nothing is replaced.

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

use justcall_auth::source::{Content, Form, read_file, shown};
use justcall_auth::{Error, Source};

use folder::{CreatedFolders, Folder, LINK};

/// A place that can be written. It is locked until this is dropped.
#[derive(Debug)]
pub(crate) struct Target {
    /// A description, such as `The file /etc/justcall.json`.
    place: String,
    /// Dropped before the lock is released.
    _created: CreatedFolders,
    folder: Folder,
    kind: Kind,
    /// True if the place does not exist yet.
    is_new: bool,
}

#[derive(Debug)]
enum Kind {
    /// A file with this name.
    File(PathBuf),
    /// Files with these names, for the key and the secret.
    Version { key: String, secret: String },
}

impl Target {
    /// Returns the place of the pair of `source`, or `None` if the source cannot be written. Fails now if
    /// [`Target::write`] would fail later, so that the user is not asked for a pair in vain.
    ///
    /// # Errors
    /// Fails with `source_unavailable`, the reason and a hint.
    pub fn of(source: &Source) -> Option<Result<Self, Error>> {
        match source {
            Source::File(path) => Some(Self::file(path)),
            Source::Dir { path, key, secret } => Some(Self::versions(path, key, secret)),
            _ => None,
        }
    }

    /// Returns the place for a first pair, which must not exist yet. Creates missing folders with access only for their
    /// owner.
    ///
    /// # Errors
    /// Fails as [`Target::of`] does.
    pub fn first(source: &Source) -> Option<Result<Self, Error>> {
        match source {
            Source::File(path) => Some(Self::new_file(path)),
            Source::Dir { path, key, secret } => Some(Self::new_versions(path, key, secret)),
            _ => None,
        }
    }

    /// Returns the description of the place.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Writes `content` atomically.
    ///
    /// # Errors
    /// Fails as [`Target::of`] does; then the old content stays.
    pub fn write(&self, content: &Content) -> Result<(), Error> {
        match &self.kind {
            Kind::File(name) => self.write_file(name, content),
            Kind::Version { key, secret } => content.expose_halves(|key_half, secret_half| {
                self.write_version([(key, key_half), (secret, secret_half)], content)
            }),
        }
        .map_err(|error| match error {
            WriteError::System(error) => refusal::system(&self.place, &error),
            WriteError::Known(error) => refusal::unfit(&self.place, &error),
        })
    }

    fn file(path: &Path) -> Result<Self, Error> {
        let place = format!("The file {}", shown(path));
        let refused = |error: &io::Error| refusal::system(&place, error);
        // A symbolic link stays: the file that it points to is replaced.
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
                "it is not a file",
                "Use a file, such as file:/etc/justcall.json.",
            ));
        };
        if parent.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
            return Err(refusal::refusal(
                &place,
                "it belongs to a folder whose files are replaced together, as in Kubernetes",
                "If the folder is mounted, change the secret that the folder comes from. If the folder is not mounted, use the source dir:PATH with the folder.",
            ));
        }
        let about = fs::symlink_metadata(&real).map_err(|error| refused(&error))?;
        if !about.is_file() {
            return Err(refusal::refusal(
                &place,
                "it is not a regular file",
                "Use a file, such as file:/etc/justcall.json.",
            ));
        }
        if is_mounted(&real) {
            return Err(refusal::mounted(&place));
        }
        if about.nlink() > 1 {
            return Err(refusal::linked(&place, &real));
        }
        let folder = lock(parent, &place)?;
        file::rehearse(&folder, Path::new(name)).map_err(|error| refused(&error))?;
        let old = read_file(&real).map_err(|error| refused(&error))?;
        Content::check(old.as_ref()).map_err(|error| refusal::unfit(&place, &error))?;
        Ok(Self::existing(place, folder, Kind::File(name.into())))
    }

    fn versions(path: &Path, key: &str, secret: &str) -> Result<Self, Error> {
        let place = format!("The folder {}", shown(path));
        if !path.exists() {
            return Err(refusal::absent(&place));
        }
        if !version::is_versioned(path) {
            return Err(refusal::refusal(
                &place,
                "its two files cannot be replaced atomically, so a program could read the new key with the old secret",
                "Store the pair in one file (file:PATH), or create a folder in the layout of Kubernetes with `justcall-auth setup --source dir:PATH`.",
            ));
        }
        let folder = lock(path, &place)?;
        version::rehearse(&folder).map_err(|error| refusal::system(&place, &error))?;
        let kind = Kind::Version { key: key.to_owned(), secret: secret.to_owned() };
        Ok(Self::existing(place, folder, kind))
    }

    fn existing(place: String, folder: Folder, kind: Kind) -> Self {
        Self { place, _created: CreatedFolders::default(), folder, kind, is_new: false }
    }

    fn new_file(path: &Path) -> Result<Self, Error> {
        let place = format!("The file {}", shown(path));
        let Some(name) = path.file_name() else {
            return Err(refusal::refusal(
                &place,
                "the path has no file name",
                "Use a file, such as file:/etc/justcall.json.",
            ));
        };
        if fs::symlink_metadata(path).is_ok() {
            return Err(if path.exists() { refusal::present(&place) } else { refusal::dangling(&place) });
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self::create_in(parent, place, Kind::File(name.into()))
    }

    fn new_versions(path: &Path, key: &str, secret: &str) -> Result<Self, Error> {
        let place = format!("The folder {}", shown(path));
        // Dangling links of this program are the remains of an interrupted setup.
        if [LINK, key, secret].iter().any(|name| path.join(name).exists()) {
            return Err(refusal::present(&place));
        }
        Self::create_in(path, place, Kind::Version { key: key.to_owned(), secret: secret.to_owned() })
    }

    /// Creates `path` for a new place in it.
    fn create_in(path: &Path, place: String, kind: Kind) -> Result<Self, Error> {
        let refused = |error: io::Error| refusal::system(&place, &error);
        let created = CreatedFolders::create(path).map_err(refused)?;
        let folder = match lock(path, &place) {
            Ok(folder) => folder,
            Err(error) => {
                created.keep();
                return Err(error);
            }
        };
        let files = if matches!(kind, Kind::File(_)) { 1 } else { 2 };
        file::rehearse_new(&folder, files).map_err(refused)?;
        Ok(Self { place, _created: created, folder, kind, is_new: true })
    }

    fn write_file(&self, name: &Path, content: &Content) -> Result<(), WriteError> {
        if self.is_new {
            let form = if is_dotenv(name) { Form::Dotenv } else { Form::Json };
            file::create(&self.folder, name, content.write(form)?.as_ref())?;
            return Ok(());
        }
        // The file is read again, so that changes during the prompt are kept.
        let new = content.rewrite(read_file(&self.folder.path().join(name))?.as_ref())?;
        Ok(file::replace(&self.folder, name, new.as_ref())?)
    }

    fn write_version(&self, halves: [(&String, &[u8]); 2], content: &Content) -> Result<(), WriteError> {
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

enum WriteError {
    System(io::Error),
    Known(Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Known(error)
    }
}

fn lock(path: &Path, place: &str) -> Result<Folder, Error> {
    match Folder::lock(path) {
        Ok(Some(folder)) => Ok(folder),
        Ok(None) => Err(refusal::busy(place)),
        Err(error) => Err(refusal::system(place, &error)),
    }
}

fn is_dotenv(name: &Path) -> bool {
    name == Path::new(".env") || name.extension() == Some(OsStr::new("env"))
}

/// Returns true if `path` itself is a mount point, over which no file can be renamed.
#[cfg(target_os = "linux")]
fn is_mounted(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    // A kernel before 5.8 does not report mount points. It refuses the rename instead.
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty())
        .is_ok_and(|status| status.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// On other systems a single file is not a mount point.
#[cfg(not(target_os = "linux"))]
fn is_mounted(_: &Path) -> bool {
    false
}
