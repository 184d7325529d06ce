//! A writer that is killed at any system call, or whose call fails, leaves the old or the new pair, and no file that
//! others can read.
//!
//! | variable | what | without it |
//! |---|---|---|
//! | `JUSTCALL_CLI` | the command | the one that was just built |
//! | `JUSTCALL_KILL_EVERYWHERE` | if set: every system call, and a table of the results | only the calls after the last network call |
#![cfg(target_os = "linux")]

#[path = "../support/acl.rs"]
mod acl;
mod strace;
mod sweep;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use justcall_auth::source::ProcessEnvironment;
use justcall_auth::{Credentials, Source};
use justcall_auth_sandbox::{Sandbox, SandboxConfig};
use serde_json::json;

use acl::{ACL, acl, attribute, set_attribute};
use strace::{Fault, Program};
use sweep::{PairLeft, SweepResult, Writer, sweep};

const OLD: (&str, &str) = ("abc123def456", "sec789xyz000");
/// Owner, group and mode of the replaced file.
const RIGHTS: (u32, u32, u32) = (65534, 1, 0o640);
/// A user with access by its access control list.
const READER: u32 = 1234;

/// A service that accepts only `NEW`.
struct Service {
    sandbox: Sandbox,
    new: (String, String),
}

impl Service {
    fn start() -> Self {
        // Without TLS, because it receives several hundred requests.
        let sandbox =
            Sandbox::start(SandboxConfig { http: true, ..SandboxConfig::default() }).expect("a sandbox");
        let reset = sandbox.control("POST", "reset", &json!({})).expect("a reset");
        let half = |name: &str| reset[name].as_str().expect("text").to_owned();
        let new = (half("api_key"), half("api_secret"));
        Self { sandbox, new }
    }

    fn pair(&self) -> String {
        format!("{}:{}", self.new.0, self.new.1)
    }

    /// Returns the command with `arguments` and the new pair on its standard input.
    fn command(&self, arguments: &[&str]) -> Program {
        let command =
            std::env::var_os("JUSTCALL_CLI").unwrap_or_else(|| env!("CARGO_BIN_EXE_justcall-auth").into());
        let options = ["--base-url", self.sandbox.url(), "--expected-account", "12345"];
        let words = arguments.iter().copied().chain(options).map(OsString::from);
        Program { words: std::iter::once(command).chain(words).collect(), input: self.pair() }
    }

    /// Returns which pair `source` contains.
    fn pair_left(&self, source: &str) -> Result<PairLeft, String> {
        let loaded = Source::parse(source).and_then(|source| source.load(&ProcessEnvironment));
        let pair = loaded.map_err(|error| error.to_string())?.pair.credentials;
        let is = |key: &str, secret: &str| {
            Credentials::new(key.as_bytes(), secret.as_bytes()).is_ok_and(|other| other.same_pair(&pair))
        };
        match () {
            () if is(OLD.0, OLD.1) => Ok(PairLeft::Old),
            () if is(&self.new.0, &self.new.1) => Ok(PairLeft::New),
            () => Err("a torn pair".to_owned()),
        }
    }

    /// Fails if a file in `folder` with half of a pair is readable by users without `RIGHTS`.
    fn is_closed(&self, folder: &Path) -> Result<(), String> {
        for file in files(folder) {
            let about = fs::symlink_metadata(&file).expect("the file exists");
            let text = fs::read_to_string(&file).unwrap_or_default();
            let is_secret = [OLD.1, &self.new.1].iter().any(|secret| text.contains(&secret[..8]));
            let is_open = about.mode() & 0o007 != 0 || about.mode() & 0o070 != 0 && about.gid() != RIGHTS.1;
            if is_secret && is_open {
                return Err(format!("{} is open to others ({:o})", file.display(), about.mode()));
            }
        }
        Ok(())
    }
}

/// Returns every regular file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            files.extend(self::files(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

/// Writes a file with the old pair that belongs to another user.
fn write_old(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    chown(path, Some(RIGHTS.0), Some(RIGHTS.1)).expect("we are root");
    fs::set_permissions(path, Permissions::from_mode(RIGHTS.2)).expect("we are root");
    set_attribute(path, ACL, &acl(READER, 4));
}

fn has_rights(path: &Path) -> Result<(), String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    let rights = (about.uid(), about.gid(), about.mode() & 0o7777);
    let is_kept = rights == RIGHTS && attribute(path, ACL) == Some(acl(READER, 4));
    if is_kept { Ok(()) } else { Err(format!("other rights: {rights:?}")) }
}

