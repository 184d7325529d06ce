//! Certificate authorities in PEM form: from `ca_file` and `ca_pem`, from `SSL_CERT_FILE` and `SSL_CERT_DIR`, and from
//! the system.
//!
//! Messages about a file are written here. The messages of parsers would contain bytes of the file, which may include a
//! private key.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use justcall_auth_protocol::error::{Error, ErrorKind};
use justcall_auth_secret::Zeroizing;
use once_cell::sync::OnceCell;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::certificate::Certificate;
use super::installed::installed_roots;
use super::pem::{certificates, no_certificate};
use crate::folder::names;
use crate::source::{Environment, ProcessEnvironment, setting, shown};

/// The largest accepted file, in bytes. The bundle of an operating system has about 250 KiB.
const MAX_FILE: u64 = 8 * 1024 * 1024;
/// The reason for the refusal of a longer text.
const TOO_LARGE: &str = "is larger than 8 MiB";
/// Variables with a file and folders of certificates to trust instead of the system's.
const FILE_VARIABLE: &str = "SSL_CERT_FILE";
const FOLDERS_VARIABLE: &str = "SSL_CERT_DIR";

/// Reads the certificate authorities of the CA file `path`, all of which must be usable.
///
/// # Errors
/// Fails with `invalid_argument` and the fault, with the number of the certificate.
pub(crate) fn roots_in(path: &Path) -> Result<RootCertStore, Error> {
    let refuse = |why: String| Error::invalid_argument(format!("The CA file {} {why}.", shown(path)));
    let text = read(path).map_err(refuse)?;
    all_roots(&text, refuse)
}

/// Reads the certificate authorities of the PEM text `text`, all of which must be usable.
///
/// # Errors
/// `invalid_argument`, saying what is wrong, with which certificate.
pub(crate) fn roots_of(text: &[u8]) -> Result<RootCertStore, Error> {
    let refuse = |why: String| Error::invalid_argument(format!("The PEM text of the CA {why}."));
    if text.len() as u64 > MAX_FILE {
        return Err(refuse(TOO_LARGE.to_owned()));
    }
    all_roots(text, refuse)
}

fn all_roots(text: &[u8], refuse: impl Fn(String) -> Error) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates(text).into_iter().enumerate() {
        let at = |why: String| refuse(format!("cannot be used: its certificate {} {why}", index + 1));
        let certificate = certificate.map_err(|fault| at(fault.to_owned()))?;
        let subject = Certificate::read(&certificate).subject;
        roots.add(certificate).map_err(|_| at(unusable(subject.as_deref())))?;
    }
    if roots.is_empty() { Err(refuse(no_certificate(text).to_owned())) } else { Ok(roots) }
}

/// The certificate authorities of the system. They are read when the first handshake of a process needs them.
#[derive(Default)]
pub(crate) struct SystemRoots(OnceCell<Arc<RootCertStore>>);

impl SystemRoots {
    /// Returns the authorities. Reads them if necessary.
    ///
    /// # Errors
    /// Fails with `tls_failed` if there are none. The message contains the first fault of the files in the environment.
    pub(super) fn get(&self) -> Result<Arc<RootCertStore>, Error> {
        self.0.get_or_try_init(|| system_roots(&ProcessEnvironment).map(Arc::new)).cloned()
    }
}

/// Reads the certificate authorities of this system, or those in the environment instead. Certificates that are not
/// usable are skipped.
///
/// # Errors
/// Fails with `tls_failed` if there are none. The message names the variable and the fault.
fn system_roots(environment: &dyn Environment) -> Result<RootCertStore, Error> {
    let file = setting(environment, FILE_VARIABLE).map(PathBuf::from);
    let folders = setting(environment, FOLDERS_VARIABLE).unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty()).collect();
    if file.is_none() && folders.is_empty() {
        // The variables are set, but do not count: they are empty, or the program has more privileges than its user.
        let is_set = [FILE_VARIABLE, FOLDERS_VARIABLE].iter().any(|name| std::env::var_os(name).is_some());
        return installed_roots(is_set);
    }
    let mut named = NamedAuthorities { roots: RootCertStore::empty(), seen: HashSet::new(), fault: None };
    if let Some(path) = &file {
        named.read(FILE_VARIABLE, "file", path);
    }
    for folder in &folders {
        named.read_folder(folder);
    }
    match named.fault {
        Some(fault) if named.roots.is_empty() => Err(Error::with_message(ErrorKind::TlsFailed, fault)
            .with_hint(
                "Set the variable to PEM files of CA certificates, or unset it to trust the CA certificates of the system.",
            )),
        _ => Ok(named.roots),
    }
}

