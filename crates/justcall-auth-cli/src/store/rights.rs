//! Who may do what with a file: read from one, given to another.

use std::fs::File;
use std::io;

use rustix::fs::{Gid, Mode, Uid, fchmod, fchown, fstat};

/// Owner, group, mode, and on Linux the extended attributes, among them the access control list (ACL) and the `SELinux`
/// label.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rights {
    owner: Uid,
    group: Gid,
    mode: Mode,
    attributes: Attributes,
}

impl Rights {
    /// Those of `file`, which may be a folder.
    pub fn of(file: &File) -> io::Result<Self> {
        let stat = fstat(file)?;
        Ok(Self {
            owner: Uid::from_raw(stat.st_uid),
            group: Gid::from_raw(stat.st_gid),
            mode: Mode::from_raw_mode(stat.st_mode),
            attributes: attributes(file)?,
        })
    }

    /// Gives them to `file`, of which nobody but its owner may read anything yet. Either all of them are given, or it is
    /// an error and the file is good for nothing.
    pub fn give(&self, file: &File) -> io::Result<()> {
        // In this order: a change of owner takes bits of the mode away, and a list changes the group's bits.
        if Self::of(file)? != *self {
            fchown(file, Some(self.owner), Some(self.group))?;
            give_attributes(file, &self.attributes)?;
            fchmod(file, self.mode)?;
        }
        // What was refused without an error, as some network file systems do.
        if Self::of(file)? == *self { Ok(()) } else { Err(io::Error::other("the system did not give them")) }
    }
}

/// Names and values, in the order of their names.
type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

#[cfg(target_os = "linux")]
fn attributes(file: &File) -> io::Result<Attributes> {
    use rustix::fs::{fgetxattr, flistxattr};
    use rustix::io::Errno;

    /// The kernel's own limit for a list and for a value.
    const LARGEST: usize = 64 * 1024;
    let mut buffer = vec![0; LARGEST];
    let length = match flistxattr(file, &mut buffer[..]) {
        Ok(length) => length,
        // A file system without them.
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

/// All but what the kernel makes of the contents.
#[cfg(target_os = "linux")]
fn is_kept(name: &[u8]) -> bool {
    !matches!(name, b"security.ima" | b"security.evm")
}

#[cfg(target_os = "linux")]
fn give_attributes(file: &File, wanted: &Attributes) -> io::Result<()> {
    use rustix::fs::{XattrFlags, fremovexattr, fsetxattr};

    let present = attributes(file)?;
    // A folder may give its new files a list of its own (a default ACL), which would let others read.
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
fn give_attributes(_: &File, _: &Attributes) -> io::Result<()> {
    Ok(())
}
