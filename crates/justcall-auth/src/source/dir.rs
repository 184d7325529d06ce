//! `dir:` and `systemd:`: a folder with one file for the key and one for the secret.

use std::io;
use std::path::{Path, PathBuf};

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;

use super::failure::{malformed_in, missing, unavailable};
use super::regular_file::read;
use super::{Environment, LoadedPair, LoadedSource, setting, shown, text};

/// The link that Kubernetes swaps when a secret changes. It points to the folder with one version of all files.
const VERSION_LINK: &str = "..data";

/// How often to restart when the version is removed during the read.
const MAX_TRIES: usize = 5;

/// The variable in which systemd passes a service the folder of its credentials.
const SYSTEMD_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

pub(super) fn load_systemd(
    environment: &dyn Environment,
    key: &str,
    secret: &str,
) -> Result<LoadedSource, Error> {
    let Some(folder) = setting(environment, SYSTEMD_VARIABLE) else {
        return Err(missing(&format!(
            "${SYSTEMD_VARIABLE}, which is not set: systemd sets it for LoadCredential="
        )));
    };
    load(Path::new(&folder), key, secret)
}

pub(super) fn load(path: &Path, key: &str, secret: &str) -> Result<LoadedSource, Error> {
    let place = format!("The folder {}", shown(path));
    for _ in 0..MAX_TRIES {
        // Both files are read from one version, so that a swap cannot combine an old key with a new secret.
        let version = resolve(path);
        let (key_file, secret_file) = (version.join(key), version.join(secret));
        let halves = read(&key_file).and_then(|key| Ok((key, read(&secret_file)?)));
        if resolve(path) != version {
            continue;
        }
        let (key_bytes, secret_bytes) = match halves {
            Ok(halves) => halves,
            Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_dir() => {
                return Err(absent(&place, path, [(key, &key_file), (secret, &secret_file)]));
            }
            Err(error) => return Err(unreadable(&place, path, [key, secret], &error)),
        };
        // In a folder without versions, check that the key did not change while the secret was read.
        if read(&key_file).is_ok_and(|again| again.as_ref() == key_bytes.as_ref()) {
            let credentials = Credentials::new(
                text::strip_newline(key_bytes.as_ref()),
                text::strip_newline(secret_bytes.as_ref()),
            )
            .map_err(|error| malformed_in(&place, &error))?;
            let previous_compromised = is_compromised(&place, &version)?;
            let pair = LoadedPair { previous_compromised, ..credentials.into() };
            // Watch the names that stay when a version is removed.
            let names = if version == path { path.to_owned() } else { path.join(VERSION_LINK) };
            let watched = [key, secret, text::COMPROMISED].map(|name| names.join(name)).to_vec();
            let files = vec![key_file, secret_file];
            return Ok(LoadedSource { files, watched, ..LoadedSource::new(pair, place) });
        }
    }
    Err(unavailable(&place, "it changes faster than it can be read"))
}

/// Returns the folder with one version of the files: the target of `..data`, even if it is already removed, or the
/// folder itself.
fn resolve(path: &Path) -> PathBuf {
    let link = path.join(VERSION_LINK);
    match std::fs::read_link(&link) {
        Ok(version) => path.join(version),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        // `..data` is a folder, not a link.
        Err(_) => link,
    }
}

