//! `cargo xtask header`: writes the C header and the list of exported symbols from the sources of the C ABI.
//!
//! cbindgen turns Rust signatures and comments into C; the order, the headings and the numbers of the error table
//! come from here. One file of the crate is one section of the header.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use cbindgen::{Bindings, Builder, Config};
use justcall_auth_protocol::error::ErrorKind;
use justcall_auth_protocol::webhook::ANY_URL;

const CRATE: &str = "crates/justcall-auth-ffi";
const HEADER: &str = "include/justcall_auth.h";
const SYMBOLS: &str = "include/justcall_auth.symbols";

/// The sections after the status: a file of the crate and its heading, in the order of the header.
const SECTIONS: &[(&str, &str)] = &[
    ("library", "The library"),
    ("credentials", "Credentials: an API key and its secret"),
    ("source", "Load callback: a source of your own"),
    ("config", "Configuration: how a client is set up"),
    ("client", "Client: calls of the service"),
    ("event", "Events: what happens to the pair and to calls"),
    ("request", "Request: what to send"),
    ("call_options", "Call options: limits of other calls"),
    ("cancel", "Cancel: ends calls early"),
    ("response", "Response: what the service answered"),
    ("account", "Account: which one a pair belongs to"),
    ("webhook", "Webhook: verifies deliveries"),
    ("webhook_event", "Webhook event: a verified delivery"),
    ("exchange", "Exchange: a call with your own HTTP client"),
    ("classify", "Responses of your own HTTP client"),
    ("report", "Report: findings of a local check"),
    ("error", "Errors"),
];

/// The file with the type of the status, which stands before everything else.
const STATUS: &str = "status";

/// The file whose section has the version.
const LIBRARY: &str = "library";

/// The file whose section has a constant that is text, which cbindgen cannot write.
const WEBHOOK: &str = "webhook";

/// The files with types that stand in no section, because no function belongs to them alone.
const SHARED_TYPES: &[&str] = &["callback"];

/// Exports that no shipped library has: they are behind a feature.
const UNSHIPPED: &[&str] = &["test_panic"];

/// Writes the header and the list, or with `check` fails when they are not what would be written.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let source = root.join(CRATE);
    every_export_has_a_section(&source.join("src"))?;
    let (header, symbols) = generate(&source)?;
    let outputs = [(HEADER, header), (SYMBOLS, symbols)];
    if check { compare(root, &outputs) } else { write(root, &outputs) }
}

fn compare(root: &Path, outputs: &[(&str, String)]) -> Result<()> {
    let drifted: Vec<&str> = outputs
        .iter()
        .filter(|(path, text)| fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| *path)
        .collect();
    ensure!(drifted.is_empty(), "not what {CRATE} says: {}. Run: cargo xtask header", drifted.join(", "));
    Ok(())
}

fn write(root: &Path, outputs: &[(&str, String)]) -> Result<()> {
    for (path, text) in outputs {
        fs::write(root.join(path), text).with_context(|| format!("cannot write {path}"))?;
    }
    Ok(())
}

/// A new file with exports must not be left out of the header in silence.
fn every_export_has_a_section(source: &Path) -> Result<()> {
    for entry in fs::read_dir(source).with_context(|| format!("cannot list {}", source.display()))? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let known =
            name == STATUS || UNSHIPPED.contains(&&*name) || SECTIONS.iter().any(|(file, _)| *file == name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        ensure!(
            known || !text.contains("no_mangle"),
            "{name}.rs exports functions, but is in no section of the header: add it to SECTIONS in crates/xtask-generate/src/header.rs"
        );
    }
    Ok(())
}

/// The texts of the header and of the list of symbols.
fn generate(source: &Path) -> Result<(String, String)> {
    let mut config = Config::from_file(source.join("cbindgen.toml"))
        .map_err(|error| anyhow::anyhow!("cbindgen.toml: {error}"))?;
    let frame = Frame::take_from(&mut config);
    let file = |name: &str| source.join("src").join(name).with_extension("rs");
    let mut symbols = BTreeSet::new();
    let mut header = frame.opening()?;

    let mut status = bind(&config, &[file(STATUS)])?;
    let name_of_status = functions(&mut status, &mut symbols)?;
    heading(&mut header, "Status: the result of a call")?;
    block(&mut header, &text_of(&status)?)?;
    header.push_str(&status_constants());
    block(&mut header, &name_of_status)?;

    let all: Vec<PathBuf> =
        SECTIONS.iter().map(|(name, _)| *name).chain(SHARED_TYPES.iter().copied()).map(file).collect();
    let mut handles = bind(&config, &all)?;
    handles.functions.clear();
    handles.constants.clear();
    heading(&mut header, "Handles")?;
    block(&mut header, &text_of(&handles)?)?;

    for (name, title) in SECTIONS {
        let mut section = bind(&config, &[file(name)])?;
        section.items.clear();
        let prototypes = functions(&mut section, &mut symbols)?;
        heading(&mut header, title)?;
        match *name {
            LIBRARY => header.push_str(&version(env!("CARGO_PKG_VERSION"))?),
            WEBHOOK => header.push_str(&any_url()),
            _ => {}
        }
        block(&mut header, &text_of(&section)?)?;
        block(&mut header, &prototypes)?;
    }
    header.push_str(&frame.closing());
    ensure!(header.is_ascii(), "the header has a character outside ASCII, which some compilers misread");
    Ok((header, symbols.into_iter().fold(String::new(), |list, name| list + &name + "\n")))
}

