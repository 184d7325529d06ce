//! A folder whose files are replaced together, as Kubernetes does: `..data` is a link to the folder that holds one version
//! of them all, and is swapped in one step.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use justcall_auth::replace::{Replacement, private_file};

use super::file::unlinked;
use super::folder::{Folder, LINK, PREFIX};
use super::rights::Rights;

/// The largest file that is carried over into the next version.
const MAX_FILE: u64 = 1024 * 1024;

/// A file of the next version, by name; `None`: it has none.
pub(super) type Change<'a> = (&'a str, Option<&'a [u8]>);

/// Makes a version that differs from the one in use by `changes`, and swaps the link. Every file and the folder keep
/// owner, group, mode and ACL; a file that is new gets those of the first one that was there before.
pub(super) fn swap(folder: &Folder, changes: &[Change]) -> io::Result<()> {
    let old = used(folder.path())?;
    let new = prepare(folder, &old, changes)?;
    point(folder, new)?;
    folder.sync()?;
    if old.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"..")) {
        fs::remove_dir_all(&old)?;
    }
    Ok(())
}

/// Tries all that [`swap`] does but for the swap: what it would be refused is refused here.
pub(super) fn rehearse(folder: &Folder) -> io::Result<()> {
    let old = used(folder.path())?;
    refuse_links_into(folder.path(), &old)?;
    prepare(folder, &old, &[]).map(drop)
}

/// Refuses links beside [`LINK`] that lead into the version in use: they would lead nowhere once it is removed.
fn refuse_links_into(folder: &Path, version: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        if entry.file_name() != LINK && folder.join(target).starts_with(version) {
            let name = entry.file_name().to_string_lossy().into_owned();
            return Err(io::Error::other(format!("its {name} leads into one version, not to {LINK}")));
        }
    }
    Ok(())
}

/// Lays out a folder of this kind where there is none yet, with `files`; their owner alone may read them.
pub(super) fn create(folder: &Folder, files: &[(&str, &[u8])]) -> io::Result<()> {
    let new = temporary(folder)?;
    for (name, text) in files {
        write(&new.path().join(name), text, None)?;
        // They lead nowhere until the link is there.
        lead(&folder.path().join(name), &Path::new(LINK).join(name))?;
    }
    File::open(new.path())?.sync_all()?;
    point(folder, new)?;
    folder.sync()
}

/// Whether `path` is laid out so that its files can be replaced together.
pub(super) fn is_versioned(path: &Path) -> bool {
    used(path).is_ok()
}

/// The folder with the version in use.
fn used(path: &Path) -> io::Result<PathBuf> {
    let target = fs::read_link(path.join(LINK))?;
    let is_inside = target.components().count() == 1 && target.file_name().is_some();
    if is_inside {
        Ok(path.join(target))
    } else {
        Err(io::Error::other("its ..data leads out of the folder"))
    }
}

fn prepare(folder: &Folder, old: &Path, changes: &[Change]) -> io::Result<Replacement<()>> {
    let new = temporary(folder)?;
    let mut usual = None;
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        let name = entry.file_name();
        let file = unlinked(&entry.path())?;
        if !file.metadata()?.is_file() || file.metadata()?.len() > MAX_FILE {
            return Err(io::Error::other(format!("its {} is no small file", name.to_string_lossy())));
        }
        let rights = Rights::of(&file)?;
        match changes.iter().find(|(changed, _)| OsStr::new(changed) == name) {
            None => carry(&entry.path(), &new.path().join(&name), &rights)?,
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
    Rights::of(&File::open(old)?)?.give(&handle)?;
    handle.sync_all()?;
    Ok(new)
}

/// Copies a file of the version before, which may hold a secret as well.
fn carry(old: &Path, new: &Path, rights: &Rights) -> io::Result<()> {
    let mut from = unlinked(old)?;
    let mut to = private_file(new)?;
    io::copy(&mut from, &mut to)?;
    rights.give(&to)?;
    to.sync_all()
}

fn write(path: &Path, text: &[u8], rights: Option<&Rights>) -> io::Result<()> {
    let mut file = private_file(path)?;
    file.write_all(text)?;
    if let Some(rights) = rights {
        rights.give(&file)?;
    }
    file.sync_all()
}

/// An empty folder that nobody but its owner may open; gone when it is dropped.
fn temporary(folder: &Folder) -> io::Result<Replacement<()>> {
    Replacement::within(folder.path(), PREFIX, |path| DirBuilder::new().mode(0o700).create(path))
}

/// A link to `target`, unless it is there from a time before that was cut short.
fn lead(link: &Path, target: &Path) -> io::Result<()> {
    match symlink(target, link) {
        Err(error) if fs::read_link(link).ok().as_deref() != Some(target) => Err(error),
        _ => Ok(()),
    }
}

/// Lets the link lead to `version`, in one step. From then on it is in use, and stays whatever happens.
fn point(folder: &Folder, version: Replacement<()>) -> io::Result<()> {
    let name = version.path().file_name().expect("it was made with a name");
    let link = Replacement::within(folder.path(), PREFIX, |path| symlink(name, path))?;
    link.put(&folder.path().join(LINK))?;
    version.keep();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What a version holds beside the pair.
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

    /// Everything in the version in use: `None` for what is no file.
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
        fn it_refuses_a_random_folder_or_changes_the_two_files_alone(
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
            let held = Folder::hold(folder.path()).expect("it is ours").expect("nobody else holds it");
            let changes: [Change; 2] = [("api_key", Some(b"new-key")), ("api_secret", Some(b"new-secret"))];
            let is_plain = expected.values().all(Option::is_some);
            prop_assert_eq!(rehearse(&held).is_ok(), is_plain);
            match swap(&held, &changes) {
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
