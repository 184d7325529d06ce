//! JWTs of a test, signed with ES256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

/// An issuer of JWTs, with its own key.
pub struct JwtIssuer {
    key: KeyPair,
}

impl Default for JwtIssuer {
    fn default() -> Self {
        Self { key: KeyPair::generate().expect("a key") }
    }
}

impl JwtIssuer {
    /// Returns the public key, for `jwt_validation_pubkeys`.
    pub fn public_key(&self) -> String {
        self.key.public_key_pem()
    }

    /// Returns a signed JWT with `claims`.
    pub fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&json!({"alg": "ES256", "typ": "JWT"})), part(claims));
        let random = SystemRandom::new();
        let der = self.key.serialize_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
            .expect("a key of P-256");
        let signature = key.sign(&random, message.as_bytes()).expect("a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}
