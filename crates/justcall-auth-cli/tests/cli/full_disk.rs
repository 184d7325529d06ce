//! `rotate` and `setup` on a disk that is full, has no more inodes, or is read-only: a small tmpfs in a separate namespace.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::Command;

use crate::rotation::Rotation;
use crate::run::Run;

/// The variable with the role of a child process.
const ROLE: &str = "JUSTCALL_TEST_ROLE";

/// Returns true in a namespace whose mounts no other process sees. Otherwise runs the test `name` in one.
fn is_apart(name: &str) -> bool {
    if std::env::var_os(ROLE).is_some() {
        return true;
    }
    let output = Command::new("unshare")
        .args(["-Urnm", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"])
        .arg(std::env::current_exe().expect("this test's path"))
        .args([&format!("full_disk::{name}"), "--exact", "--nocapture"])
        .env(ROLE, "child")
        .output()
        .expect("unshare runs");
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
    false
}

/// A small disk in the folder of a rotation.
struct Disk(Rotation);

impl Disk {
    fn mount(options: &str) -> Self {
        let rotation = Rotation::after_reset();
        shell(&format!("mount -t tmpfs -o {options} none {}", rotation.folder.path().display()));
        Self(rotation)
    }

    fn path(&self) -> &Path {
        self.0.folder.path()
    }

    /// Writes a file until the disk is full.
    fn fill(&self) {
        let mut filler = File::create(self.path().join("filler")).expect("a file");
        let full = std::iter::repeat_with(|| filler.write_all(&[0; 512])).find_map(Result::err);
        assert_eq!(full.expect("the disk is full").kind(), ErrorKind::StorageFull, "the limit bites");
    }

    fn empty(&self) {
        fs::remove_file(self.path().join("filler")).expect("it was written");
    }

    /// Creates files until the disk has no more inodes.
    fn use_up_inodes(&self) {
        fs::create_dir(self.path().join("filler")).expect("a folder");
        let create = |number: usize| File::create(self.path().join(format!("filler/{number}")));
        let full = (0..).find_map(|number| create(number).err()).expect("there are no more inodes");
        assert_eq!(full.kind(), ErrorKind::StorageFull, "the limit bites");
    }

    /// Returns every name on the disk, sorted.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        list(self.path(), "", &mut names);
        names.sort();
        names
    }

    /// Returns the temporary names on the disk, except for a version that is in use.
    fn remains(&self) -> Vec<String> {
        let used = |name: &str| {
            let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
            fs::read_link(self.path().join(folder).join("..data"))
                .is_ok_and(|target| target == Path::new(name))
        };
        let is_temporary = |name: &String| {
            name.rsplit('/').next().is_some_and(|last| last.starts_with("..justcall-auth-")) && !used(name)
        };
        self.names().into_iter().filter(is_temporary).collect()
    }

    fn set_up(&self, source: &str) -> Run {
        self.0.feed(&["setup", "--source", source], &[], &self.0.new)
    }

    fn rotate(&self, source: &str) -> Run {
        self.0.rotate(source, &[])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A folder that is a mount cannot be removed. The namespace ends with this process.
        let _busy = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn list(folder: &Path, before: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            list(&entry.path(), &format!("{name}/"), names);
        }
        names.push(name);
    }
}

fn shell(command: &str) {
    let output = Command::new("sh").args(["-c", command]).output().expect("sh runs");
    assert!(output.status.success(), "{command}: {output:?}");
}

#[track_caller]
fn fails_because(run: &Run, words: &str) {
    run.fails_with(1, "source_unavailable");
    assert!(run.stderr.contains(words), "{run:?}");
}

const SMALL: &str = "size=64k";
const FULL: &str = "No space left on device";
const READ_ONLY: &str = "Read-only file system";

/// Checks that `act` fails on a full disk, changes nothing, and succeeds when there is space again.
fn check_full(prepare: impl Fn(&Disk) -> String, act: impl Fn(&Disk, &str) -> Run) {
    let disk = Disk::mount(SMALL);
    let source = prepare(&disk);
    let old = disk.0.verify(&source);
    disk.fill();
    let before = (disk.names(), disk.0.service.requests());
    let failed = act(&disk, &source);
    fails_because(&failed, FULL);
    let after = (disk.names(), disk.0.service.requests());
    assert_eq!(after, before, "it fails before the pair is verified, and leaves nothing: {failed:?}");
    let still = disk.0.verify(&source);
    assert_eq!((still.exit, still.stderr), (old.exit, old.stderr), "the old pair is whole, or there is none");
    disk.empty();
    let done = act(&disk, &source);
    assert_eq!(done.exit, 0, "{done:?}");
    assert_eq!(disk.0.verify(&source).exit, 0, "the new pair is there");
    assert_eq!(disk.remains(), Vec::<String>::new());
}

fn with_file(disk: &Disk) -> String {
    disk.0.file("pair", &disk.0.old()).1
}

fn with_folder(disk: &Disk) -> String {
    let old = disk.0.old();
    let (key, secret) = old.split_once(':').expect("a pair");
    fs::create_dir(disk.path().join("..1")).expect("a folder");
    std::os::unix::fs::symlink("..1", disk.path().join("..data")).expect("a link");
    for (name, text) in [("api_key", key), ("api_secret", secret)] {
        fs::write(disk.path().join("..1").join(name), text).expect("a file");
        std::os::unix::fs::symlink(format!("..data/{name}"), disk.path().join(name)).expect("a link");
    }
    format!("dir:{}", disk.path().display())
}

#[test]
fn a_rotation_of_a_file_on_a_full_disk_leaves_the_old_pair_and_can_be_repeated() {
    if is_apart("a_rotation_of_a_file_on_a_full_disk_leaves_the_old_pair_and_can_be_repeated") {
        check_full(with_file, Disk::rotate);
    }
}

#[test]
fn a_rotation_of_a_folder_on_a_full_disk_leaves_the_old_pair_and_can_be_repeated() {
    if is_apart("a_rotation_of_a_folder_on_a_full_disk_leaves_the_old_pair_and_can_be_repeated") {
        check_full(with_folder, Disk::rotate);
    }
}

#[test]
fn a_setup_on_a_full_disk_leaves_nothing_and_can_be_repeated() {
    if is_apart("a_setup_on_a_full_disk_leaves_nothing_and_can_be_repeated") {
        check_full(|disk| format!("file:{}/new/pair.json", disk.path().display()), Disk::set_up);
        check_full(|disk| format!("dir:{}/new", disk.path().display()), Disk::set_up);
    }
}

#[test]
fn it_refuses_a_disk_without_inodes_before_any_request() {
    if !is_apart("it_refuses_a_disk_without_inodes_before_any_request") {
        return;
    }
    for prepare in [with_file, with_folder] {
        let disk = Disk::mount("size=1m,nr_inodes=16");
        let source = prepare(&disk);
        disk.use_up_inodes();
        let before = disk.names();
        fails_because(&disk.rotate(&source), FULL);
        assert_eq!((disk.names(), disk.0.service.requests()), (before, 0));
        fs::remove_dir_all(disk.path().join("filler")).expect("it was created");
        assert_eq!(disk.rotate(&source).exit, 0, "the control: with inodes it is written");
    }
}

#[test]
fn it_refuses_a_disk_that_is_read_only_before_any_request() {
    if !is_apart("it_refuses_a_disk_that_is_read_only_before_any_request") {
        return;
    }
    let remount =
        |disk: &Disk, mode: &str| shell(&format!("mount -o remount,{mode} {}", disk.path().display()));
    let check = |prepare: &dyn Fn(&Disk) -> String, act: fn(&Disk, &str) -> Run| {
        let disk = Disk::mount(SMALL);
        let source = prepare(&disk);
        remount(&disk, "ro");
        let before = disk.names();
        fails_because(&act(&disk, &source), READ_ONLY);
        assert_eq!((disk.names(), disk.0.service.requests()), (before, 0));
        remount(&disk, "rw");
        assert_eq!(act(&disk, &source).exit, 0, "the control: the same disk can be written");
    };
    check(&with_file, Disk::rotate);
    check(&with_folder, Disk::rotate);
    check(&|disk| format!("file:{}/pair", disk.path().display()), Disk::set_up);
    check(&|disk| format!("dir:{}/new", disk.path().display()), Disk::set_up);
}
