//! The Debian packages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xtask_demo::run::{command, succeed};

use crate::install::{self, Content, Layout, Part, Tree};
use crate::sbom::{self, Bills};
use crate::target::{GLIBC, Target};
use crate::workspace::{HOMEPAGE, VERSION};

/// Who is responsible for the packages.
const MAINTAINER: &str = "justcall-auth developers <justcall-auth@users.noreply.github.com>";

/// A package.
struct Package {
    name: &'static str,
    part: Part,
    /// The crate that its binaries are built from.
    source: &'static str,
    section: &'static str,
    depends: &'static str,
    summary: &'static str,
    description: &'static str,
}

const PACKAGES: &[Package] = &[
    Package {
        name: "libjustcall-auth0",
        part: Part::Library,
        source: "justcall-auth-ffi",
        section: "libs",
        depends: "libc6 (>= @GLIBC@), libgcc-s1",
        summary: "JustCall API authentication, shared library",
        description: " This library loads a pair of API key and secret, verifies it with JustCall\n over TLS, and turns each failure into an error with a hint.\n .\n This package contains the shared library.",
    },
    Package {
        name: "libjustcall-auth-dev",
        part: Part::Development,
        source: "justcall-auth-ffi",
        section: "libdevel",
        depends: "libjustcall-auth0 (= @VERSION@)",
        summary: "JustCall API authentication, headers and static library",
        description: " This library loads a pair of API key and secret, verifies it with JustCall\n over TLS, and turns each failure into an error with a hint.\n .\n This package contains the headers for C and C++, the static library, and the\n files for pkg-config and CMake.",
    },
    Package {
        name: "justcall-auth",
        part: Part::Command,
        source: "justcall-auth-cli",
        section: "utils",
        depends: "libc6 (>= @GLIBC@)",
        summary: "JustCall API authentication, command",
        description: " This command verifies a pair of API key and secret with JustCall, explains\n each failure, replaces the pair without downtime, and finds leaked pairs in\n files and in the history of git.",
    },
    Package {
        name: "justcall-auth-sandbox",
        part: Part::Sandbox,
        source: "justcall-auth-sandbox",
        section: "utils",
        depends: "libc6 (>= @GLIBC@)",
        summary: "JustCall API authentication, local service for tests",
        description: " This program serves the part of the JustCall API that authentication needs on\n a loopback address, with resets, faults and webhooks on demand.",
    },
];

/// Writes the packages into `dist`. `tree` gives the files for a [`Layout`] of Debian. Returns their paths.
pub fn write(tree: &Tree, bills: &Bills, target: &Target, dist: &Path, time: u64) -> Result<Vec<PathBuf>> {
    PACKAGES.iter().map(|package| build(package, tree, bills, target, dist, time)).collect()
}

/// Returns where Debian puts files.
pub fn layout(target: &Target) -> Result<Layout> {
    Layout::new(Path::new("/usr"), &Path::new("lib").join(target.name))
}

fn build(
    package: &Package,
    tree: &Tree,
    bills: &Bills,
    target: &Target,
    dist: &Path,
    time: u64,
) -> Result<PathBuf> {
    let work = tempfile::tempdir()?;
    let folder = work.path().join(package.name);
    let mut files: Tree = Tree::new();
    for (place, (part, content)) in tree {
        if *part == package.part {
            files.insert(place.clone(), (*part, content.clone()));
        }
    }
    let documents = format!("share/doc/{}", package.name);
    files.insert(format!("{documents}/copyright"), (package.part, Content::Text(copyright(tree)?)));
    let notices = tree.get("share/doc/justcall-auth/THIRD-PARTY").context("the notices are in the tree")?;
    files.insert(format!("{documents}/THIRD-PARTY"), notices.clone());
    let bill = Content::Text(bills.of(&[package.source])?);
    files.insert(format!("{documents}/{}", sbom::FILE), (package.part, bill));
    install::write(&files, &folder, &layout(target)?)?;
    for place in files.keys().filter(|place| place.starts_with("share/man/")) {
        compress(&folder.join("usr").join(place))?;
    }
    let changelog = folder.join("usr").join(&documents).join("changelog");
    fs::write(&changelog, self::changelog(time)?)?;
    compress(&changelog)?;
    let control = folder.join("DEBIAN");
    fs::create_dir_all(&control)?;
    fs::write(control.join("control"), self::control(package, target, size(&folder)?))?;
    fs::write(control.join("md5sums"), sums(&folder)?)?;
    if package.part == Part::Library {
        fs::write(control.join("triggers"), "activate-noawait ldconfig\n")?;
        fs::write(control.join("shlibs"), format!("libjustcall_auth 0 {} (>= {VERSION})\n", package.name))?;
    }
    make_uniform(&folder)?;
    let path = dist.join(format!("{}_{VERSION}_{}.deb", package.name, target.debian));
    let mut dpkg = command(work.path(), "dpkg-deb", &["--root-owner-group", "-Zxz", "--build", package.name]);
    succeed(dpkg.arg(&path).stdout(std::process::Stdio::null()).env("SOURCE_DATE_EPOCH", time.to_string()))?;
    Ok(path)
}