/// The certificates of the two variables.
struct NamedAuthorities {
    roots: RootCertStore,
    /// Certificates that were already added. Folders contain most certificates under several names.
    seen: HashSet<CertificateDer<'static>>,
    /// The first fault.
    fault: Option<String>,
}

impl NamedAuthorities {
    /// Adds the usable certificates of a file. `what` describes the path: a file, or a folder with the file.
    fn read(&mut self, variable: &str, what: &str, path: &Path) {
        let fault = match read(path) {
            Err(why) => Some(why),
            Ok(text) => {
                let mut fault = None;
                for certificate in certificates(&text) {
                    let result =
                        certificate.map_err(str::to_owned).and_then(|certificate| self.add(certificate));
                    fault = fault.or(result.err().map(|why| format!("has no usable certificate: one {why}")));
                }
                fault.or_else(|| self.roots.is_empty().then(|| no_certificate(&text).to_owned()))
            }
        };
        if let Some(why) = fault {
            self.fail(variable, what, path, &why);
        }
    }

    fn read_folder(&mut self, folder: &Path) {
        let what = "folder";
        let names = match names(folder) {
            Ok(names) => names,
            Err(error) => {
                return self.fail(FOLDERS_VARIABLE, what, folder, &format!("cannot be read: {error}"));
            }
        };
        for path in names.iter().map(|name| folder.join(name)).filter(|path| path.is_file()) {
            self.read(FOLDERS_VARIABLE, "folder of the file", &path);
        }
        if self.roots.is_empty() {
            self.fail(FOLDERS_VARIABLE, what, folder, "has no file with a certificate in PEM form");
        }
    }

    fn add(&mut self, certificate: CertificateDer<'static>) -> Result<(), String> {
        if !self.seen.insert(certificate.clone()) {
            return Ok(());
        }
        let subject = Certificate::read(&certificate).subject;
        self.roots.add(certificate).map_err(|_| unusable(subject.as_deref()))
    }

    fn fail(&mut self, variable: &str, what: &str, path: &Path, why: &str) {
        let fault = || format!("The variable {variable} names the {what} {}, which {why}.", shown(path));
        self.fault.get_or_insert_with(fault);
    }
}

/// Reads the whole file. The error text follows the name of the file in a message.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    // Check the type first: opening a pipe without a writer would block for ever, and reading a device might never end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is not a regular file".to_owned());
    }
    // The text is wiped, because the file may contain a private key.
    let mut text = Zeroizing::new(Vec::new());
    File::open(path).map_err(unreadable)?.take(MAX_FILE + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_FILE { Err(TOO_LARGE.to_owned()) } else { Ok(text) }
}

