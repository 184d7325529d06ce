//! `cargo xtask bench --gate`: fails if a verification of the packaged library costs more instructions or allocations than
//! the committed baseline, or if an idle client or connection takes more memory than its goal. Times are never gated: they
//! depend on the machine and on what else it does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use xtask_demo::packages;
use xtask_demo::run::{command, output, step, succeed};

use crate::build;
use crate::counts::{self, Countable, Counts};
use crate::goals::IDLE_AT_MOST;
use crate::scale;
use crate::server::{Dialect, SecretKind, Server};

/// By how much a count may exceed its baseline.
const MOST: f64 = 1.03;
/// The counts, by the machine's features and by what is counted.
const BASELINE: &str = "bench/counts.json";

/// The features that decide which code a library selects at run time, as valgrind passes them on.
const FEATURES: &[&str] =
    &["ssse3", "sse4_1", "avx", "avx2", "bmi2", "adx", "aes", "pclmulqdq", "sha_ni", "erms", "fma", "movbe"];

type Table = BTreeMap<String, Counts>;

/// Counts, prints, and compares. With `update`, writes the baseline of this machine instead.
pub fn run(root: &Path, update: bool) -> Result<()> {
    step("Debian packages", || packages::ensure(root, packages::COUNTS))?;
    let workers = step("the packaged library and its worker", || build::counted_worker(root))?;
    let server = Server::start(root)?;
    let features = features()?;
    println!("features: {features}");
    let table = step("counting instructions and allocations", || counted(&workers, &server))?;
    for (name, counts) in &table {
        println!("  {name}: {:.0} instructions, {:.1} allocations", counts.instructions, counts.allocations);
    }
    step("the memory of an idle client and of an idle connection", || idle(&workers, &server))?;
    if update {
        return write(root, &features, &table);
    }
    let Some(baseline) = baseline(root, &features, &server)? else { return other_machines(root, &table) };
    let excess = excess(&table, &baseline);
    ensure!(
        excess.is_empty(),
        "A verification costs over 3 % more than its baseline: {}. \
         If the cost is justified, run: cargo xtask bench --gate --update",
        excess.join("; ")
    );
    step("a planted slow-down fails", || {
        let planted = Countable { job: "slowed_verify", ..Countable::verifications()[0] };
        let name = Countable { job: "verify", ..planted }.name();
        let slowed = Table::from([(name, counts::count(&workers, "ours", &server, planted)?)]);
        ensure!(
            !self::excess(&slowed, &baseline).is_empty(),
            "two more headers for each call were not noticed"
        );
        Ok(())
    })
}

/// Fails if an idle client or an idle connection takes more memory than its goal.
fn idle(workers: &Path, server: &Server) -> Result<()> {
    let idle = scale::idle(workers, server)?;
    let (client, connection) = IDLE_AT_MOST;
    println!("  a client: {:.0} bytes of the heap; a connection: {:.0}", idle.client, idle.connection);
    ensure!(idle.connections >= 2.0, "the control: only {} connections were opened", idle.connections);
    // Without the counting allocator both would be 0.
    ensure!((500.0..=client).contains(&idle.client), "an idle client takes {:.0} bytes", idle.client);
    ensure!(
        (500.0..=connection).contains(&idle.connection),
        "an idle connection takes {:.0} bytes",
        idle.connection
    );
    Ok(())
}

fn counted(workers: &Path, server: &Server) -> Result<Table> {
    let cases = [
        (SecretKind::Hexadecimal, Dialect::AccountPage),
        (SecretKind::UrlSafeBase64, Dialect::AccountPage),
        (SecretKind::Hexadecimal, Dialect::NoAccountPage),
        (SecretKind::Hexadecimal, Dialect::MoreHeaders),
    ];
    cases
        .into_iter()
        .map(|(secret, dialect)| {
            let what = Countable { job: "verify", secret, dialect };
            Ok((what.name(), counts::count(workers, "ours", server, what)?))
        })
        .collect()
}

/// Returns a sentence for each count that is too high. An allocation more than before is too high, whatever its share.
fn excess(table: &Table, baseline: &Table) -> Vec<String> {
    let one = |(name, counts): (&String, &Counts)| {
        let before = baseline.get(name)?;
        let is_over = counts.instructions > before.instructions * MOST
            || counts.allocations > (before.allocations * MOST).max(before.allocations + 0.5);
        is_over.then(|| {
            format!(
                "{name}: {:.0} instructions ({:.0} before), {:.1} allocations ({:.1} before)",
                counts.instructions, before.instructions, counts.allocations, before.allocations
            )
        })
    };
    table.iter().filter_map(one).collect()
}

