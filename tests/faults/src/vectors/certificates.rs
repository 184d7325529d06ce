//! Certificates of a temporary authority, made with openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// The names for which the certificates are valid.
const NAMES: &str = "DNS:localhost,DNS:service.test,IP:192.0.2.2,IP:::1";
const CURVE: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
/// A period of validity that is over, and one that has not begun.
const PAST: (&str, &str) = ("20200101000000Z", "20200201000000Z");
const FUTURE: (&str, &str) = ("20900101000000Z", "20900201000000Z");

const CONFIGURATION: &str = "\
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
default_md = sha256
policy = policy
copy_extensions = copy
unique_subject = no
rand_serial = yes
[policy]
commonName = supplied
";

/// A folder with certificates. Each has a `.pem`, a `.key`, and a `.both` for haproxy.
pub struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// Creates them.
    ///
    /// # Errors
    /// If openssl is not installed or fails.
    pub fn create() -> Result<Self> {
        let folder = TempDir::new()?;
        let path = folder.path();
        fs::write(path.join("ca.cnf"), CONFIGURATION)?;
        fs::write(path.join("index.txt"), "")?;
        for name in ["ca", "other-ca"] {
            authority(path, name)?;
        }
        let usual = Validity::Days(2);
        request(path, "middle", &CURVE, "basicConstraints=critical,CA:TRUE")?;
        sign(path, "ca", "middle", usual)?;
        for (name, signer, validity, names) in [
            ("good", "ca", usual, NAMES),
            ("wrong_host", "ca", usual, "DNS:elsewhere.test"),
            ("unknown_ca", "other-ca", usual, NAMES),
            ("no_chain", "middle", usual, NAMES),
            ("expired", "ca", Validity::Between(PAST), NAMES),
            ("not_yet_valid", "ca", Validity::Between(FUTURE), NAMES),
        ] {
            request(path, name, &CURVE, &format!("subjectAltName={names}"))?;
            sign(path, signer, name, validity)?;
        }
        for (name, bits) in [("rsa", "rsa:2048"), ("small_rsa", "rsa:1024")] {
            request(path, name, &["-newkey", bits], &format!("subjectAltName={NAMES}"))?;
            sign(path, "ca", name, usual)?;
        }
        copy(path, "no_chain", "chain", &["no_chain.pem", "middle.pem"])?;
        for entry in fs::read_dir(path)? {
            let key = entry?.path();
            if key.extension().is_some_and(|extension| extension == "key") {
                let both = [fs::read(key.with_extension("pem"))?, fs::read(&key)?].concat();
                fs::write(key.with_extension("both"), both)?;
            }
        }
        Ok(Self { folder })
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Returns the certificate of the authority that clients trust.
pub fn ca_file(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

#[derive(Clone, Copy)]
enum Validity {
    Days(u8),
    Between((&'static str, &'static str)),
}

fn openssl(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("openssl").current_dir(folder).args(arguments).output().context("openssl")?;
    ensure!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn authority(folder: &Path, name: &str) -> Result<()> {
    let (key, certificate, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let rest = ["-nodes", "-days", "2", "-subj", &subject, "-addext", "basicConstraints=critical,CA:TRUE"];
    let files = ["-keyout", &key, "-out", &certificate];
    openssl(folder, &[&["req", "-x509"][..], &CURVE, &rest, &files].concat())
}

/// Creates a key and a request for a certificate with `extension`.
fn request(folder: &Path, name: &str, key_type: &[&str], extension: &str) -> Result<()> {
    let (key, request, subject) = (format!("{name}.key"), format!("{name}.csr"), format!("/CN={name}"));
    let rest = ["-nodes", "-subj", &subject, "-addext", extension, "-keyout", &key, "-out", &request];
    openssl(folder, &[&["req", "-new"][..], key_type, &rest].concat())
}

fn sign(folder: &Path, signer: &str, name: &str, validity: Validity) -> Result<()> {
    let (signer_pem, signer_key) = (format!("{signer}.pem"), format!("{signer}.key"));
    let (request, certificate) = (format!("{name}.csr"), format!("{name}.pem"));
    let period: Vec<String> = match validity {
        Validity::Days(days) => vec!["-days".into(), days.to_string()],
        Validity::Between((start, end)) => ["-startdate", start, "-enddate", end].map(str::to_owned).to_vec(),
    };
    let mut arguments = vec!["ca", "-batch", "-notext", "-config", "ca.cnf"];
    arguments.extend(["-cert", &signer_pem, "-keyfile", &signer_key, "-in", &request, "-out", &certificate]);
    arguments.extend(period.iter().map(String::as_str));
    openssl(folder, &arguments)
}

/// Creates the certificate `to` from `parts`, with the key of `from`.
fn copy(folder: &Path, from: &str, to: &str, parts: &[&str]) -> Result<()> {
    let parts: Vec<Vec<u8>> =
        parts.iter().map(|part| fs::read(folder.join(part))).collect::<Result<_, _>>()?;
    fs::write(folder.join(format!("{to}.pem")), parts.concat())?;
    fs::copy(folder.join(format!("{from}.key")), folder.join(format!("{to}.key")))?;
    Ok(())
}
