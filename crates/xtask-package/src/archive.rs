//! Archives: the installed tree in one folder, compressed, the same for the same files.

use std::path::Path;

use anyhow::Result;
use xtask_demo::run::{command, succeed};

/// Writes the folder `name`, which is in `parent`, into the archive `path`. Every file gets the time `time`.
pub fn write(parent: &Path, name: &str, path: &Path, time: u64) -> Result<()> {
    let mut tar = command(parent, "tar", &["--create", "--sort=name", "--format=ustar"]);
    tar.args(["--owner=0", "--group=0", "--numeric-owner", &format!("--mtime=@{time}")]);
    // Not those of this process' umask.
    tar.arg("--mode=u=rwX,go=rX");
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    // One thread: the number of blocks would depend on the number of processors.
    let compress = if is_gzip { "gzip -9 --no-name" } else { "xz -9 --threads=1" };
    tar.args(["--use-compress-program", compress, "--file"]).arg(path).arg(name);
    succeed(&mut tar)
}
