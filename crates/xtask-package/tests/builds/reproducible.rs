//! The same files come from the same commit in another folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use xtask_demo::run;
use xtask_package::binary::Stripped;
use xtask_package::build::{Builder, Library, Programs};
use xtask_package::target::TARGETS;

/// Copies the files of the checkout that git tracks or would track.
fn copy(to: &Path) {
    let list = "git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- | tar --extract -C \"$0\"";
    run::succeed(Command::new("sh").args(["-c", list]).arg(to).current_dir(run::root())).expect("a copy");
}

/// Builds everything in the checkout `root`.
fn build(root: &Path) -> (Library, Programs) {
    let builder = Builder::new(root, &TARGETS[0]).expect("the tools are installed");
    (builder.library().expect("the library builds"), builder.programs().expect("the programs build"))
}

/// Returns the files of a build.
fn files((library, programs): &(Library, Programs)) -> Vec<PathBuf> {
    let binaries = [&library.shared, &programs.command, &programs.sandbox];
    let of_binary =
        |Stripped { path, debug }: &Stripped| [path.clone(), debug.clone().expect("packages have it")];
    binaries.into_iter().flat_map(of_binary).chain([library.archive.clone()]).collect()
}

#[test]
fn two_builds_in_different_folders_are_identical() {
    // The second folder has another length, and another depth.
    let second = tempfile::tempdir().expect("a folder");
    let root = second.path().join("another/folder for it".replace(' ', "-"));
    fs::create_dir_all(&root).expect("a folder");
    copy(&root);
    let (ours, other) = (build(&run::root()), build(&root));
    for (ours, other) in files(&ours).iter().zip(files(&other)) {
        assert_eq!(ours.file_name(), other.file_name(), "debug files are named for their build ids");
        assert!(
            fs::read(ours).expect("a file") == fs::read(&other).expect("a file"),
            "{} differs",
            ours.display()
        );
    }
    assert_eq!(files(&ours).len(), 7);
}