/// Returns true if a file beside the halves states that the previous pair is compromised. Most folders have no such
/// file.
fn is_compromised(place: &str, version: &Path) -> Result<bool, Error> {
    match read(&version.join(text::COMPROMISED)) {
        Ok(content) => text::truth(text::strip_newline(content.as_ref()), text::COMPROMISED)
            .map_err(|error| malformed_in(place, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unavailable(place, format!("its file {}: {error}", text::COMPROMISED))),
    }
}

/// Returns the error for halves that cannot be read, with a hint.
fn unreadable(place: &str, path: &Path, [key, secret]: [&str; 2], error: &io::Error) -> Error {
    let result = unavailable(place, error);
    match error.kind() {
        io::ErrorKind::PermissionDenied => result.with_hint(format!(
            "Make the user of this process the owner of the folder (chmod 0700) and of its files {key} and {secret} (chmod 0600)."
        )),
        io::ErrorKind::NotFound if path.starts_with("~") => {
            result.with_hint("Write the absolute path. A ~ is not expanded in a source.")
        }
        io::ErrorKind::NotFound => {
            result.with_hint(format!("Create the folder, and store the key and the secret in its files {key} and {secret}."))
        }
        io::ErrorKind::NotADirectory if path.is_file() => {
            result.with_hint("Use file:PATH, because the path is a file.")
        }
        _ => result.with_hint(format!("Use regular files of at most 64 KiB for {key} and {secret}.")),
    }
}

/// Returns the error for a folder without both files.
fn absent(place: &str, path: &Path, files: [(&str, &PathBuf); 2]) -> Error {
    let present: Vec<&str> = files.iter().filter(|(_, file)| file.exists()).map(|(name, _)| *name).collect();
    let absent: Vec<&str> = files.iter().filter(|(_, file)| !file.exists()).map(|(name, _)| *name).collect();
    match (present.first(), absent.first()) {
        (Some(present), Some(absent)) => {
            let error = Credentials::new(b"", b"").expect_err("both halves are empty");
            let message = format!("{place} contains the file {present}, but not {absent}.");
            error
                .with_new_message(message)
                .with_hint("Write the key and the secret to separate files in this folder. Nothing was sent.")
        }
        _ => missing(&format!("the files {} in the folder {}", absent.join(" and "), shown(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_from_a_file_that_the_previous_pair_is_compromised() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("api_key", "abc123def456\n"), ("api_secret", "sec789xyz000\n")] {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let is_compromised =
            || load(folder.path(), "api_key", "api_secret").map(|loaded| loaded.pair.previous_compromised);
        assert!(!is_compromised().expect("a pair"));
        let file = folder.path().join(text::COMPROMISED);
        for (text, expected) in [("true\n", true), ("false", false)] {
            std::fs::write(&file, text).expect("a file");
            assert_eq!(is_compromised().expect("a pair"), expected);
        }
        std::fs::remove_file(&file).expect("the file exists");
        std::fs::create_dir(&file).expect("a folder in its place");
        assert!(is_compromised().is_err(), "an unreadable file is an error");
    }

    /// Reads while `write` writes the pairs 0, 1, 2, …; `check` receives the numbers of both halves.
    #[cfg(unix)]
    fn race(write: impl Fn(&Path, usize), check: impl Fn(usize, usize) + Sync) {
        let folder = tempfile::tempdir().expect("a folder");
        let number = |half: &[u8]| std::str::from_utf8(half).expect("ASCII")[8..].parse().expect("a number");
        let read = || match load(folder.path(), "api_key", "api_secret") {
            Ok(loaded) => {
                let at = loaded.pair.credentials.secret_at();
                let halves = |pair: &[u8]| (number(&pair[..at - 1]), number(&pair[at..]));
                let (key, secret) = loaded.pair.credentials.expose_authorization(halves);
                check(key, secret);
                true
            }
            Err(error) => {
                assert!(error.message().contains("faster than it can be read"), "{error}");
                false
            }
        };
        write(folder.path(), 0);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| (0..2000).filter(|_| read()).count());
            let mut pair = 0;
            while !reader.is_finished() {
                pair += 1;
                write(folder.path(), pair);
            }
            assert!(reader.join().expect("no torn pair") > 20, "it was read while pairs were written");
        });
    }

    #[cfg(unix)]
    #[test]
    fn it_reads_a_whole_pair_although_its_version_is_removed() {
        let write = |folder: &Path, pair: usize| {
            let version = folder.join(format!("..{pair}"));
            std::fs::create_dir(&version).expect("a version");
            std::fs::write(version.join("api_key"), format!("key-key-{pair}")).expect("a file");
            std::fs::write(version.join("api_secret"), format!("secret-s{pair}")).expect("a file");
            std::os::unix::fs::symlink(&version, folder.join("..next")).expect("a link");
            std::fs::rename(folder.join("..next"), folder.join(VERSION_LINK)).expect("the swap");
            let _first_pair_has_no_predecessor =
                std::fs::remove_dir_all(folder.join(format!("..{}", pair.wrapping_sub(1))));
        };
        race(write, |key, secret| assert_eq!(key, secret, "a torn pair"));
    }

    #[cfg(unix)]
    #[test]
    fn it_never_combines_an_old_key_with_a_new_secret() {
        let write = |folder: &Path, pair: usize| {
            for (name, half) in [("api_key", "key-key-"), ("api_secret", "secret-s")] {
                std::fs::write(folder.join("next"), format!("{half}{pair}")).expect("a file");
                std::fs::rename(folder.join("next"), folder.join(name)).expect("the swap");
            }
        };
        race(write, |key, secret| assert!(secret <= key, "the secret {secret} with the key {key}"));
    }
}
