//! Taking a secret out of the environment, where every child process and every core dump would find it.

/// Overwrites the value of the environment variable `name` where the system put it, and removes the variable. Another
/// thread that reads the environment at this moment, in C, may see a part of the value or none: call it early.
#[cfg(unix)]
pub fn scrub_variable(name: &str) {
    use zeroize::Zeroize as _;
    let Ok(name_c) = std::ffi::CString::new(name) else { return };
    // SAFETY: the name is NUL-terminated; what comes back points into the environment or is NULL.
    let value = unsafe { libc::getenv(name_c.as_ptr()) };
    if !value.is_null() {
        // SAFETY: the value is NUL-terminated, and lies in memory of this process that may be written to.
        let value = unsafe { std::slice::from_raw_parts_mut(value.cast::<u8>(), libc::strlen(value)) };
        value.zeroize();
    }
    // SAFETY: as the comment above says; std's own readers and writers wait for each other.
    unsafe { std::env::remove_var(name) };
}

/// Removes the environment variable `name`. Elsewhere than on Unix its old value stays where the system put it.
#[cfg(not(unix))]
pub fn scrub_variable(name: &str) {
    // SAFETY: these systems synchronise the environment themselves.
    unsafe { std::env::remove_var(name) };
}
