//! The grammar of `vault:[https://HOST:PORT,…/]MOUNT/PATH[?OPTIONS]`.

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::url::BaseUrl;

use super::super::Source;
use super::super::spellings::{KEY_FILE, SECRET_FILE, refuse};
use super::login::{Login, SERVICE_ACCOUNT};
use super::{Target, VaultSource};

const OPTIONS: &str = "the options of `vault:` are key, secret, mount, namespace, ca, auth (token, approle or jwt), auth_mount, token_file, role_id_file, secret_id_file, role and jwt_file; auth decides which of the last five apply";

/// Parses the text after `vault:`.
pub(in super::super) fn parse(rest: &str) -> Result<Source, Error> {
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (addresses, path) = split_addresses(place);
    let addresses =
        addresses_of(addresses).map_err(|why| refuse(&format!("an address of `vault:` {why}")))?;
    let mut unread = Vec::new();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let named = option.split_once('=').filter(|(_, value)| is_text(value));
        unread.push(named.ok_or_else(|| refuse(OPTIONS))?);
    }
    let mut options = Options(unread);
    let (mount, path) = match options.take("mount") {
        Some(mount) => (mount, path),
        None => path.split_once('/').unwrap_or(("", path)),
    };
    if !is_path(mount) || !is_path(path) {
        return Err(refuse(
            "`vault:` takes a secret, as vault:https://host:8200/secret/justcall or vault:secret/justcall",
        ));
    }
    let fields = [options.take("key").unwrap_or(KEY_FILE), options.take("secret").unwrap_or(SECRET_FILE)];
    if fields[0] == fields[1] {
        return Err(refuse("key and secret must be two different fields"));
    }
    let target = Target {
        addresses,
        namespace: options.take("namespace").map(str::to_owned),
        ca_file: options.take("ca").map(Into::into),
        mount: mount.to_owned(),
        path: path.to_owned(),
        fields: fields.map(str::to_owned),
        login: login(&mut options)?,
        is_resolved: false,
    };
    if options.0.is_empty() { Ok(Source::Vault(VaultSource::new(target))) } else { Err(refuse(OPTIONS)) }
}

/// The options that were not read yet.
struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    fn take(&mut self, name: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(at).1)
    }
}

fn login(options: &mut Options<'_>) -> Result<Login, Error> {
    let method = options.take("auth").unwrap_or("token");
    let mut mount = |usual: &str| options.take("auth_mount").unwrap_or(usual).to_owned();
    let login = match method {
        "token" => Login::Token { file: options.take("token_file").map(Into::into) },
        "approle" => Login::AppRole {
            mount: mount("approle"),
            role_id: options.take("role_id_file").map(Into::into),
            secret_id: options.take("secret_id_file").map(Into::into),
        },
        "jwt" => Login::Jwt {
            mount: mount("jwt"),
            role: options.take("role").unwrap_or_default().to_owned(),
            file: options.take("jwt_file").unwrap_or(SERVICE_ACCOUNT).into(),
        },
        _ => return Err(refuse(OPTIONS)),
    };
    match login {
        Login::AppRole { mount, .. } | Login::Jwt { mount, .. } if !is_path(&mount) => Err(refuse(OPTIONS)),
        login => Ok(login),
    }
}

/// Splits the addresses from the path of the secret.
fn split_addresses(place: &str) -> (&str, &str) {
    match place.rfind("://") {
        None => ("", place),
        Some(at) => {
            let end = place[at + 3..].find('/').map_or(place.len(), |slash| at + 3 + slash);
            (&place[..end], place[end..].trim_start_matches('/'))
        }
    }
}

/// Parses addresses, separated by commas.
///
/// # Errors
/// Returns the fault as a predicate.
pub(super) fn addresses_of(list: &str) -> Result<Vec<BaseUrl>, String> {
    list.split(',').map(str::trim).filter(|address| !address.is_empty()).map(BaseUrl::check).collect()
}

