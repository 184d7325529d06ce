//! `rotate` with special files: links, permissions, mounts, folders that are swapped.
#![cfg(target_os = "linux")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use rustix::fs::{FlockOperation, flock};

use crate::acl::{ACL, acl, attribute, set_attribute};
use crate::rotation::{ACCOUNT, Rotation};
use crate::run::{Run, command, feed};

const NOBODY: u32 = 65534;
const DEFAULT_ACL: &str = "system.posix_acl_default";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("the file exists").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("the file belongs to this user");
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a file")
}

/// Runs the command with fewer privileges, with the new pair on standard input.
fn rotate_under(rotation: &Rotation, wrapper: &[&str], source: &str) -> Run {
    let arguments =
        rotation.service.arguments(&["rotate", "--source", source, "--expected-account", ACCOUNT]);
    let plain = command(&arguments, &[]);
    let mut whole = Command::new(wrapper[0]);
    whole.args(&wrapper[1..]).arg(plain.get_program()).args(plain.get_args()).env_clear();
    whole.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    set_mode(rotation.service.sandbox.ca_file().expect("TLS is on"), 0o644);
    feed(whole, &rotation.new)
}

const AS_NOBODY: &[&str] =
    &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"];

#[test]
fn it_keeps_owner_group_mode_and_acl() {
    assert!(rustix::process::geteuid().is_root(), "this test changes owners: run it as root");
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    chown(&path, Some(NOBODY), Some(1)).expect("we are root");
    set_attribute(&path, "user.note", b"ours");
    for bits in [0o640, 0o600, 0o604, 0o400] {
        set_mode(&path, bits);
        fs::write(&path, rotation.old()).expect("we are root");
        assert_eq!(rotation.rotate(&source, &[]).exit, 0);
        let file = fs::metadata(&path).expect("the file");
        assert_eq!((file.uid(), file.gid(), mode(&path)), (NOBODY, 1, bits), "{bits:o}");
        assert_eq!((text(&path), attribute(&path, ACL)), (rotation.new.clone(), None));
    }
    set_attribute(&path, ACL, &acl(1234, 4));
    let (before, bits) = (attribute(&path, ACL), mode(&path));
    fs::write(&path, rotation.old()).expect("we are root");
    let inode = fs::metadata(&path).expect("the file").ino();
    assert_eq!(rotation.rotate(&source, &[]).exit, 0);
    assert_ne!(fs::metadata(&path).expect("the file").ino(), inode, "the file was replaced");
    assert!(before.is_some() && attribute(&path, ACL) == before && mode(&path) == bits);
    assert_eq!(attribute(&path, "user.note"), Some(b"ours".to_vec()));
}

#[test]
fn it_warns_if_others_can_read_the_file() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    set_mode(&path, 0o644);
    let rotated = rotation.rotate(&source, &[]);
    assert!(rotated.exit == 0 && rotated.stdout.contains("chmod 0600"), "{rotated:?}");
    assert_eq!(mode(&path), 0o644, "the command does not change the mode");
}

#[test]
fn it_gives_the_new_file_no_access_from_the_folders_default_acl() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    set_mode(&path, 0o640);
    set_attribute(rotation.folder.path(), DEFAULT_ACL, &acl(1234, 4));
    let (control, _) = rotation.file("control", "");
    assert!(attribute(&control, ACL).is_some(), "the control: an ordinary new file gets the ACL");
    assert_eq!(rotation.rotate(&source, &[]).exit, 0);
    assert_eq!((attribute(&path, ACL), mode(&path)), (None, 0o640));
}