/// Returns why a parsed certificate is refused. The text follows the number of the certificate in a message.
fn unusable(subject: Option<&str>) -> String {
    match subject {
        Some(subject) => format!("({subject}) is not a usable authority, or is damaged"),
        None => "(its subject cannot be read) is not a usable authority, or is damaged".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::encoding;
    use justcall_auth_sandbox::{Sandbox, SandboxConfig};
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn named(variables: &[(&str, &str)]) -> Result<RootCertStore, Error> {
        system_roots(&variables)
    }

    /// Returns a certificate in PEM form.
    fn good() -> String {
        let sandbox = Sandbox::start(SandboxConfig::default()).expect("a sandbox");
        std::fs::read_to_string(sandbox.ca_file().expect("TLS is on")).expect("a file")
    }

    fn pem(der: &[u8]) -> String {
        let body = encoding::base64(der);
        let body = std::str::from_utf8(body.as_ref()).expect("base64");
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    /// Returns a damaged certificate, which has a subject but is not accepted as an authority.
    fn damaged(good: &str) -> String {
        let der = CertificateDer::from_pem_slice(good.as_bytes()).expect("a certificate");
        let broken = |at: &usize| {
            let mut broken = der.to_vec();
            broken[*at] ^= 0xFF;
            let broken = CertificateDer::from(broken);
            let is_named = Certificate::read(&broken).subject.as_deref() == Some("justcall-auth-sandbox CA");
            is_named && RootCertStore::empty().add(broken.clone()).is_err()
        };
        let at = (0..der.len()).find(broken).expect("a byte that matters");
        let mut broken = der.to_vec();
        broken[at] ^= 0xFF;
        pem(&broken)
    }

    /// Checks that the messages are short and contain no byte of the file.
    fn check(error: &Error, path: &Path) {
        let text = format!("{} {}", error.message(), error.hint()).replace(&shown(path), "PATH");
        assert!(error.message().replace(&shown(path), "PATH").len() < 300, "{error}");
        assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{error}");
        let runs = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
        assert!(runs.is_none_or(|run| run <= 4), "{error}");
    }

    #[test]
    fn it_describes_the_fault_of_a_file_in_one_sentence() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let good = good();
        let der = CertificateDer::from_pem_slice(good.as_bytes()).expect("a certificate").to_vec();
        let utf_16: Vec<u8> = "\u{feff}"
            .chars()
            .chain(good.chars())
            .collect::<String>()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let key = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5Y2FuYXJ5Y2FuYXJ5\n-----END PRIVATE KEY-----\n";
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (Vec::new(), "is empty"),
            (b"\n\n".to_vec(), "is empty"),
            (der, "DER form"),
            (utf_16.clone(), "UTF-16"),
            (utf_16[2..].to_vec(), "UTF-16"),
            (b"<!DOCTYPE html><p>canary".to_vec(), "HTML"),
            (b"\xef\xbb\xbf<html>canary".to_vec(), "HTML"),
            (b"canary = 'Y2FuYXJ5'".to_vec(), "no certificate in PEM form"),
            (key.into(), "private key and no certificate"),
            (key.replace("PRIVATE KEY", "PUBLIC KEY").into(), "other data in PEM form"),
            (good.replace("CERTIFICATE", "TRUSTED CERTIFICATE").into(), "OpenSSL's TRUSTED form"),
            (good.replace("CERTIFICATE", "X509 CERTIFICATE").into(), "X509 CERTIFICATE"),
            (good.replace("CERTIFICATE", "PKCS7").into(), "PKCS #7"),
            (good.replace('\n', " ").into(), "lost its line breaks"),
            (good.replace('\n', "\\n").into(), "lost its line breaks"),
            (format!("{}{}", key.replace('\n', " "), good.replace('\n', " ")).into(), "lost its line breaks"),
            (good.replace('\n', "\\n\n").into(), "lost its line breaks"),
            (good[..good.len() - 40].into(), "has no end"),
            (good.replace("MII", "M!!canary").into(), "base64"),
            (pem(b"Y2FuYXJ5 canary canary").into(), "its subject cannot be read"),
            (damaged(&good).into(), "(justcall-auth-sandbox CA)"),
        ];
        for (text, why) in cases {
            std::fs::write(&path, &text).expect("a file");
            let error = roots_in(&path).expect_err(why);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(why), "{why}: {error}");
            check(&error, &path);

            let error = named(&[(FILE_VARIABLE, &shown(&path))]).expect_err(why);
            assert_eq!(error.kind(), ErrorKind::TlsFailed);
            let message = error.message();
            assert!(
                message.contains(why) && message.contains("SSL_CERT_FILE") && message.contains("ca.pem"),
                "{error}"
            );
            check(&error, &path);
        }
    }

    #[test]
    fn it_names_a_refused_certificate_of_a_ca_file_and_skips_it_in_the_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let good = good();
        let key = "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n";
        for (bad, why) in [
            (damaged(&good), "certificate 2 (justcall-auth-sandbox CA) is not a usable authority"),
            (pem(b"canary"), "certificate 2 (its subject cannot be read)"),
            (good.replace("MII", "M!!"), "certificate 2 is not written in base64"),
            (good.replace('\n', " "), "certificate 2 has lost its line breaks"),
            (
                good.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
                "certificate 2 is in OpenSSL's TRUSTED form",
            ),
        ] {
            std::fs::write(&path, format!("# remark\n{good}{key}{bad}\n{good}")).expect("a file");
            let error = roots_in(&path).expect_err(why);
            assert!(error.message().contains(why), "{why}: {error}");
            check(&error, &path);
            let roots = named(&[(FILE_VARIABLE, &shown(&path))]).expect(why);
            assert_eq!(roots.len(), 1, "{why}: the good one, once");
        }
        for text in [
            format!("{key}{good}"),
            format!("\u{feff}{good}"),
            good.replace('\n', "\r\n"),
            good.replace('\n', "\n  "),
        ] {
            std::fs::write(&path, &text).expect("a file");
            assert_eq!(roots_in(&path).map(|roots| roots.len()).expect("it is good"), 1, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn it_never_waits_for_a_pipe_and_never_reads_a_device() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let large = folder.path().join("large");
        File::create(&large).and_then(|file| file.set_len(MAX_FILE + 1)).expect("a sparse file");
        let paths = [
            (pipe.as_path(), "not a regular file"),
            (Path::new("/dev/zero"), "not a regular file"),
            (Path::new("/dev/null"), "not a regular file"),
            (folder.path(), "not a regular file"),
            (&large, "larger than 8 MiB"),
            (Path::new("/nonexistent/ca\n.pem"), "cannot be read: No such file"),
        ];
        for (path, why) in paths {
            let error = roots_in(path).expect_err(why);
            assert!(error.message().contains(why) && !error.message().contains('\n'), "{error}");
            let error = named(&[(FILE_VARIABLE, path.to_str().expect("UTF-8"))]).expect_err(why);
            assert!(error.message().contains(why) && error.message().contains("SSL_CERT_FILE"), "{error}");
        }
        let text = folder.path().to_str().expect("UTF-8");
        let error = named(&[(FOLDERS_VARIABLE, text)]).expect_err("no certificate");
        assert!(error.message().contains("SSL_CERT_DIR"), "{error}");
        let error = named(&[(FOLDERS_VARIABLE, "/nonexistent")]).expect_err("no folder");
        assert!(
            error.message().contains("SSL_CERT_DIR") && error.message().contains("nonexistent"),
            "{error}"
        );
        std::fs::write(folder.path().join("good.pem"), good()).expect("a file");
        std::fs::write(folder.path().join("bad.pem"), "canary").expect("a file");
        assert_eq!(named(&[(FOLDERS_VARIABLE, text)]).expect("one is good").len(), 1);
        assert_eq!(named(&[(FILE_VARIABLE, "/dev/zero"), (FOLDERS_VARIABLE, text)]).expect("one").len(), 1);
    }

    #[test]
    fn it_ignores_an_empty_variable_and_a_final_line_break() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, good()).expect("a file");
        assert_eq!(named(&[(FILE_VARIABLE, &format!("{}\n", shown(&path)))]).expect("one").len(), 1);
        let installed = named(&[]).expect("this system has authorities").len();
        assert!(installed > 10, "{installed}");
        for empty in ["", "\n"] {
            let variables = [(FILE_VARIABLE, empty), (FOLDERS_VARIABLE, empty)];
            assert_eq!(named(&variables).expect("the system's").len(), installed);
        }
    }
}
