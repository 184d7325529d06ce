//! Where the instructions and allocations of a verification are spent, by crate.
//!
//! The worker is linked with the archive that the packaged library is made of, whose functions still have names. Code
//! that was inlined counts for its caller.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;
use xtask_demo::run::output;

use crate::counts::{Countable, FEW, MANY, run};
use crate::server::{Server, pinned};

/// The share of one crate.
pub struct ProfileRow {
    pub crate_name: String,
    pub instructions: f64,
    pub allocations: f64,
}

type Shares = BTreeMap<String, f64>;

/// Profiles a verification of the first kind. The crate with the most instructions is first.
pub fn measure(workers: &Path, server: &Server) -> Result<Vec<ProfileRow>> {
    let what = Countable::verifications()[0];
    let folder = tempfile::tempdir()?;
    let profile = |tool: &dyn Fn(u32) -> Result<Shares>| -> Result<Shares> {
        let (few, many) = (tool(FEW)?, tool(MANY)?);
        let each = |(name, count): (&String, &f64)| {
            (name.clone(), (count - few.get(name).unwrap_or(&0.0)) / f64::from(MANY - FEW))
        };
        Ok(many.iter().map(each).collect())
    };
    let instructions = profile(&|requests| {
        let path = folder.path().join("callgrind");
        let mut command = pinned("valgrind");
        command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", path.display()));
        run(with_worker(command, workers), server, what, requests)?;
        instructions_of(&path)
    })?;
    let allocations = profile(&|requests| {
        let path = folder.path().join("dhat");
        let mut command = pinned("valgrind");
        command.args(["--tool=dhat", "--num-callers=30"]).arg(format!("--dhat-out-file={}", path.display()));
        run(with_worker(command, workers), server, what, requests)?;
        allocations_of(&fs::read_to_string(&path)?)
    })?;
    let mut rows: Vec<ProfileRow> = instructions
        .keys()
        .chain(allocations.keys().filter(|name| !instructions.contains_key(*name)))
        .map(|name| ProfileRow {
            crate_name: name.clone(),
            instructions: *instructions.get(name).unwrap_or(&0.0),
            allocations: *allocations.get(name).unwrap_or(&0.0),
        })
        .filter(|row| row.instructions >= 50.0 || row.allocations >= 0.5)
        .collect();
    rows.sort_by(|one, other| other.instructions.total_cmp(&one.instructions));
    Ok(rows)
}

fn with_worker(mut command: Command, workers: &Path) -> Command {
    command.arg(workers.join("ours-with-symbols"));
    command
}

fn instructions_of(path: &Path) -> Result<Shares> {
    let annotate = ["--threshold=100", "--auto=no", "--tree=none", "--show=Ir"];
    let text = output(Command::new("callgrind_annotate").args(annotate).arg(path))?;
    let mut shares = Shares::new();
    for line in text.lines() {
        // `1,234 ( 5.67%)  file:function [object]`
        let Some((count, function)) = line.trim_start().split_once(" (").and_then(|(count, rest)| {
            Some((count.replace(',', "").parse::<f64>().ok()?, rest.split_once(')')?.1.trim()))
        }) else {
            continue;
        };
        let function = function.split(" [").next().unwrap_or(function);
        let is_total = function.starts_with("PROGRAM TOTALS");
        if !is_total {
            // The file is before the first colon that does not belong to a path of Rust.
            let name = function.find(':').map_or(function, |at| &function[at + 1..]);
            *shares.entry(crate_of(name).unwrap_or("others").to_owned()).or_default() += count;
        }
    }
    Ok(shares)
}

fn allocations_of(text: &str) -> Result<Shares> {
    let profile: Value = serde_json::from_str(text)?;
    let frames: Vec<&str> =
        profile["ftbl"].as_array().context("no frames")?.iter().filter_map(Value::as_str).collect();
    let mut shares = Shares::new();
    for point in profile["pps"].as_array().context("no program points")? {
        let stack = point["fs"].as_array().context("no stack")?;
        let names = stack.iter().filter_map(|index| {
            let frame = frames.get(usize::try_from(index.as_u64()?).ok()?)?;
            // `0xADDRESS: function (file:line)`
            frame.split_once(": ").map(|(_, name)| name)
        });
        let owner = names.filter_map(crate_of).find(|name| !STANDARD.contains(name)).unwrap_or("others");
        *shares.entry(owner.to_owned()).or_default() += point["tbk"].as_f64().context("no count")?;
    }
    Ok(shares)
}

/// Crates that allocate for their callers.
const STANDARD: [&str; 5] = ["std", "core", "alloc", "hashbrown", "C library"];

/// The crates of this workspace, and what their functions are called in the report.
const OURS: [&str; 3] = ["justcall_auth", "justcall_auth_protocol", "justcall_auth_secret"];

/// Returns the crate that a function belongs to, from its name: `crate::path`, `<crate::Type as Trait>::method`.
fn crate_of(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 24] = [
        "justcall_auth_protocol",
        "justcall_auth_secret",
        "justcall_auth",
        "ureq_proto",
        "ureq",
        "httparse",
        "http",
        "bytes",
        "rustls_pki_types",
        "rustls",
        "webpki",
        "ring",
        "serde_json",
        "serde_core",
        "serde",
        "memchr",
        "arc_swap",
        "hashbrown",
        "once_cell",
        "log",
        "rustix",
        "std",
        "alloc",
        "core",
    ];
    if name.starts_with("justcall_") && !name.contains("::") {
        return Some("justcall_auth");
    }
    let assembly =
        ["ring_core", "chacha20", "ChaCha20", "poly1305", "aes", "sha256", "gcm", "vpaes", "bsaes", "x25519"];
    if assembly.iter().any(|prefix| name.trim_start_matches('_').starts_with(prefix)) {
        return Some("ring");
    }
    let start =
        name.trim_start_matches(['<', '&', '(', '[']).trim_start_matches("mut ").trim_start_matches("dyn ");
    let found =
        KNOWN.into_iter().find(|known| start.strip_prefix(known).is_some_and(|rest| rest.starts_with("::")));
    match found {
        // An implementation for a type of the standard library belongs to the crate of the trait.
        Some("core" | "alloc" | "std") if name.starts_with('<') => {
            let others = name.split(" as ").nth(1).unwrap_or_default();
            let other = KNOWN
                .into_iter()
                .find(|known| others.strip_prefix(known).is_some_and(|rest| rest.starts_with("::")));
            other.or(found)
        }
        Some(_) => found,
        None if name.contains("malloc")
            || name.contains("free")
            || name.starts_with("__mem")
            || name.starts_with("_int_") =>
        {
            Some("C library")
        }
        None => None,
    }
}

/// Returns true for a crate of this workspace.
pub fn is_ours(crate_name: &str) -> bool {
    OURS.contains(&crate_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_crate_of_a_function() {
        for (name, expected) in [
            ("justcall_client_verify", Some("justcall_auth")),
            ("justcall_auth_protocol::exchange::Exchange::next", Some("justcall_auth_protocol")),
            ("<ureq::unversioned::transport::Either<A,B> as ureq::Transport>::buffers", Some("ureq")),
            ("<&mut http::uri::Uri as core::fmt::Display>::fmt", Some("http")),
            ("<alloc::vec::Vec<u8> as rustls::msgs::codec::Codec>::encode", Some("rustls")),
            ("ring_core_0_17_14__aes_gcm_dec_update_vaes_avx2", Some("ring")),
            ("_int_malloc", Some("C library")),
            ("something_else", None),
        ] {
            assert_eq!(crate_of(name), expected, "{name}");
        }
    }
}
