//! The files for pkg-config. They find their folders relative to themselves, so that a tree can be moved.

use crate::install::Layout;
use crate::static_library;
use crate::workspace::{HOMEPAGE, SUMMARY, VERSION};

/// The module of the shared library, and with `--static` of a static program.
pub const SHARED: &str = "justcall_auth.pc";

/// The module of the static library in a program that is otherwise dynamic, or in a shared library.
pub const STATIC: &str = "justcall_auth-static.pc";

/// Keeps a shared library that contains the static library from exporting its functions too.
const NO_REEXPORT: &str = "-Wl,--exclude-libs,libjustcall_auth.a";

/// Returns the text of [`SHARED`]. The static library needs `system_libraries`.
pub fn shared(layout: &Layout, system_libraries: &[String]) -> String {
    let private = format!("{} {NO_REEXPORT}", link_line(system_libraries));
    text(layout, "justcall_auth", "-L${libdir} -ljustcall_auth", &format!("Libs.private: {private}\n"))
}

/// Returns the text of [`STATIC`].
pub fn embedded(layout: &Layout, system_libraries: &[String]) -> String {
    let file = static_library::FILE;
    let libraries = format!("${{libdir}}/{file} {} {NO_REEXPORT}", link_line(system_libraries));
    text(layout, "justcall_auth-static", &libraries, "")
}

/// Returns rustc's `native-static-libs` without those that every C compiler adds itself: with `-static` it adds others.
pub fn link_line(system_libraries: &[String]) -> String {
    let added: &[&str] = &["-lgcc_s", "-lc"];
    let needed = system_libraries.iter().map(String::as_str).filter(|library| !added.contains(library));
    needed.collect::<Vec<_>>().join(" ")
}

fn text(layout: &Layout, name: &str, libraries: &str, private: &str) -> String {
    format!(
        "prefix=${{pcfiledir}}/{up}\nlibdir=${{pcfiledir}}/..\nincludedir=${{prefix}}/include\n\n\
         Name: {name}\nDescription: {SUMMARY}\nURL: {HOMEPAGE}\nVersion: {VERSION}\n\
         Cflags: -I${{includedir}}\nLibs: {libraries}\n{private}",
        up = layout.up_from_libdir(1),
    )
}
