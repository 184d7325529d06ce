//! The status that functions return, and its name.

use std::ffi::{CStr, c_char};

use justcall_auth::ErrorKind;

/// The result of a call: JUSTCALL_OK, or one of the JUSTCALL_ERROR_ numbers below. If the service
/// reported the failure, the status equals the HTTP status of its response. A later version of the
/// library may return numbers that this header does not define.
pub type justcall_status = i32;

/// Success, which is no row of the table of errors.
pub(crate) const JUSTCALL_OK: justcall_status = 0;

/// Room for the longest name and its NUL.
const NAME_SIZE: usize = 32;

/// The table's names, each terminated as C needs it.
static NAMES: [[u8; NAME_SIZE]; ErrorKind::ALL.len()] = terminated_names();

const fn terminated_names() -> [[u8; NAME_SIZE]; ErrorKind::ALL.len()] {
    let mut names = [[0; NAME_SIZE]; ErrorKind::ALL.len()];
    let mut row = 0;
    while row < names.len() {
        let name = ErrorKind::ALL[row].name().as_bytes();
        assert!(name.len() < NAME_SIZE, "a name needs more room");
        let mut at = 0;
        while at < name.len() {
            names[row][at] = name[at];
            at += 1;
        }
        row += 1;
    }
    names
}

/// The name of `status`; `unknown` for one that the table does not have.
pub(crate) fn name(status: justcall_status) -> &'static CStr {
    if status == JUSTCALL_OK {
        return c"ok";
    }
    let row = ErrorKind::ALL.iter().position(|kind| kind.number() == status);
    row.and_then(|row| CStr::from_bytes_until_nul(&NAMES[row]).ok()).unwrap_or(c"unknown")
}

/// Returns the name of a status, such as `"invalid_credentials"` for 401. Returns `"ok"` for
/// JUSTCALL_OK. Returns `"unknown"` for a status that the library in use does not know. The name of
/// a status is the same in every programming language. Never returns NULL. The text is static: do
/// not free it. This function is thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn justcall_status_name(status: justcall_status) -> *const c_char {
    name(status).as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_every_row_of_the_table() {
        for kind in ErrorKind::ALL {
            assert_eq!(name(kind.number()).to_str(), Ok(kind.name()));
        }
        assert_eq!(name(JUSTCALL_OK), c"ok");
        assert_eq!(name(-1), c"unknown");
    }
}