fn control(package: &Package, target: &Target, size: u64) -> String {
    let Package { name, section, depends, summary, description, .. } = package;
    let depends = depends.replace("@GLIBC@", GLIBC).replace("@VERSION@", VERSION);
    let multiarch = match package.part {
        Part::Library | Part::Development => "Multi-Arch: same\n",
        _ => "",
    };
    format!(
        "Package: {name}\nVersion: {VERSION}\nArchitecture: {arch}\nMaintainer: {MAINTAINER}\n\
         Installed-Size: {size}\nDepends: {depends}\n{multiarch}Section: {section}\nPriority: optional\n\
         Homepage: {HOMEPAGE}\nDescription: {summary}\n{description}\n",
        arch = target.debian,
    )
}

/// Returns the licence of the project. The notices of the crates are a file beside it.
fn copyright(tree: &Tree) -> Result<String> {
    let (_, licence) =
        tree.get("share/doc/justcall-auth/LICENSE-MIT").context("the licences are in the tree")?;
    let Content::File(path) = licence else { anyhow::bail!("the licence is a file") };
    Ok(format!(
        "justcall-auth {VERSION}, {HOMEPAGE}\nCopyright: the justcall-auth authors\nLicence: MIT or Apache-2.0, as you prefer. \
         The second is in /usr/share/common-licenses/Apache-2.0.\nTHIRD-PARTY has the licences of the crates in the \
         binaries.\n\n{}",
        fs::read_to_string(path)?
    ))
}

fn changelog(time: u64) -> Result<String> {
    let date = std::process::Command::new("date")
        .args(["--utc", "--rfc-email", &format!("--date=@{time}")])
        .env("LC_ALL", "C")
        .output()?;
    let date = String::from_utf8_lossy(&date.stdout);
    Ok(format!(
        "justcall-auth ({VERSION}) stable; urgency=medium\n\n  * The changes are listed at {HOMEPAGE}.\n\n -- {MAINTAINER}  {}\n",
        date.trim()
    ))
}

fn compress(path: &Path) -> Result<()> {
    succeed(command(Path::new("/"), "gzip", &["-9", "--no-name"]).arg(path))
}

/// Returns the size of the files, in KiB.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for path in files(folder)? {
        bytes += path.symlink_metadata()?.len().div_ceil(1024);
    }
    Ok(bytes)
}

fn sums(folder: &Path) -> Result<String> {
    let below =
        |path: &PathBuf| path.strip_prefix(folder).map(Path::to_owned).expect("it is below the folder");
    let mut md5sum = command(folder, "md5sum", &[]);
    for path in files(folder)? {
        if path.symlink_metadata()?.is_file() && !path.starts_with(folder.join("DEBIAN")) {
            md5sum.arg(below(&path));
        }
    }
    xtask_demo::run::output(&mut md5sum)
}

/// Sets the permissions of folders, which depend on the umask.
fn make_uniform(folder: &Path) -> Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.symlink_metadata()?.is_dir() {
            make_uniform(&path)?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}