fn file_source(folder: &Path) -> String {
    format!("file:{}", folder.join("pair.json").display())
}

fn dir_source(folder: &Path) -> String {
    format!("dir:{}", folder.display())
}

fn prepare_file(folder: &Path) {
    write_old(
        &folder.join("pair.json"),
        &json!({"api_key": OLD.0, "api_secret": OLD.1, "note": "ours"}).to_string(),
    );
}

fn prepare_dir(folder: &Path) {
    let version = folder.join("..2026_11_24");
    fs::create_dir(&version).expect("a folder");
    for (name, text) in [("api_key", OLD.0), ("api_secret", OLD.1), ("note", "ours")] {
        write_old(&version.join(name), text);
        symlink(format!("..data/{name}"), folder.join(name)).expect("a link");
    }
    symlink("..2026_11_24", folder.join("..data")).expect("a link");
}

/// Returns true if the sweep starts only after the last network call.
fn is_short() -> bool {
    std::env::var_os("JUSTCALL_KILL_EVERYWHERE").is_none()
}

#[track_caller]
fn is_good(what: &str, result: &SweepResult) {
    if !is_short() {
        println!("| {what} | {} | {} | {} | {} |", result.names, result.old, result.new, result.wrong.len());
    }
    assert!(result.wrong.is_empty(), "{what}: {:#?}", result.wrong);
    assert!(result.old > 5 && result.new > 0, "it was killed before and after the pair changed: {result:?}");
}

#[test]
fn a_rotation_is_on_the_disk_before_it_is_reported() {
    let service = Service::start();
    let writers =
        [(prepare_file as fn(&Path), file_source as fn(&Path) -> String), (prepare_dir, dir_source)];
    for (prepare, source) in writers {
        let folder = tempfile::tempdir().expect("a folder");
        prepare(folder.path());
        let log = tempfile::NamedTempFile::new().expect("a file");
        let calls =
            strace::calls(&service.command(&["rotate", "--source", &source(folder.path())]), log.path());
        let last = |names: &[&str], calls: &[strace::Call]| {
            calls.iter().rposition(|call| names.contains(&call.name.as_str())).expect("the call is made")
        };
        let renamed = last(&["rename", "renameat", "renameat2"], &calls);
        let reported = last(&["write"], &calls);
        let (mut written, mut unsynced) = (0, BTreeSet::new());
        for call in &calls[..renamed] {
            let file = call.file.filter(|file| *file > 2);
            match (call.name.as_str(), file) {
                ("write" | "copy_file_range" | "sendfile", Some(file)) => {
                    written += 1;
                    unsynced.insert(file);
                }
                ("fsync", Some(file)) => drop(unsynced.remove(&file)),
                ("close", Some(file)) => assert!(!unsynced.contains(&file), "closed without being synced"),
                _ => {}
            }
        }
        assert!(written > 0 && unsynced.is_empty(), "every file was synced and not changed afterwards");
        let is_synced = calls[renamed..reported].iter().any(|call| call.name == "fsync");
        assert!(is_synced, "the folder was synced before the report");
    }
}

#[test]
fn a_killed_rotation_of_a_file_leaves_one_whole_pair() {
    let service = Service::start();
    let prepare = |folder: &Path| {
        prepare_file(folder);
        service.command(&["rotate", "--source", &file_source(folder)])
    };
    let inspect = |folder: &Path| {
        service.is_closed(folder)?;
        has_rights(&folder.join("pair.json"))?;
        let pair_left = service.pair_left(&file_source(folder))?;
        // The next run works, and removes the remains.
        let next = service.command(&["rotate", "--source", &file_source(folder)]);
        let is_clean = next.succeeds() && files(folder).len() == 1;
        if is_clean {
            Ok(pair_left)
        } else {
            Err("the next run fails, or leaves what this one left".to_owned())
        }
    };
    is_good(
        "rotate, file",
        &sweep(&Writer { prepare: &prepare, inspect: &inspect }, Fault::Kill, is_short()),
    );
}

