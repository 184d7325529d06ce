//! Determines which texts ship to browsers, where every visitor of the page can read them.

/// Folders whose files a web server sends unchanged.
const FOLDERS: &[&str] = &[
    "public",
    "dist",
    "build",
    "static",
    "www",
    "wwwroot",
    "htdocs",
    "public_html",
    "assets",
    "out",
    "_next",
    "bundles",
];
/// Extensions that a browser loads from those folders.
const LOADED: &[&str] = &["js", "mjs", "css", "html", "htm", "json", "map", "txt", "xml", "webmanifest"];
/// Extensions for browsers in any folder.
const PAGES: &[&str] = &["html", "htm", "map"];
/// Extensions for browsers, unless the text has a sign that it runs on a server.
const SCRIPTS: &[&str] = &["js", "mjs", "jsx", "tsx", "vue", "svelte"];
/// Signs of a script that runs on a server.
const SERVER_SIDE: &[&str] = &[
    "require(",
    "module.exports",
    "process.env",
    "\"node:",
    "'node:",
    "UrlFetchApp",
    "Deno.",
    "/usr/bin/env node",
];
/// Parts of names whose values the usual build tools put into the bundle. `PUBLIC_` belongs to Next, Nuxt, Expo and Svelte.
const BUNDLED: &[&str] = &["VITE_", "REACT_APP_", "VUE_APP_", "GATSBY_", "PUBLIC_", "NG_APP_", "STORYBOOK_"];
/// The largest distance between the start of a name and its value, in bytes.
const REACH: usize = 200;

/// A text, and whether it ships to browsers.
pub(crate) struct Exposure<'a> {
    text: &'a [u8],
    is_shipped: bool,
}

impl<'a> Exposure<'a> {
    /// Classifies `text` with the path `path`.
    pub fn of(path: &str, text: &'a [u8]) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let extension = extension.unwrap_or_default();
        let is = |list: &[&str]| list.contains(&extension.as_str());
        let mut folders = path.split(['/', '\\']).rev().skip(1);
        let is_bundle = [".min.js", ".bundle.js", ".chunk.js"].iter().any(|end| name.ends_with(end));
        let is_shipped = is(PAGES)
            || is_bundle
            || is(LOADED) && folders.any(|folder| FOLDERS.contains(&folder))
            || is(SCRIPTS) && !contains_any(text, SERVER_SIDE);
        Self { text, is_shipped }
    }

    /// Whether the value at `at` ships to browsers.
    pub fn reaches(&self, at: usize) -> bool {
        self.is_shipped || contains_any(line_before(self.text, at), BUNDLED)
    }
}

/// Returns the line before `at`, at most [`REACH`] bytes of it.
fn line_before(text: &[u8], at: usize) -> &[u8] {
    let near = &text[at.saturating_sub(REACH)..at];
    let begin = memchr::memrchr(b'\n', near).map_or(0, |at| at + 1);
    &near[begin..]
}

fn contains_any(text: &[u8], words: &[&str]) -> bool {
    words.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_recognizes_values_that_ship_to_browsers() {
        for (path, text) in [
            ("dist/assets/index-3f2a.js", "const a=1;"),
            ("public/config.json", "{}"),
            ("app.js.map", "{}"),
            ("page.html", "<script>"),
            ("src/Button.jsx", "const key = "),
            ("vendor.chunk.js", "require(1)"),
            (".env", "VITE_JUSTCALL_API_SECRET="),
            (".env", "REACT_APP_JUSTCALL_API_SECRET="),
            ("config.ts", "process.env.NEXT_PUBLIC_JUSTCALL_SECRET || '"),
        ] {
            assert!(Exposure::of(path, text.as_bytes()).reaches(text.len()), "{path}");
        }
        for (path, text) in [
            ("server/index.js", "const x = require('express'); key = "),
            (".env", "VITE_API_BASE=https://crm\nJUSTCALL_API_SECRET="),
            ("config.py", "SECRET = "),
            ("dist/tool.py", "SECRET = "),
            ("public/index.php", "<?php $secret = "),
        ] {
            assert!(!Exposure::of(path, text.as_bytes()).reaches(text.len()), "{path}");
        }
    }
}