#[test]
fn it_refuses_a_user_who_could_not_keep_the_owner() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    set_mode(rotation.folder.path(), 0o777);
    // All users may write the file, but only root could restore its owner.
    set_mode(&path, 0o666);
    let refused = rotate_under(&rotation, AS_NOBODY, &source);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("as root"), "{refused:?}");
    assert_eq!(rotation.service.requests(), 0, "refused before any request");
    assert_eq!((text(&path), rotation.names()), (rotation.old(), vec!["pair".to_owned()]));

    set_mode(&path, 0o600);
    chown(&path, Some(NOBODY), Some(NOBODY)).expect("we are root");
    assert_eq!(rotate_under(&rotation, AS_NOBODY, &source).exit, 0);
    let file = fs::metadata(&path).expect("the file");
    assert_eq!(
        (file.uid(), file.gid(), mode(&path), text(&path)),
        (NOBODY, NOBODY, 0o600, rotation.new.clone())
    );

    fs::write(&path, rotation.old()).expect("we are root");
    set_mode(rotation.folder.path(), 0o755);
    let refused = rotate_under(&rotation, AS_NOBODY, &source);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("same folder"), "the folder belongs to another user: {refused:?}");
}

#[test]
fn it_keeps_a_symbolic_link_and_refuses_hard_links() {
    let rotation = Rotation::after_reset();
    let (path, _) = rotation.file("real", &rotation.old());
    let elsewhere = tempfile::tempdir().expect("a folder");
    let link = elsewhere.path().join("link");
    symlink(&path, &link).expect("a link");
    let source = format!("file:{}", link.display());
    assert_eq!(rotation.rotate(&source, &[]).exit, 0);
    assert_eq!((text(&path), fs::read_link(&link).expect("a link")), (rotation.new.clone(), path.clone()));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("the folder").count(), 1);

    fs::write(&path, rotation.old()).expect("the file");
    fs::hard_link(&path, rotation.folder.path().join("other")).expect("a name");
    let refused = rotation.rotate(&source, &[]);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("hard links"), "{refused:?}");
    assert_eq!(text(&path), rotation.old());
}

#[test]
fn it_prints_a_remedy_for_a_dangling_link() {
    let rotation = Rotation::after_reset();
    let link = rotation.folder.path().join("link");
    symlink("absent", &link).expect("a link");
    let source = format!("file:{}", link.display());
    for command in ["setup", "rotate"] {
        let refused = rotation.feed(&[command, "--source", &source], &[], &rotation.new);
        refused.fails_with(1, "source_unavailable");
        assert!(
            refused.stderr.contains("without a target"),
            "neither command refers to the other: {refused:?}"
        );
    }
    fs::write(rotation.folder.path().join("absent"), "").expect("a file");
    assert_eq!(rotation.rotate(&source, &[]).exit, 0, "the hint works");
    assert_eq!(text(&link), rotation.new);
}

#[test]
fn it_refuses_a_file_that_is_mounted_by_itself() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let (outside, _) = rotation.file("outside", &rotation.old());
    let mounted = |options: &str| {
        let mount = format!(
            "mount --bind {0} {1} && mount -o {options} {1} && exec \"$@\"",
            outside.display(),
            path.display()
        );
        rotate_under(&rotation, &["unshare", "--mount", "sh", "-c", &mount, "sh"], &source)
    };
    for options in ["remount,bind,rw", "remount,bind,ro"] {
        let refused = mounted(options);
        refused.fails_with(1, "source_unavailable");
        assert!(
            refused.stderr.contains("mounted by itself") && refused.stderr.contains("docker run"),
            "{refused:?}"
        );
    }
    assert_eq!((text(&path), text(&outside)), (rotation.old(), rotation.old()));
    assert_eq!(rotation.names(), ["outside", "pair"]);
    assert_eq!(rotation.rotate(&source, &[]).exit, 0, "the control: without the mount it is written");
}

#[test]
fn it_refuses_a_folder_that_is_mounted_read_only() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    let folder = rotation.folder.path().display();
    let mount = format!("mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec \"$@\"");
    let refused = rotate_under(&rotation, &["unshare", "--mount", "sh", "-c", &mount, "sh"], &source);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("kubectl"), "{refused:?}");
    assert_eq!(text(&path), rotation.old());
}

