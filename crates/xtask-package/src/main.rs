//! `cargo xtask package` and `cargo xtask install`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask_demo::{packages, run};
use xtask_package::build::Builder;
use xtask_package::install::{self, Layout};
use xtask_package::target::Target;
use xtask_package::{abi, dist, symbols};

/// Builds and installs what ships.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write the packages into dist/.
    Package {
        /// The system to build for.
        #[arg(long, default_value = "x86_64-linux-gnu")]
        target: String,
        /// Package changes that are not committed, for tests of the packages.
        #[arg(long)]
        allow_dirty: bool,
        /// Also write docs/evidence/packages.md.
        #[arg(long)]
        report: bool,
        /// Write the newest list of symbols and the baseline of the ABI under packaging/abi, and build nothing.
        #[arg(long)]
        write_abi: bool,
    },
    /// Build the libraries and programs, and install them. DESTDIR is put before the prefix.
    Install {
        /// The folder to install into.
        #[arg(long, default_value = "/usr/local")]
        prefix: PathBuf,
        /// The folder for libraries, below the prefix.
        #[arg(long, default_value = "lib")]
        libdir: PathBuf,
    },
}

fn main() -> ExitCode {
    run::exit_code(match Arguments::parse().what {
        What::Package { write_abi: true, .. } => write_abi(),
        What::Package { target, allow_dirty, report, .. } => {
            dist::write(&run::root(), &target, allow_dirty, report)
        }
        What::Install { prefix, libdir } => install(&prefix, &libdir),
    })
}

fn write_abi() -> Result<()> {
    let root = run::root();
    symbols::write(&root)?;
    abi::write(&root)
}

fn install(prefix: &std::path::Path, libdir: &std::path::Path) -> Result<()> {
    let root = run::root();
    let layout = Layout::new(prefix, libdir)?;
    packages::ensure(&root, packages::PACKAGE)?;
    let target = Target::named("x86_64-linux-gnu")?;
    let builder = Builder::new(&root, target)?;
    let mut tree = install::libraries(&root, &builder.library()?, &layout)?;
    let work = tempfile::tempdir()?;
    tree.extend(install::programs(&builder.programs()?, work.path())?);
    tree.extend(install::licences(&root, target)?);
    let destination = std::env::var_os("DESTDIR").map(PathBuf::from).unwrap_or_default();
    let prefix = install::write(&tree, &destination, &layout)?;
    println!("✓ {} files below {}", tree.len(), prefix.display());
    Ok(())
}
