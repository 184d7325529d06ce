//! Access control lists, as the kernel stores them.

use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, setxattr};

/// What says who may do what with a file.
pub const ACL: &str = "system.posix_acl_access";

/// A list by which the owner may read and write, `user` may do what `rights` say, and nobody else anything.
pub fn acl(user: u32, rights: u16) -> Vec<u8> {
    const ANYBODY: u32 = u32::MAX;
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in
        [(1_u16, 6_u16, ANYBODY), (2, rights, user), (4, 0, ANYBODY), (16, rights, ANYBODY), (32, 0, ANYBODY)]
    {
        list.extend([tag.to_le_bytes(), permissions.to_le_bytes()].concat());
        list.extend(id.to_le_bytes());
    }
    list
}

/// Gives `path` the attribute.
pub fn set_attribute(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty()).expect("the file system has attributes");
}

/// The attribute of `path`, if it has one of that name.
pub fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let length = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}
