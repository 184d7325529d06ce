//! `dir:` and `systemd:` — a folder with a file for each half.

use std::io;
use std::path::{Path, PathBuf};

use justcall_auth_protocol::credentials::Credentials;
use justcall_auth_protocol::error::Error;

use super::failure::{malformed_in, missing, unavailable};
use super::regular_file::read;
use super::{Environment, Loaded, LoadedPair, setting, shown, text};

/// What Kubernetes swaps when a secret changes: a link to the folder that holds one version of all files.
const VERSION_LINK: &str = "..data";

/// How often to start again when the version goes away while it is read.
const MAX_TRIES: usize = 5;

/// Where systemd tells a service that its credentials are.
const SYSTEMD_VARIABLE: &str = "CREDENTIALS_DIRECTORY";

pub(super) fn load_systemd(environment: &dyn Environment, key: &str, secret: &str) -> Result<Loaded, Error> {
    let Some(folder) = setting(environment, SYSTEMD_VARIABLE) else {
        return Err(missing(&format!(
            "${SYSTEMD_VARIABLE}, which is not set: systemd sets it for LoadCredential="
        )));
    };
    load(Path::new(&folder), key, secret)
}

pub(super) fn load(path: &Path, key: &str, secret: &str) -> Result<Loaded, Error> {
    let place = format!("The folder {}", shown(path));
    for _ in 0..MAX_TRIES {
        // Both halves are read from one version, so that a swap in between cannot give half of each.
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
        // Where nothing is swapped as a whole, see that neither file changed while the other was read.
        if read(&key_file).is_ok_and(|again| again.as_ref() == key_bytes.as_ref()) {
            let credentials = Credentials::new(
                text::forgive_newline(key_bytes.as_ref()),
                text::forgive_newline(secret_bytes.as_ref()),
            )
            .map_err(|error| malformed_in(&place, &error))?;
            let previous_compromised = is_compromised(&place, &version)?;
            let pair = LoadedPair { previous_compromised, ..credentials.into() };
            // By the names that stay when a version goes.
            let names = if version == path { path.to_owned() } else { path.join(VERSION_LINK) };
            let watched = [key, secret, text::COMPROMISED].map(|name| names.join(name)).to_vec();
            let files = vec![key_file, secret_file];
            return Ok(Loaded { files, watched, ..Loaded::new(pair, place) });
        }
    }
    Err(unavailable(&place, "it changes faster than it can be read"))
}

/// The folder that holds one version of the files: where `..data` leads, also when that is gone already, or the folder
/// itself.
fn resolve(path: &Path) -> PathBuf {
    let link = path.join(VERSION_LINK);
    match std::fs::read_link(&link) {
        Ok(version) => path.join(version),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        // It is a folder.
        Err(_) => link,
    }
}

/// Whether a file beside the halves says that the pair before got into wrong hands. Most folders have none.
fn is_compromised(place: &str, version: &Path) -> Result<bool, Error> {
    match read(&version.join(text::COMPROMISED)) {
        Ok(said) => text::truth(text::forgive_newline(said.as_ref()), text::COMPROMISED)
            .map_err(|error| malformed_in(place, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unavailable(place, format!("its file {}: {error}", text::COMPROMISED))),
    }
}

/// Why the halves cannot be read, and what to do about it.
fn unreadable(place: &str, path: &Path, [key, secret]: [&str; 2], error: &io::Error) -> Error {
    let result = unavailable(place, error);
    match error.kind() {
        io::ErrorKind::PermissionDenied => result.with_hint(format!(
            "Let the user that runs this process read the folder (chmod 0700) and its files {key} and {secret} (chmod 0600)."
        )),
        io::ErrorKind::NotFound if path.starts_with("~") => {
            result.with_hint("A ~ is not expanded in a source: write the whole path.")
        }
        io::ErrorKind::NotFound => {
            result.with_hint(format!("Create the folder, with the two files {key} and {secret} in it, one half in each."))
        }
        io::ErrorKind::NotADirectory if path.is_file() => {
            result.with_hint("It is a file, not a folder: name it as file:PATH.")
        }
        _ => result.with_hint(format!("The two files {key} and {secret} must be regular files of at most 64 KiB.")),
    }
}

/// Nothing at all, or one half without the other.
fn absent(place: &str, path: &Path, files: [(&str, &PathBuf); 2]) -> Error {
    let present: Vec<&str> = files.iter().filter(|(_, file)| file.exists()).map(|(name, _)| *name).collect();
    let absent: Vec<&str> = files.iter().filter(|(_, file)| !file.exists()).map(|(name, _)| *name).collect();
    match (present.first(), absent.first()) {
        (Some(present), Some(absent)) => {
            let error = Credentials::new(b"", b"").expect_err("both halves are empty");
            let message = format!("{place} holds the file {present}, but not {absent}.");
            error
                .with_new_message(message)
                .with_hint("Put both halves there, each in its file. Nothing was sent.")
        }
        _ => missing(&format!("the files {} in the folder {}", absent.join(" and "), shown(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_beside_the_halves_that_the_pair_before_was_compromised() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("api_key", "abc123def456\n"), ("api_secret", "sec789xyz000\n")] {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        let told =
            || load(folder.path(), "api_key", "api_secret").map(|loaded| loaded.pair.previous_compromised);
        assert!(!told().expect("a pair"));
        let word = folder.path().join(text::COMPROMISED);
        for (text, said) in [("true\n", true), ("false", false)] {
            std::fs::write(&word, text).expect("a file");
            assert_eq!(told().expect("a pair"), said);
        }
        std::fs::remove_file(&word).expect("it is there");
        std::fs::create_dir(&word).expect("a folder in its place");
        assert!(told().is_err(), "it is never guessed");
    }

    /// Reads while `write` writes the pairs 0, 1, 2, …; `check` sees the numbers of both halves.
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
    fn it_gives_a_whole_pair_though_the_version_that_it_reads_goes_away() {
        let write = |folder: &Path, pair: usize| {
            let version = folder.join(format!("..{pair}"));
            std::fs::create_dir(&version).expect("a version");
            std::fs::write(version.join("api_key"), format!("key-key-{pair}")).expect("a file");
            std::fs::write(version.join("api_secret"), format!("secret-s{pair}")).expect("a file");
            std::os::unix::fs::symlink(&version, folder.join("..next")).expect("a link");
            std::fs::rename(folder.join("..next"), folder.join(VERSION_LINK)).expect("the swap");
            let _first_has_none_before =
                std::fs::remove_dir_all(folder.join(format!("..{}", pair.wrapping_sub(1))));
        };
        race(write, |key, secret| assert_eq!(key, secret, "a torn pair"));
    }

    #[cfg(unix)]
    #[test]
    fn it_never_gives_an_old_key_with_a_new_secret_where_the_key_is_written_first() {
        let write = |folder: &Path, pair: usize| {
            for (name, half) in [("api_key", "key-key-"), ("api_secret", "secret-s")] {
                std::fs::write(folder.join("next"), format!("{half}{pair}")).expect("a file");
                std::fs::rename(folder.join("next"), folder.join(name)).expect("the swap");
            }
        };
        race(write, |key, secret| assert!(secret <= key, "the secret {secret} with the key {key}"));
    }
}
