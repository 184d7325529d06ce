//! Access control lists in the kernel's format.

use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, setxattr};

/// The attribute with the access control list.
pub const ACL: &str = "system.posix_acl_access";

/// Returns an ACL that lets the owner read and write, gives `user` the access `rights`, and gives others none.
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

/// Sets the attribute of `path`.
pub fn set_attribute(path: &Path, name: &str, value: &[u8]) {
    setxattr(path, name, value, XattrFlags::empty()).expect("the file system has attributes");
}

/// Returns the attribute of `path`, if it exists.
pub fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 4096];
    let length = getxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}