/// Returns the properties of the machine that the counts depend on.
fn features() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo").context("/proc/cpuinfo")?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags")).unwrap_or_default();
    let has = |feature: &&&str| flags.split_whitespace().any(|flag| flag == **feature);
    let known: Vec<&str> = FEATURES.iter().filter(has).copied().collect();
    let last =
        |text: String| text.lines().next().and_then(|line| line.split(' ').next_back()).map(str::to_owned);
    let libc = last(output(Command::new("ldd").arg("--version"))?).context("no version of the C library")?;
    let valgrind =
        last(output(Command::new("valgrind").arg("--version"))?).context("no version of valgrind")?;
    Ok(format!("{} · glibc {libc} · {valgrind}", known.join(" ")))
}

fn read(root: &Path, features: &str) -> Result<Option<Table>> {
    let all = all(root)?;
    let Some(rows) = all.get(features).and_then(Value::as_object) else { return Ok(None) };
    let counts = |row: &Value| {
        Some(Counts {
            instructions: row["instructions"].as_f64()?,
            allocations: row["allocations"].as_f64()?,
        })
    };
    let table = rows.iter().map(|(name, row)| Some((name.clone(), counts(row)?)));
    Ok(Some(table.collect::<Option<_>>().with_context(|| format!("{BASELINE} is malformed"))?))
}

fn all(root: &Path) -> Result<Value> {
    match fs::read_to_string(root.join(BASELINE)) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{BASELINE} is malformed")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(json!({})),
        Err(error) => Err(error).context(BASELINE),
    }
}

fn write(root: &Path, features: &str, table: &Table) -> Result<()> {
    let mut all = all(root)?;
    let rounded = |value: f64| (value * 10.0).round() / 10.0;
    let rows: serde_json::Map<_, _> = table
        .iter()
        .map(|(name, counts)| {
            let row = json!({
                "instructions": counts.instructions.round(),
                "allocations": rounded(counts.allocations),
            });
            (name.clone(), row)
        })
        .collect();
    all[features] = rows.into();
    fs::write(root.join(BASELINE), serde_json::to_string_pretty(&all)? + "\n")?;
    println!("written to {BASELINE}");
    Ok(())
}

/// Returns the counts to compare with: those of this set of features, or of the parent commit on this machine. Returns
/// `None` if neither exists: a shallow clone has no parent.
fn baseline(root: &Path, features: &str, server: &Server) -> Result<Option<Table>> {
    if let Some(baseline) = read(root, features)? {
        return Ok(Some(baseline));
    }
    match output(&mut command(root, "git", &["rev-parse", "--verify", "--quiet", "HEAD^"])) {
        Ok(commit) => step("no baseline for these features: counting the parent commit", || {
            parent(root, &commit, server).map(Some)
        }),
        Err(_) => Ok(None),
    }
}

/// Compares with the highest counts of other machines, which may use other code of ring and of the C library.
fn other_machines(root: &Path, table: &Table) -> Result<()> {
    const TOLERANCE: f64 = 1.2;
    let all = all(root)?;
    let known = all.as_object().context("a baseline")?.keys();
    let mut highest = Table::new();
    for features in known {
        for (name, counts) in read(root, features)?.unwrap_or_default() {
            let most = highest.entry(name).or_insert(counts);
            most.instructions = most.instructions.max(counts.instructions * TOLERANCE);
            most.allocations = most.allocations.max(counts.allocations);
        }
    }
    let excess = excess(table, &highest);
    ensure!(
        excess.is_empty(),
        "A verification costs over 20 % more than on other machines: {}",
        excess.join("; ")
    );
    println!("no baseline for these features, and no parent commit: below 120 % of other machines");
    Ok(())
}

/// Counts the commit before this one, on this machine.
fn parent(root: &Path, parent: &str, server: &Server) -> Result<Table> {
    let folder = tempfile::tempdir()?;
    let checkout = folder.path().join("parent");
    succeed(command(root, "git", &["worktree", "add", "--detach"]).arg(&checkout).arg(parent.trim()))?;
    // The programs of this commit measure the library of that one, so that only the library differs.
    let counts = build::counted_worker_of(root, &checkout).and_then(|workers| counted(&workers, server));
    succeed(command(root, "git", &["worktree", "remove", "--force"]).arg(&checkout))?;
    counts.context("cannot count the parent commit")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fails_for_three_per_cent_more_instructions_or_one_more_allocation() {
        let table = |instructions, allocations| {
            Table::from([("verify".to_owned(), Counts { instructions, allocations })])
        };
        let before = table(60_000.0, 40.0);
        assert!(excess(&table(61_700.0, 40.2), &before).is_empty());
        assert!(excess(&table(30_000.0, 20.0), &before).is_empty());
        assert_eq!(excess(&table(61_900.0, 40.0), &before).len(), 1);
        assert_eq!(excess(&table(60_000.0, 42.0), &before).len(), 1);
        assert!(excess(&table(61_900.0, 40.0), &Table::new()).is_empty(), "nothing to compare with");
    }
}
