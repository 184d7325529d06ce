//! A server of OpenBao with the pair, in a separate process, and the logins of the target.

use std::time::SystemTime;

use anyhow::{Context as _, Result};
use justcall_auth_vault_tests::{Bao, JwtIssuer};
use serde_json::{Value, json};

use crate::pair::{TestPair, random_text};

/// The login of the target. Its secret part is one of the needles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultLogin {
    /// A token in a file.
    Token,
    /// A `role_id` and a `secret_id` in files.
    AppRole,
    /// A JWT in a file.
    Jwt,
}

/// A server with the pair at `secret/justcall`.
pub struct VaultProcess(Bao);

impl VaultProcess {
    /// Starts a server and stores `pair`.
    ///
    /// # Errors
    /// If the pair cannot be read.
    pub fn start(pair: &TestPair) -> Result<Self> {
        let vault = Self(Bao::start());
        vault.0.permit("justcall", "justcall", &["read"]);
        vault.store(pair)?;
        Ok(vault)
    }

    /// Stores the current pair in a new version.
    ///
    /// # Errors
    /// If the pair cannot be read.
    pub fn store(&self, pair: &TestPair) -> Result<()> {
        self.0.store("justcall", &pair.members()?);
        Ok(())
    }

    /// Creates a login. Returns the source of the target.
    ///
    /// # Errors
    /// If its files cannot be written.
    pub fn source(&self, login: VaultLogin, pair: &mut TestPair) -> Result<String> {
        let bao = &self.0;
        let options = match login {
            VaultLogin::Token => {
                let token = random_text(40)?;
                let policies = json!({"id": token, "policies": ["justcall"], "ttl": "1h"});
                bao.post("auth/token/create", &policies);
                format!("token_file={}", pair.add_login("token", &token)?)
            }
            VaultLogin::AppRole => {
                let (role_id, _) = bao.approle(&["justcall"], &json!({}));
                let secret_id = random_text(36)?;
                bao.post("auth/approle/role/app/custom-secret-id", &json!({"secret_id": secret_id}));
                let role_id = pair.add_login("role", &role_id)?;
                let secret_id = pair.add_login("secret", &secret_id)?;
                format!("auth=approle&role_id_file={role_id}&secret_id_file={secret_id}")
            }
            VaultLogin::Jwt => {
                let issuer = JwtIssuer::default();
                bao.post("sys/auth/jwt", &json!({"type": "jwt"}));
                bao.post("auth/jwt/config", &json!({"jwt_validation_pubkeys": [issuer.public_key()]}));
                let role = json!({
                    "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_policies": ["justcall"],
                });
                bao.post("auth/jwt/role/app", &role);
                let now =
                    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock")?.as_secs();
                let claims: Value =
                    json!({"aud": "vault", "sub": random_text(40)?, "iat": now, "exp": now + 3600});
                format!("auth=jwt&role=app&jwt_file={}", pair.add_login("jwt", &issuer.sign(&claims))?)
            }
        };
        Ok(format!("vault:{}/secret/justcall?ca={}&{options}", bao.address(), bao.ca_file().display()))
    }
}
