//! Secrets: random texts of 256 bits, shown once, of which the SHA-256 is stored.
//!
//! They are random, not chosen by people, so one fast hash suffices and a lookup by hash gives no
//! timing away.

use core::fmt;

use envora_domain::base32;
use envora_domain::hash::Digest;
use envora_domain::ports::Entropy;

/// A secret in the clear. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new operator token of an environment: `env_live_…`, so that a found one says what it is.
    #[must_use]
    pub fn token(environment: &str, entropy: &dyn Entropy) -> Self {
        Self(format!("{}{}", prefix(environment), random(entropy)))
    }

    /// A new sign-in code.
    #[must_use]
    pub fn code(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// A new session's cookie value.
    #[must_use]
    pub fn session(entropy: &dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// The text, to be shown or sent once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored.
    #[must_use]
    pub fn hash(&self) -> Digest {
        hash_of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a sent secret is looked up by.
#[must_use]
pub fn hash_of(text: &str) -> Digest {
    Digest::of_parts(&[b"envora-secret/1\n", text.as_bytes()])
}

/// Whether a token says that it is of another environment than this one.
#[must_use]
pub fn is_of_other_environment(token: &str, environment: &str) -> bool {
    let other = if environment == "live" { "test" } else { "live" };
    token.starts_with(&prefix(other))
}

fn prefix(environment: &str) -> String {
    format!("env_{environment}_")
}

fn random(entropy: &dyn Entropy) -> String {
    let (mut first, mut second) = ([0_u8; 16], [0_u8; 16]);
    entropy.fill(&mut first);
    entropy.fill(&mut second);
    format!("{}{}", base32::encode(first), base32::encode(second))
}

#[cfg(test)]
mod tests {
    use envora_domain::ports::Entropy;

    use super::{Secret, is_of_other_environment};

    struct Sevens;
    impl Entropy for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_token_says_its_environment_and_never_prints() {
        let token = Secret::token("live", &Sevens);
        assert!(token.reveal().starts_with("env_live_") && token.reveal().len() == 61);
        assert_eq!(format!("{token:?}"), "***");
        assert!(is_of_other_environment(token.reveal(), "test"));
        assert!(!is_of_other_environment(token.reveal(), "live"));
        assert!(!token.hash().hex().contains(token.reveal()));
    }
}