/// The macros of attributes. In C before C23, GCC warns about a result that is ignored even if it is cast to void.
const ATTRIBUTES: &str = "
/**
 * Marks functions whose result must be checked. Compilers warn if a program ignores the result. The
 * marked functions create a handle, load a pair, call the service, verify a delivery, or return the
 * next action. Functions without the mark can fail too, such as setters. To turn the warning off,
 * define this macro as empty before you include this header.
 */
#ifndef JUSTCALL_NODISCARD
#if defined(__cplusplus) && __cplusplus >= 201703L
#define JUSTCALL_NODISCARD [[nodiscard]]
#elif !defined(__cplusplus) && defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define JUSTCALL_NODISCARD [[nodiscard]]
#elif defined(__GNUC__)
#define JUSTCALL_NODISCARD __attribute__((warn_unused_result))
#else
#define JUSTCALL_NODISCARD
#endif
#endif

/** Marks functions that a later version will remove. No function has this mark yet. */
#ifndef JUSTCALL_DEPRECATED
#if defined(__GNUC__)
#define JUSTCALL_DEPRECATED __attribute__((deprecated))
#elif defined(_MSC_VER)
#define JUSTCALL_DEPRECATED __declspec(deprecated)
#else
#define JUSTCALL_DEPRECATED
#endif
#endif
";

/// What stands around the sections.
struct Frame {
    introduction: String,
    guard: String,
    warning: String,
    includes: Vec<String>,
}

impl Frame {
    /// Takes the frame out of the configuration, so that cbindgen does not write one around every section.
    fn take_from(config: &mut Config) -> Self {
        config.no_includes = true;
        Self {
            introduction: config.header.take().unwrap_or_default(),
            guard: config.include_guard.take().unwrap_or_default(),
            warning: config.autogen_warning.take().unwrap_or_default(),
            includes: std::mem::take(&mut config.sys_includes),
        }
    }

    fn opening(&self) -> Result<String> {
        let Self { introduction, guard, warning, includes } = self;
        ensure!(
            !guard.is_empty() && !introduction.is_empty(),
            "cbindgen.toml has no header or no include_guard"
        );
        let mut text =
            format!("{}\n\n#ifndef {guard}\n#define {guard}\n\n{warning}\n\n", introduction.trim());
        for name in includes {
            writeln!(text, "#include <{name}>")?;
        }
        text.push_str(ATTRIBUTES);
        text.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
        Ok(text)
    }

    fn closing(&self) -> String {
        format!("\n#ifdef __cplusplus\n}} /* extern \"C\" */\n#endif\n\n#endif /* {} */\n", self.guard)
    }
}

fn bind(config: &Config, files: &[PathBuf]) -> Result<Bindings> {
    let builder = files.iter().fold(Builder::new().with_config(config.clone()), Builder::with_src);
    builder.generate().with_context(|| format!("cbindgen cannot read {files:?}"))
}

/// Takes the functions out of `bindings`: their prototypes, and their names for `symbols`.
fn functions(bindings: &mut Bindings, symbols: &mut BTreeSet<String>) -> Result<String> {
    for function in &bindings.functions {
        let name = function.path().name();
        if function.documentation.doc_comment.is_empty() {
            bail!("{name} has no comment: the header is its documentation");
        }
        symbols.insert(name.to_owned());
    }
    let (items, constants) = (std::mem::take(&mut bindings.items), std::mem::take(&mut bindings.constants));
    let text = text_of(bindings)?;
    (bindings.items, bindings.constants) = (items, constants);
    bindings.functions.clear();
    Ok(text)
}

fn text_of(bindings: &Bindings) -> Result<String> {
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(String::from_utf8(text)?)
}

/// The rows of the error table.
fn status_constants() -> String {
    let success = "\n/** Success. */\n#define JUSTCALL_OK 0\n".to_owned();
    ErrorKind::ALL.iter().fold(success, |text, kind| {
        let (message, name, number) = (kind.message(), kind.name().to_uppercase(), kind.number());
        text + &format!("\n/** {message} */\n#define JUSTCALL_ERROR_{name} {number}\n")
    })
}

/// The version of the header, as numbers and as text.
fn version(version: &str) -> Result<String> {
    let parts: Vec<u32> = version.split('.').map(str::parse).collect::<Result<_, _>>()?;
    let [major, minor, patch] = parts[..] else { bail!("the version {version} is not three numbers") };
    ensure!(minor < 100 && patch < 100, "the number of the version {version} has two digits for each part");
    Ok(format!(
        "\n/** The first part of this header's version. justcall_version() returns the library's version. */\n\
         #define JUSTCALL_VERSION_MAJOR {major}\n\
         \n/** The second part of this header's version. */\n\
         #define JUSTCALL_VERSION_MINOR {minor}\n\
         \n/** The third part of this header's version. */\n\
         #define JUSTCALL_VERSION_PATCH {patch}\n\
         \n/** The version of this header as one number: 10000 * major + 100 * minor + patch. */\n\
         #define JUSTCALL_VERSION_NUMBER {number}\n\
         \n/** The version of this header as text. */\n\
         #define JUSTCALL_VERSION_STRING \"{version}\"\n",
        number = 10000 * major + 100 * minor + patch,
    ))
}

fn any_url() -> String {
    let comment =
        "Lets a verifier accept deliveries for every URL. Check justcall_webhook_event_url() yourself.";
    format!("\n/** {comment} */\n#define JUSTCALL_ANY_URL \"{ANY_URL}\"\n")
}

fn heading(header: &mut String, title: &str) -> Result<()> {
    let rule = "-".repeat(90_usize.saturating_sub(title.len()));
    Ok(writeln!(header, "\n/* {title} {rule} */")?)
}

fn block(header: &mut String, text: &str) -> Result<()> {
    let text = text.trim();
    if !text.is_empty() {
        writeln!(header, "\n{text}")?;
    }
    Ok(())
}
