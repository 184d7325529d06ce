//! A folder whose files are replaced together, as in Kubernetes: the link `..data` points to a folder with one version
//! of all files, and is swapped atomically.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use justcall_auth::folder::{names, remove};
use justcall_auth::replace::{Replacement, private_file};

use super::file::unlinked;
use super::folder::{Folder, LINK, PREFIX};
use super::rights::Rights;

/// The largest file that is copied to the next version.
const MAX_FILE: u64 = 1024 * 1024;

/// The name of a file and its content in the next version, or `None` to remove it.
pub(super) type Change<'a> = (&'a str, Option<&'a [u8]>);

/// Creates a version that differs from the current one by `changes`, and swaps the link. All files and the folder keep
/// owner, group, mode and ACL. A new file gets those of the first existing file.
pub(super) fn swap(folder: &Folder, changes: &[Change]) -> io::Result<()> {
    let old = current_version(folder.path())?;
    let new = prepare(folder, &old, changes)?;
    point_link_to(folder, new)?;
    folder.sync()?;
    if old.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
        remove(&old)?;
    }
    Ok(())
}

/// Does everything that [`swap`] does, except for the swap. Fails if [`swap`] would fail.
pub(super) fn rehearse(folder: &Folder) -> io::Result<()> {
    let old = current_version(folder.path())?;
    refuse_links_into(folder.path(), &old)?;
    prepare(folder, &old, &[]).map(drop)
}

/// Refuses links other than [`LINK`] into the current version, which would dangle after its removal.
fn refuse_links_into(folder: &Path, version: &Path) -> io::Result<()> {
    for name in names(folder)? {
        let Ok(target) = fs::read_link(folder.join(&name)) else { continue };
        if name != LINK && folder.join(target).starts_with(version) {
            let name = name.to_string_lossy();
            return Err(io::Error::other(format!("its {name} points into one version, not to {LINK}")));
        }
    }
    Ok(())
}

/// Creates such a folder with `files`, which only their owner can read.
pub(super) fn create(folder: &Folder, files: &[(&str, &[u8])]) -> io::Result<()> {
    let new = temporary(folder)?;
    for (name, text) in files {
        write(&new.path().join(name), text, None)?;
    }
    File::open(new.path())?.sync_all()?;
    // These links dangle until the version link exists.
    let link = |(name, _): &(&str, &[u8])| create_link(folder, name);
    let links = files.iter().map(link).collect::<io::Result<Vec<_>>>()?;
    point_link_to(folder, new)?;
    links.into_iter().for_each(Replacement::keep);
    folder.sync()
}

/// Returns true if the files of `path` can be replaced together.
pub(super) fn is_versioned(path: &Path) -> bool {
    current_version(path).is_ok()
}

/// Returns the folder with the current version.
fn current_version(path: &Path) -> io::Result<PathBuf> {
    let target = fs::read_link(path.join(LINK))?;
    let is_inside = target.components().count() == 1 && target.file_name().is_some();
    if is_inside {
        Ok(path.join(target))
    } else {
        Err(io::Error::other("its ..data points out of the folder"))
    }
}

fn prepare(folder: &Folder, old: &Path, changes: &[Change]) -> io::Result<Replacement<()>> {
    let new = temporary(folder)?;
    let mut usual = None;
    for name in names(old)? {
        let path = old.join(&name);
        let file = unlinked(&path)?;
        if !file.metadata()?.is_file() || file.metadata()?.len() > MAX_FILE {
            return Err(io::Error::other(format!("its {} is not a small file", name.to_string_lossy())));
        }
        let rights = Rights::of(&file)?;
        match changes.iter().find(|(changed, _)| OsStr::new(changed) == name) {
            None => copy_file(&path, &new.path().join(&name), &rights)?,
            Some((_, Some(text))) => write(&new.path().join(&name), text, Some(&rights))?,
            Some((_, None)) => {}
        }
        usual.get_or_insert(rights);
    }
    for (name, text) in changes {
        let path = new.path().join(name);
        if let Some(text) = text.filter(|_| !path.exists()) {
            write(&path, text, usual.as_ref())?;
        }
    }
    let handle = File::open(new.path())?;
    Rights::of(&File::open(old)?)?.apply(&handle)?;
    handle.sync_all()?;
    Ok(new)
}