#[test]
fn a_killed_rotation_of_a_folder_leaves_one_whole_pair() {
    let service = Service::start();
    let prepare = |folder: &Path| {
        prepare_dir(folder);
        service.command(&["rotate", "--source", &dir_source(folder)])
    };
    let inspect = |folder: &Path| {
        service.is_closed(folder)?;
        has_rights(&folder.join("api_secret"))?;
        if fs::read_to_string(folder.join("note")).ok().as_deref() != Some("ours") {
            return Err("another file was removed".to_owned());
        }
        service.pair_left(&dir_source(folder))
    };
    is_good(
        "rotate, folder",
        &sweep(&Writer { prepare: &prepare, inspect: &inspect }, Fault::Kill, is_short()),
    );
}

#[test]
fn a_failed_rotation_cleans_up_and_reports_the_failure() {
    let service = Service::start();
    let file = |folder: &Path| {
        prepare_file(folder);
        service.command(&["rotate", "--source", &file_source(folder)])
    };
    let inspect = |folder: &Path| {
        has_rights(&folder.join("pair.json"))?;
        let remains = files(folder).len() - 1;
        if remains == 0 { service.pair_left(&file_source(folder)) } else { Err(format!("{remains} remains")) }
    };
    let result = sweep(&Writer { prepare: &file, inspect: &inspect }, Fault::Fail, is_short());
    is_good("rotate, file, where a call fails", &result);

    let dir = |folder: &Path| {
        prepare_dir(folder);
        service.command(&["rotate", "--source", &dir_source(folder)])
    };
    let inspect = |folder: &Path| {
        has_rights(&folder.join("api_secret"))?;
        let pair_left = service.pair_left(&dir_source(folder))?;
        // After the swap, the previous version may stay if its content can no longer be read.
        let remains = files(folder).len() - 3;
        if remains == 0 || pair_left == PairLeft::New {
            Ok(pair_left)
        } else {
            Err(format!("{remains} remains"))
        }
    };
    let result = sweep(&Writer { prepare: &dir, inspect: &inspect }, Fault::Fail, is_short());
    is_good("rotate, folder, where a call fails", &result);
}

#[test]
fn a_killed_setup_leaves_a_pair_or_can_be_repeated() {
    let service = Service::start();
    for (what, source) in [("setup, file", file_source as fn(&Path) -> String), ("setup, folder", dir_source)]
    {
        let setup = |folder: &Path| service.command(&["setup", "--source", &source(folder)]);
        let inspect = |folder: &Path| {
            service.is_closed(folder)?;
            if let Ok(pair_left) = service.pair_left(&source(folder)) {
                return Ok(pair_left);
            }
            // If there is no pair yet, the next run stores it.
            let is_done = setup(folder).succeeds() && service.pair_left(&source(folder)) == Ok(PairLeft::New);
            if is_done { Ok(PairLeft::Old) } else { Err("it cannot be set up any more".to_owned()) }
        };
        is_good(what, &sweep(&Writer { prepare: &setup, inspect: &inspect }, Fault::Kill, is_short()));
    }
}

#[test]
fn the_sweep_finds_writers_that_tear_or_expose_a_pair() {
    let service = Service::start();
    let writer = |script: &str| {
        let script = script.to_owned();
        let service = &service;
        move |folder: &Path| {
            prepare_file(folder);
            let words = ["sh", "-c", &script, "sh"].map(OsString::from);
            let file = folder.join("pair.json").into_os_string();
            Program {
                words: words.into_iter().chain([file]).collect(),
                input: format!("{}\n", service.pair()),
            }
        }
    };
    let inspect = |folder: &Path| {
        service.is_closed(folder)?;
        has_rights(&folder.join("pair.json"))?;
        service.pair_left(&file_source(folder))
    };
    // A writer in place: for a moment the file is empty, then it contains half a pair.
    let torn =
        writer("read -r pair; printf %s \"${pair%%:*}:\" > \"$1\"; printf %s \"${pair#*:}\" >> \"$1\"");
    let result = sweep(&Writer { prepare: &torn, inspect: &inspect }, Fault::Kill, true);
    assert!(result.wrong.iter().any(|wrong| wrong.contains("empty")), "{result:?}");
    // A writer that renames: the pair is never torn, but readable by all users.
    let shown =
        writer("umask 022; read -r pair; printf %s \"$pair\" > \"$1.new\"; exec mv \"$1.new\" \"$1\"");
    let result = sweep(&Writer { prepare: &shown, inspect: &inspect }, Fault::Kill, true);
    assert!(result.wrong.iter().any(|wrong| wrong.contains("new is open to others")), "{result:?}");
}