#[test]
fn it_locks_a_folder_and_removes_the_remains_of_a_killed_command() {
    let rotation = Rotation::after_reset();
    let (path, source) = rotation.file("pair", &rotation.old());
    rotation.file("..justcall-auth-Ab12Cd", &rotation.new);
    let handle = File::open(rotation.folder.path()).expect("the folder");
    flock(&handle, FlockOperation::LockExclusive).expect("no other process has the lock");
    let refused = rotation.rotate(&source, &[]);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("another justcall-auth"), "{refused:?}");
    assert_eq!(rotation.names().len(), 2, "the files of the other command stay");
    drop(handle);
    assert_eq!(rotation.rotate(&source, &[]).exit, 0);
    assert_eq!((rotation.names(), text(&path)), (vec!["pair".to_owned()], rotation.new.clone()));
}

/// Creates a folder as Kubernetes mounts it, with another file.
fn kubernetes(rotation: &Rotation) -> String {
    let folder = rotation.folder.path();
    let version = folder.join("..2026_11_24_13_33_07.1234567890");
    fs::create_dir(&version).expect("a folder");
    let old = rotation.old();
    let (key, secret) = old.split_once(':').expect("a pair");
    for (name, text) in [("api_key", key), ("api_secret", secret), ("other", "kept")] {
        fs::write(version.join(name), text).expect("a file");
        set_mode(&version.join(name), 0o640);
        symlink(format!("..data/{name}"), folder.join(name)).expect("a link");
    }
    set_mode(&version, 0o750);
    symlink(version.file_name().expect("a name"), folder.join("..data")).expect("a link");
    format!("dir:{}", folder.display())
}

#[test]
fn it_swaps_a_folder_with_the_layout_of_kubernetes() {
    let rotation = Rotation::after_reset();
    let source = kubernetes(&rotation);
    let folder = rotation.folder.path();
    let (key, secret) = rotation.new_halves();
    let read = |name: &str| text(&folder.join(name));
    assert_eq!(rotation.verify(&source).exit, 4, "the old pair is invalid");
    for compromised in [false, true] {
        let before = fs::read_link(folder.join("..data")).expect("a link");
        let options: &[&str] = if compromised { &["--compromised"] } else { &[] };
        let rotated = rotation.rotate(&source, options);
        assert_eq!(rotated.exit, 0, "{rotated:?}");
        assert_eq!(
            (read("api_key"), read("api_secret"), read("other")),
            (key.into(), secret.into(), "kept".into())
        );
        assert_eq!((mode(&folder.join("api_secret")), mode(&folder.join("..data"))), (0o640, 0o750));
        assert_ne!(fs::read_link(folder.join("..data")).expect("a link"), before);
        assert!(!folder.join(before).exists(), "the previous version was removed");
        let word = folder.join("..data/previous_compromised");
        assert_eq!(fs::read_to_string(word).is_ok_and(|word| word == "true"), compromised);
        assert_eq!(rotation.names().len(), 5, "{:?}", rotation.names());
    }
    assert_eq!(rotation.verify(&source).exit, 0);
}

#[test]
fn it_keeps_every_other_name_in_a_folder_or_refuses() {
    let rotation = Rotation::after_reset();
    let source = kubernetes(&rotation);
    let folder = rotation.folder.path();
    fs::write(folder.join("beside"), "kept").expect("a file");
    fs::write(folder.join("..data/binary"), b"\0\xff\n").expect("a file");
    let version = fs::read_link(folder.join("..data")).expect("a link");
    // A link that bypasses ..data would dangle after the previous version is removed.
    symlink(version.join("other"), folder.join("direct")).expect("a link");
    let refused = rotation.rotate(&source, &[]);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("direct"), "{refused:?}");
    assert_eq!(fs::read_link(folder.join("..data")).expect("a link"), version, "the version stays");

    fs::remove_file(folder.join("direct")).expect("the link exists");
    assert_eq!(rotation.rotate(&source, &[]).exit, 0);
    let (key, secret) = rotation.new_halves();
    assert_eq!((text(&folder.join("beside")), text(&folder.join("other"))), ("kept".into(), "kept".into()));
    assert_eq!(
        (text(&folder.join("api_key")), text(&folder.join("api_secret"))),
        (key.into(), secret.into())
    );
    assert_eq!(fs::read(folder.join("..data/binary")).expect("a file"), b"\0\xff\n");
    let mut names: Vec<_> = fs::read_dir(folder.join("..data"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names, ["api_key", "api_secret", "binary", "other"]);
}