/// Copies a file of the previous version, which may contain a secret too.
fn copy_file(old: &Path, new: &Path, rights: &Rights) -> io::Result<()> {
    let mut from = unlinked(old)?;
    let mut to = private_file(new)?;
    io::copy(&mut from, &mut to)?;
    rights.apply(&to)?;
    to.sync_all()
}

fn write(path: &Path, text: &[u8], rights: Option<&Rights>) -> io::Result<()> {
    let mut file = private_file(path)?;
    file.write_all(text)?;
    if let Some(rights) = rights {
        rights.apply(&file)?;
    }
    file.sync_all()
}

/// Creates an empty folder that only its owner can open. Dropping it removes it.
fn temporary(folder: &Folder) -> io::Result<Replacement<()>> {
    Replacement::within(folder.path(), PREFIX, |path| DirBuilder::new().mode(0o700).create(path))
}

/// Creates a link to the file `name` of the current version, unless an interrupted setup has left it. Dropping the link
/// removes it.
fn create_link(folder: &Folder, name: &str) -> io::Result<Replacement<()>> {
    let target = Path::new(LINK).join(name);
    Replacement::at(folder.path().join(name), |link| match symlink(&target, link) {
        Err(error) if fs::read_link(link).ok().as_deref() != Some(&target) => Err(error),
        _ => Ok(()),
    })
}

/// Points the link to `version` atomically. From then on the version is in use and must not be removed.
fn point_link_to(folder: &Folder, version: Replacement<()>) -> io::Result<()> {
    let name = version.path().file_name().expect("it was made with a name");
    let link = Replacement::within(folder.path(), PREFIX, |path| symlink(name, path))?;
    link.move_to(&folder.path().join(LINK))?;
    version.keep();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// An entry of a version beside the pair.
    #[derive(Debug, Clone)]
    enum Entry {
        File(Vec<u8>),
        Link,
        Folder,
    }

    fn entry() -> impl Strategy<Value = Entry> {
        prop_oneof![
            8 => proptest::collection::vec(any::<u8>(), 0..32).prop_map(Entry::File),
            1 => Just(Entry::Link),
            1 => Just(Entry::Folder),
        ]
    }

    /// Returns the content of the current version. An entry that is not a file has the value `None`.
    fn contents(folder: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
        let entries = fs::read_dir(folder.join(LINK)).expect("a version");
        let read = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.expect("an entry");
            let is_file = entry.file_type().expect("a type").is_file();
            let bytes = is_file.then(|| fs::read(entry.path()).expect("a file"));
            (entry.file_name().into_string().expect("text"), bytes)
        };
        entries.map(read).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_refuses_a_random_folder_or_changes_only_the_two_files(
            entries in proptest::collection::btree_map("[a-z._-]{1,8}", entry(), 0..5),
            has_pair: bool,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let version = folder.path().join("..1");
            fs::create_dir(&version).expect("a version");
            symlink("..1", folder.path().join(LINK)).expect("a link");
            for name in ["api_key", "api_secret"].iter().filter(|_| has_pair) {
                fs::write(version.join(name), "old").expect("a file");
            }
            let is_name = |name: &str| name != "." && name != "..";
            for (name, entry) in entries.iter().filter(|(name, _)| is_name(name)) {
                match entry {
                    Entry::File(bytes) => fs::write(version.join(name), bytes).expect("a file"),
                    Entry::Link => symlink("elsewhere", version.join(name)).expect("a link"),
                    Entry::Folder => fs::create_dir(version.join(name)).expect("a folder"),
                }
            }
            let mut expected = contents(folder.path());
            let locked = Folder::lock(folder.path()).expect("the folder is writable").expect("no other writer has the lock");
            let changes: [Change; 2] = [("api_key", Some(b"new-key")), ("api_secret", Some(b"new-secret"))];
            let is_plain = expected.values().all(Option::is_some);
            prop_assert_eq!(rehearse(&locked).is_ok(), is_plain);
            match swap(&locked, &changes) {
                Ok(()) => {
                    prop_assert!(is_plain);
                    expected.insert("api_key".into(), Some(b"new-key".to_vec()));
                    expected.insert("api_secret".into(), Some(b"new-secret".to_vec()));
                }
                Err(_) => prop_assert!(!is_plain),
            }
            prop_assert_eq!(contents(folder.path()), expected);
        }
    }
}