/// Returns true if `path` can be part of a request.
fn is_path(path: &str) -> bool {
    is_text(path) && path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// Returns true if `text` can be a value, such as that of a header.
pub(super) fn is_text(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use justcall_auth_protocol::error::ErrorKind;

    use super::*;

    /// Returns the identity of a source without namespace and authority, in parts.
    fn shown(rest: &str) -> String {
        let shown = format!("{:?}", parse(rest).expect(rest));
        shown.replace("addresses: [], namespace: None, ca: None, ", "")
    }

    #[test]
    fn it_reads_every_spelling() {
        const USUAL: &str = r#"fields: ["api_key", "api_secret"], login: "#;
        const TOKEN: &str = "Token { file: None }";
        for (rest, place, login) in [
            ("secret/justcall", r#"mount: "secret", path: "justcall", "#, TOKEN),
            (
                "https://a:8200/secret/team/justcall",
                r#"addresses: ["https://a:8200"], namespace: None, ca: None, mount: "secret", path: "team/justcall", "#,
                TOKEN,
            ),
            (
                "http://127.0.0.1:8100/justcall?mount=team/kv&namespace=a/b&ca=/ca.pem",
                r#"addresses: ["http://127.0.0.1:8100"], namespace: Some("a/b"), ca: Some("/ca.pem"), mount: "team/kv", path: "justcall", "#,
                TOKEN,
            ),
            (
                "https://a:8200,https://b:8200/kv/a",
                r#"addresses: ["https://a:8200", "https://b:8200"], namespace: None, ca: None, mount: "kv", path: "a", "#,
                TOKEN,
            ),
            (
                "kv/a b?auth=token&token_file=/run/token",
                r#"mount: "kv", path: "a b", "#,
                r#"Token { file: Some("/run/token") }"#,
            ),
            (
                "kv/a?auth=approle&role_id_file=/r&secret_id_file=/s",
                r#"mount: "kv", path: "a", "#,
                r#"AppRole { mount: "approle", role_id: Some("/r"), secret_id: Some("/s") }"#,
            ),
            (
                "kv/a?auth=approle&auth_mount=x/y",
                r#"mount: "kv", path: "a", "#,
                r#"AppRole { mount: "x/y", role_id: None, secret_id: None }"#,
            ),
            (
                "kv/a?auth=jwt&role=app&auth_mount=kubernetes",
                r#"mount: "kv", path: "a", "#,
                r#"Jwt { mount: "kubernetes", role: "app", file: "/var/run/secrets/kubernetes.io/serviceaccount/token" }"#,
            ),
            (
                "kv/a?auth=jwt&jwt_file=/j",
                r#"mount: "kv", path: "a", "#,
                r#"Jwt { mount: "jwt", role: "", file: "/j" }"#,
            ),
        ] {
            assert_eq!(shown(rest), format!("Vault {{ {place}{USUAL}{login}, .. }}"), "{rest}");
        }
        assert!(shown("kv/a?secret=s&key=k").contains(r#"fields: ["k", "s"]"#));
        assert_ne!(shown("a/b/c"), shown("c?mount=a/b"), "the same text with another engine");
    }

    #[test]
    fn it_refuses_an_invalid_spelling_and_does_not_repeat_it() {
        for bad in [
            "",
            "canary",
            "hvs.canary",
            "canary:sec789xyz000",
            "secret/",
            "/canary",
            "secret//canary",
            "secret/../canary",
            "https://canary:8200",
            "https://canary:8200/secret",
            "http://canary@127.0.0.1:8200/secret/a",
            "http://192.0.2.1:8200/secret/canary",
            "ftp://canary/secret/a",
            "https://canary:x/secret/a",
            "secret/a?token=canary",
            "secret/a?canary",
            "secret/a?key=",
            "secret/a?key=canary&secret=canary",
            "secret/a?key=a&key=canary",
            "secret/a?auth=canary",
            "secret/a?role=canary",
            "secret/a?auth=jwt&token_file=canary",
            "secret/a?auth=approle&auth_mount=../canary",
            "secret/a?namespace=can\u{7}ary",
        ] {
            let error = parse(bad).expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad:?}");
            assert!(!format!("{error:?}").contains("canary"), "{bad:?}: {error:?}");
        }
    }

    #[test]
    fn it_describes_the_secret_by_the_first_address() {
        let source = parse("https://a:8200,https://b:8200/kv/team/a").expect("a spelling");
        let Source::Vault(VaultSource { target, .. }) = source else { unreachable!("a source in Vault") };
        assert_eq!(target.place(None), "The secret kv/team/a in Vault at https://a:8200");
        assert_eq!(target.place(Some(3)), "The secret kv/team/a (version 3) in Vault at https://a:8200");
        assert_eq!(
            target.place_at("https://b:8200", None),
            "The secret kv/team/a in Vault at https://b:8200"
        );
    }
}
