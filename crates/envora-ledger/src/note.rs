//! Signed notes of C2SP (`signed-note`) with Ed25519 keys: a text, an empty line, signature lines.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use envora_domain::hash::{Digest, hex, unhex};

/// The algorithm byte of Ed25519.
const ED25519: u8 = 1;

/// How many signature lines a note may have: witnesses add theirs, a flood is refused.
const SIGNATURES_MAX: usize = 100;

/// A signer's name and public key: what a reader must know to believe a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    public: [u8; 32],
}

impl VerifierKey {
    /// The key of this signer, or `None` when the name is empty or holds a space, a plus or a control
    /// character.
    #[must_use]
    pub fn new(name: &str, public: [u8; 32]) -> Option<Self> {
        let fits = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
        (!name.is_empty() && name.chars().all(fits)).then(|| Self { name: name.to_owned(), public })
    }

    /// The signer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The first four bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key).
    #[must_use]
    pub fn id(&self) -> [u8; 4] {
        let Digest([a, b, c, d, ..]) =
            Digest::of_parts(&[self.name.as_bytes(), b"\n", &[ED25519], &self.public]);
        [a, b, c, d]
    }

    /// Reads `name+id+key`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let key = STANDARD.decode(key).ok()?;
        let (algorithm, public) = key.split_first()?;
        let key = Self::new(name, public.try_into().ok()?)?;
        let named = id.len() == 8 && unhex(id)? == key.id();
        (*algorithm == ED25519 && named).then_some(key)
    }

    fn holds(&self, text: &str, signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.public).is_ok_and(|key| {
            key.verify_strict(text.as_bytes(), &Signature::from_bytes(signature)).is_ok()
        })
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), STANDARD.encode(key))
    }
}

/// The text, which ends in a line feed, as a note signed by this key's owner.
///
/// Ed25519 is deterministic: the same text signed again after a crash is the same note.
#[must_use]
pub fn sign(text: &str, key: &VerifierKey, signer: &dyn Fn(&[u8]) -> [u8; 64]) -> String {
    let signature = signer(text.as_bytes());
    let line = STANDARD.encode([key.id().as_slice(), &signature].concat());
    format!("{text}\n\u{2014} {} {line}\n", key.name)
}

/// The text of a note that one of these keys has signed.
///
/// Signatures of unknown keys are passed over. One that claims to be a known key's and is not makes
/// the whole note false.
///
/// # Errors
/// [`NoteError`].
pub fn open<'a>(note: &'a str, keys: &[VerifierKey]) -> Result<&'a str, NoteError> {
    if note.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err(NoteError::Malformed);
    }
    let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, signatures) = note.split_at_checked(split + 1).ok_or(NoteError::Malformed)?;
    let signatures = signatures.strip_prefix('\n').ok_or(NoteError::Malformed)?;
    let lines = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
    let mut signed = false;
    for (count, line) in lines.split('\n').enumerate() {
        let (name, id, signature) = signature_line(line).ok_or(NoteError::Malformed)?;
        if count >= SIGNATURES_MAX {
            return Err(NoteError::Malformed);
        }
        let Some(key) = keys.iter().find(|key| key.name == name && key.id() == id) else {
            continue;
        };
        let signature = signature.as_slice().try_into().map_err(|_| NoteError::Malformed)?;
        if !key.holds(text, signature) {
            return Err(NoteError::FalseSignature);
        }
        signed = true;
    }
    if signed { Ok(text) } else { Err(NoteError::UnknownKey) }
}

fn signature_line(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (!name.is_empty() && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

/// Why a note is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not the form of a signed note.
    #[error("this is not a signed note")]
    Malformed,
    /// No signature is by a known key.
    #[error("no signature is by a key that is known here")]
    UnknownKey,
    /// A signature under a known key's name is not that key's.
    #[error("a signature does not hold")]
    FalseSignature,
}
