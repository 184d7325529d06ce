//! `cargo xtask package`, `install`, `verify-release` and `release`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use xtask_demo::run::{self, step};
use xtask_package::build::Builder;
use xtask_package::install::{self, Layout};
use xtask_package::target::Target;
use xtask_package::{abi, dist, release, rust_api, standard_library, symbols, tools, verify};

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
        /// Write the newest list of symbols and the baselines of the ABI and of the Rust API under packaging/, and build no
        /// package.
        #[arg(long)]
        write_abi: bool,
    },
    /// Build the libraries and the command with the compiler of this machine, and install them with headers and manual pages.
    /// DESTDIR is put before the prefix.
    Install {
        /// What to install, separated by commas. The library includes headers and files for build systems.
        #[arg(long, value_enum, value_delimiter = ',', default_value = "library,command")]
        parts: Vec<InstallPart>,
        /// The system to build for, whose GCC must be installed [default: this machine].
        #[arg(long)]
        target: Option<String>,
        /// The folder to install into.
        #[arg(long, default_value = "/usr/local")]
        prefix: PathBuf,
        /// The folder for libraries, below the prefix.
        #[arg(long, default_value = "lib")]
        libdir: PathBuf,
    },
    /// Build the commit that files of a release name, and compare the files with what was built.
    VerifyRelease {
        /// The files, in the folder of the release.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Compare with this folder, which was built from the commit before.
        #[arg(long, value_name = "FOLDER")]
        built: Option<PathBuf>,
    },
    /// Check that the version can be released.
    Release {
        /// Release nothing: the release itself is made by hand.
        #[arg(long, required = true)]
        dry_run: bool,
    },
}

/// What `cargo xtask install` can install.
#[derive(Clone, Copy, ValueEnum)]
enum InstallPart {
    /// Headers and libraries.
    Library,
    /// `justcall-auth`.
    Command,
    /// `justcall-auth-sandbox`.
    Sandbox,
}

fn main() -> ExitCode {
    run::exit_code(match Arguments::parse().what {
        What::Package { write_abi: true, .. } => write_abi(),
        What::Package { target, allow_dirty, report, .. } => {
            dist::write(&run::root(), &target, allow_dirty, report)
        }
        What::Install { parts, target, prefix, libdir } => {
            Layout::new(&prefix, &libdir).and_then(|layout| install(&parts, target.as_deref(), &layout))
        }
        What::VerifyRelease { files, built } => verify::run(&run::root(), &files, built.as_deref()),
        What::Release { .. } => release::dry_run(&run::root()),
    })
}

fn write_abi() -> Result<()> {
    let root = run::root();
    symbols::write(&root)?;
    abi::write(&root)?;
    rust_api::write(&root)
}

fn install(parts: &[InstallPart], target: Option<&str>, layout: &Layout) -> Result<()> {
    let root = run::root();
    let target = target.map_or_else(Target::host, Target::named)?;
    if target.triple == Target::host_triple()? {
        tools::require(&tools::INSTALL)?;
    } else {
        tools::require_for(target)?;
    }
    let destination = std::env::var_os("DESTDIR").map(PathBuf::from).unwrap_or_default();
    install::require_writable(&destination, layout)?;
    let builder = Builder::gcc(&root, target)?;
    println!("Each part is compiled for {} with all optimisations, which takes minutes.", target.name);
    let work = tempfile::tempdir()?;
    // Toolchains that do not come from rustup have the licences elsewhere. The binaries stay on this machine.
    let standard_library = standard_library::notices(&root, target).unwrap_or_default();
    let mut tree = install::licences(&root, target, &standard_library)?;
    for part in parts {
        tree.extend(match part {
            InstallPart::Library => {
                let library = step("the library, shared and static", || builder.library())?;
                install::libraries(&root, &library, layout)?
            }
            InstallPart::Command => {
                let program = step("the command justcall-auth", || builder.command())?;
                install::command(&program, work.path())?
            }
            InstallPart::Sandbox => {
                let program = step("the program justcall-auth-sandbox", || builder.sandbox())?;
                install::sandbox(&program, work.path())?
            }
        });
    }
    let prefix = install::write(&tree, &destination, layout)?;
    println!("\n✓ installed {} files below {}", tree.len(), prefix.display());
    Ok(())
}
