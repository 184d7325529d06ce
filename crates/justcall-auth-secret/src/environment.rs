//! Removes a secret from the environment, where child processes and core dumps would expose it.

/// Overwrites the value of the environment variable `name` in place, and removes the variable. Does nothing if there is no
/// such variable. Call it before the program starts threads: C code that reads the environment at the same time may see
/// part of the value, or none.
#[cfg(unix)]
pub fn scrub_variable(name: &str) {
    use zeroize::Zeroize as _;
    let Some(name_c) = std::ffi::CString::new(name).ok().filter(|_| can_exist(name)) else { return };
    // SAFETY: the name is NUL-terminated; the result points into the environment or is NULL.
    let value = unsafe { libc::getenv(name_c.as_ptr()) };
    if !value.is_null() {
        // SAFETY: the value is NUL-terminated, and lies in writable memory of this process.
        let value = unsafe { std::slice::from_raw_parts_mut(value.cast::<u8>(), libc::strlen(value)) };
        value.zeroize();
    }
    // SAFETY: std's own readers and writers of the environment share a lock; the comment of the function warns about
    // others.
    unsafe { std::env::remove_var(name) };
}

/// Removes the environment variable `name`. On systems other than Unix, its value stays in the process's memory.
#[cfg(not(unix))]
pub fn scrub_variable(name: &str) {
    if !can_exist(name) {
        return;
    }
    // SAFETY: these systems synchronise the environment themselves.
    unsafe { std::env::remove_var(name) };
}

/// Whether a variable can have this name. std panics otherwise.
fn can_exist(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0'])
}
