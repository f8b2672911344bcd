//! The real source of randomness.

use envora_domain::ports::Entropy;

/// Random bytes of the cryptographic library, seeded by the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness no key, id or token may be made: there is nothing to go on with.
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}
