//! The source archive: the files of the commit and the sources of every crate they need. It builds without a network.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use xtask_demo::run::{cargo, command, output};

use crate::archive;
use crate::workspace::VERSION;

/// Returns the name of the folder in the archive.
pub fn name() -> String {
    format!("justcall-auth-{VERSION}-source")
}

/// Writes the archive into `dist`. Every file gets the time `time`.
pub fn write(root: &Path, dist: &Path, time: u64) -> Result<()> {
    let work = tempfile::tempdir()?;
    let folder = work.path().join(name());
    fs::create_dir(&folder)?;
    copy_tracked(root, &folder)?;
    let vendor = ["vendor", "--locked", "--versioned-dirs", "vendor"];
    // What cargo prints makes it use the folder. The path in it is relative, as the argument is.
    let configuration = output(&mut cargo(&folder, &vendor))?;
    ensure!(configuration.contains("directory = \"vendor\""), "cargo vendor printed no configuration.");
    let path = folder.join(".cargo/config.toml");
    let own = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    fs::write(&path, format!("{own}\n{configuration}"))?;
    // xz would take minutes for the 235 MB of all crates, those for other systems included.
    archive::write(work.path(), &name(), &dist.join(format!("{}.tar.gz", name())), time)
}

/// Copies the files that git tracks or would track.
fn copy_tracked(root: &Path, folder: &Path) -> Result<()> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = output(&mut command(root, "git", &list))?;
    let exists = |name: &&str| !name.is_empty() && root.join(name).symlink_metadata().is_ok();
    let names: Vec<&str> = listed.split('\0').filter(exists).collect();
    let mut pack = command(root, "tar", &["--create", "--null", "--files-from=-"]);
    let mut pack = pack.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start tar")?;
    let mut unpack = command(folder, "tar", &["--extract"]);
    let unpack =
        unpack.stdin(pack.stdout.take().expect("it was piped")).spawn().context("cannot start tar")?;
    pack.stdin.take().expect("it was piped").write_all(names.join("\0").as_bytes())?;
    for mut process in [pack, unpack] {
        ensure!(process.wait()?.success(), "tar did not copy the sources.");
    }
    Ok(())
}
