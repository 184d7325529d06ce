//! The permissions of a file: read from one file, applied to another.

use std::fs::File;
use std::io;

use rustix::fs::{Gid, Mode, Uid, fchmod, fchown, fstat};

/// Owner, group and mode. On Linux also the extended attributes, which include the access control list (ACL) and the
/// `SELinux` label.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rights {
    owner: Uid,
    group: Gid,
    mode: Mode,
    attributes: Attributes,
}

impl Rights {
    /// Returns the permissions of `file`, which may be a folder.
    pub fn of(file: &File) -> io::Result<Self> {
        let stat = fstat(file)?;
        Ok(Self {
            owner: Uid::from_raw(stat.st_uid),
            group: Gid::from_raw(stat.st_gid),
            mode: Mode::from_raw_mode(stat.st_mode),
            attributes: attributes(file)?,
        })
    }

    /// Applies the permissions to `file`, which only its owner can read so far. Fails if not all can be applied; then
    /// the file must not be used.
    pub fn apply(&self, file: &File) -> io::Result<()> {
        // The order matters: changing the owner clears bits of the mode, and an ACL changes the bits of the group.
        if Self::of(file)? != *self {
            fchown(file, Some(self.owner), Some(self.group))?;
            apply_attributes(file, &self.attributes)?;
            fchmod(file, self.mode)?;
        }
        // Some network file systems ignore a change without an error.
        if Self::of(file)? == *self {
            Ok(())
        } else {
            Err(io::Error::other("the system did not apply the permissions"))
        }
    }
}

/// Names and values, sorted by name.
type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

#[cfg(target_os = "linux")]
fn attributes(file: &File) -> io::Result<Attributes> {
    use rustix::fs::{fgetxattr, flistxattr};
    use rustix::io::Errno;

    /// The kernel's limit for a list and for a value.
    const LARGEST: usize = 64 * 1024;
    let mut buffer = vec![0; LARGEST];
    let length = match flistxattr(file, &mut buffer[..]) {
        Ok(length) => length,
        // The file system does not support attributes.
        Err(Errno::OPNOTSUPP) => 0,
        Err(error) => return Err(error.into()),
    };
    let names = buffer[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty() && is_kept(name));
    let names: Vec<Vec<u8>> = names.map(<[u8]>::to_vec).collect();
    let mut attributes = Vec::new();
    for name in names {
        let length = fgetxattr(file, name.as_slice(), &mut buffer[..])?;
        attributes.push((name, buffer[..length].to_vec()));
    }
    attributes.sort();
    Ok(attributes)
}

/// Returns false for attributes that the kernel derives from the contents.
#[cfg(target_os = "linux")]
fn is_kept(name: &[u8]) -> bool {
    !matches!(name, b"security.ima" | b"security.evm")
}

#[cfg(target_os = "linux")]
fn apply_attributes(file: &File, wanted: &Attributes) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fremovexattr, fsetxattr};

    let present = attributes(file)?;
    // A default ACL of the folder may apply others access to new files, so it is removed.
    for (name, _) in present.iter().filter(|(name, _)| wanted.iter().all(|(wanted, _)| wanted != name)) {
        fremovexattr(file, name.as_slice())?;
    }
    for attribute in wanted.iter().filter(|attribute| !present.contains(attribute)) {
        fsetxattr(file, attribute.0.as_slice(), &attribute.1, XattrFlags::empty())?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn attributes(_: &File) -> io::Result<Attributes> {
    Ok(Vec::new())
}

#[cfg(not(target_os = "linux"))]
fn apply_attributes(_: &File, _: &Attributes) -> io::Result<()> {
    Ok(())
}
