//! The package for `CMake`: `find_package(justcall_auth)`, with the targets `justcall_auth::shared` and `justcall_auth::static`.

use crate::install::Layout;
use crate::pkg_config::link_line;
use crate::workspace::VERSION;

/// The file with the targets.
pub const CONFIG: &str = "justcall_auth-config.cmake";

/// The file with the version.
pub const CONFIG_VERSION: &str = "justcall_auth-config-version.cmake";

/// Returns the text of [`CONFIG`]. `shared` and `soname` are the names of the shared library.
pub fn config(layout: &Layout, shared: &str, soname: &str, system_libraries: &[String]) -> String {
    let libraries = link_line(system_libraries);
    include_str!("../../../packaging/justcall_auth-config.cmake.in")
        .replace("@PREFIX@", &layout.up_from_libdir(2))
        .replace("@SHARED@", shared)
        .replace("@SONAME@", soname)
        .replace("@SYSTEM_LIBRARIES@", &libraries.replace("-l", "").replace(' ', ";"))
}

/// Returns the text of [`CONFIG_VERSION`].
pub fn config_version() -> String {
    include_str!("../../../packaging/justcall_auth-config-version.cmake.in").replace("@VERSION@", VERSION)
}