#[test]
fn it_refuses_a_folder_that_cannot_be_replaced_atomically() {
    let rotation = Rotation::after_reset();
    let old = rotation.old();
    let (key, secret) = old.split_once(':').expect("a pair");
    let (api_key, _) = rotation.file("api_key", key);
    rotation.file("api_secret", secret);
    let source = format!("dir:{}", rotation.folder.path().display());
    let refused = rotation.rotate(&source, &[]);
    refused.fails_with(1, "source_unavailable");
    assert!(
        refused.stderr.contains("the new key with the old secret")
            && refused.stderr.contains("setup --source dir:"),
        "{refused:?}"
    );
    assert_eq!(text(&api_key), key);

    let swapped = Rotation::after_reset();
    kubernetes(&swapped);
    let inside = format!("file:{}", swapped.folder.path().join("other").display());
    let refused = swapped.rotate(&inside, &[]);
    refused.fails_with(1, "source_unavailable");
    assert!(refused.stderr.contains("dir:PATH"), "{refused:?}");
}

#[test]
fn it_refuses_a_path_that_is_not_a_file() {
    let rotation = Rotation::after_reset();
    for (source, words) in [
        (format!("file:{}", rotation.folder.path().display()), "not a regular file"),
        ("file:/dev/null".to_owned(), "not a regular file"),
        ("file:/".to_owned(), "not a file"),
        (format!("dir:{}/absent", rotation.folder.path().display()), "does not exist yet"),
        (format!("file:{}/absent", rotation.folder.path().display()), "does not exist yet"),
    ] {
        let refused = rotation.rotate(&source, &[]);
        refused.fails_with(1, "source_unavailable");
        assert!(refused.stderr.contains(words), "{source}: {refused:?}");
    }
    assert_eq!(rotation.service.requests(), 0);
}

#[test]
fn a_reader_always_sees_a_whole_pair() {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use justcall_auth::Source;
    use justcall_auth::source::ProcessEnvironment;

    let rotation = Rotation::after_reset();
    let folder = kubernetes(&rotation);
    let file_in = tempfile::tempdir().expect("a folder");
    let (_, file) = crate::run::file(file_in.path(), "pair", &rotation.old());
    let known = Mutex::new(BTreeSet::from([rotation.old(), rotation.new.clone()]));
    let is_over = AtomicBool::new(false);
    let read = |source: &str| {
        let source = Source::parse(source).expect("a spelling");
        let mut seen = BTreeSet::new();
        while !is_over.load(Ordering::Relaxed) {
            let pair = source.load(&ProcessEnvironment).expect("there is always a pair").pair.credentials;
            let pair = pair.expose_authorization(|pair| String::from_utf8_lossy(pair).into_owned());
            assert!(known.lock().expect("no panic").contains(&pair), "a torn pair");
            seen.insert(pair);
        }
        seen.len()
    };
    let seen = std::thread::scope(|scope| {
        let readers = [&folder, &file].map(|source| scope.spawn(move || read(source)));
        let mut new = rotation.new.clone();
        for _ in 0..6 {
            for source in [&folder, &file] {
                let arguments = ["rotate", "--source", source, "--expected-account", ACCOUNT];
                let rotated = rotation.feed(&arguments, &[], &new);
                assert_eq!(rotated.exit, 0, "{rotated:?}");
            }
            let reset = rotation.service.control("POST", "reset", &serde_json::json!({}));
            let half = |name: &str| reset[name].as_str().expect("text");
            new = format!("{}:{}", half("api_key"), half("api_secret"));
            known.lock().expect("no panic").insert(new.clone());
        }
        is_over.store(true, Ordering::Relaxed);
        readers.map(|reader| reader.join().expect("no torn pair"))
    });
    assert!(seen.iter().all(|pairs| *pairs > 3), "the readers ran during the writes: {seen:?}");
}
