//! The envelope v1: bytes sealed under a key that serves this one object.
//!
//! `"EVE1" · suite u8 · key-version u32 · salt 32 · commitment 32 · frames`. HKDF-SHA256 over the data
//! key, the fresh salt and the additional data gives the object's key, a commitment and a nonce. The
//! commitment is compared first: AES-GCM alone does not tell which key sealed a message, and with a
//! wrong key or wrong fields nothing is decrypted at all. Frames of 1 MiB carry their number and the
//! mark of the last one in the nonce, so that none can be dropped, doubled or moved.

use aws_lc_rs::aead::{AES_256_GCM, Aad as GcmAad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf;
use envora_domain::hash::Digest;
use envora_domain::ports::Entropy;
use zeroize::Zeroizing;

use crate::aad::Aad;
use crate::key::DataKey;

/// Plaintext bytes of a frame; the last frame may have fewer.
pub const FRAME_BYTES: usize = 1_048_576;

/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 73;

const TAG_BYTES: usize = 16;
const SUITE: u8 = 1;
const MAGIC: &[u8; 4] = b"EVE1";
const INFO: &[u8] = b"envora/obj/1";

/// Seals the bytes under a key derived for them alone.
#[must_use]
pub fn seal(key: &DataKey, aad: &Aad, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
    let mut salt = [0; 32];
    entropy.fill(&mut salt);
    seal_with_salt(key, aad, plain, &salt)
}

/// Seals under a given salt: for test vectors. A salt must never serve two objects.
#[must_use]
pub fn seal_with_salt(key: &DataKey, aad: &Aad, plain: &[u8], salt: &[u8; 32]) -> Vec<u8> {
    let context = aad.encode();
    let object = ObjectKey::derive(key, salt, &context);
    let frames = plain.len().div_ceil(FRAME_BYTES).max(1);
    let mut sealed = Vec::with_capacity(HEADER_BYTES + plain.len() + frames * TAG_BYTES);
    sealed.extend(MAGIC);
    sealed.push(SUITE);
    sealed.extend(aad.key_version.to_be_bytes());
    sealed.extend(salt);
    sealed.extend(object.commitment());
    if plain.is_empty() {
        object.seal_frame(Frame { number: 0, last: true }, &[], &context, &mut sealed);
    }
    for (number, frame) in plain.chunks(FRAME_BYTES).enumerate() {
        let place = Frame { number, last: number + 1 == frames };
        object.seal_frame(place, frame, &context, &mut sealed);
    }
    sealed
}

/// The version of the data key that sealed this envelope, as its header says. Not yet authenticated:
/// good for choosing the key, and [`open`] then checks it.
///
/// # Errors
/// [`OpenError::NotAnEnvelope`], [`OpenError::UnknownSuite`].
pub fn key_version(sealed: &[u8]) -> Result<u32, OpenError> {
    Header::parse(sealed).map(|header| header.key_version)
}

/// The bytes that were sealed under this key with exactly these fields.
///
/// # Errors
/// [`OpenError`]; no byte of the plaintext comes out unless all of it holds.
pub fn open(key: &DataKey, aad: &Aad, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let header = Header::parse(sealed)?;
    if header.key_version != aad.key_version {
        return Err(OpenError::OtherKeyVersion { sealed_with: header.key_version });
    }
    let context = aad.encode();
    let object = ObjectKey::derive(key, header.salt, &context);
    verify_slices_are_equal(object.commitment(), header.commitment)
        .map_err(|_| OpenError::OtherKeyOrFields)?;
    let mut plain = Vec::with_capacity(header.frames.len());
    let mut rest = header.frames;
    for number in 0.. {
        let (frame, more) = rest
            .split_at_checked(FRAME_BYTES + TAG_BYTES)
            .filter(|(_, more)| !more.is_empty())
            .unwrap_or((rest, &[]));
        let place = Frame { number, last: more.is_empty() };
        object.open_frame(place, frame, &context, &mut plain)?;
        if more.is_empty() {
            break;
        }
        rest = more;
    }
    Ok(plain)
}

struct Header<'a> {
    key_version: u32,
    salt: &'a [u8; 32],
    commitment: &'a [u8; 32],
    frames: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(sealed: &'a [u8]) -> Result<Self, OpenError> {
        let rest = sealed.strip_prefix(MAGIC).ok_or(OpenError::NotAnEnvelope)?;
        let (suite, rest) = rest.split_first().ok_or(OpenError::NotAnEnvelope)?;
        if *suite != SUITE {
            return Err(OpenError::UnknownSuite);
        }
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(OpenError::NotAnEnvelope)?;
        let (salt, rest) = rest.split_first_chunk().ok_or(OpenError::NotAnEnvelope)?;
        let (commitment, frames) = rest.split_first_chunk().ok_or(OpenError::NotAnEnvelope)?;
        Ok(Self { key_version: u32::from_be_bytes(*version), salt, commitment, frames })
    }
}

/// Where a frame stands.
#[derive(Clone, Copy)]
struct Frame {
    number: usize,
    last: bool,
}

/// Key 32 ‖ commitment 32 ‖ nonce 12.
struct ObjectKey(Zeroizing<[u8; 76]>);

struct OkmLength;
impl hkdf::KeyType for OkmLength {
    fn len(&self) -> usize {
        76
    }
}

impl ObjectKey {
    fn derive(key: &DataKey, salt: &[u8; 32], context: &[u8]) -> Self {
        let Digest(fields) = Digest::of(context);
        let mut okm = Zeroizing::new([0; 76]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(key.expose())
            .expand(&[INFO, &fields], OkmLength)
            .and_then(|output| output.fill(okm.as_mut()))
            .expect("HKDF-SHA256 gives up to 8,160 bytes");
        Self(okm)
    }

    fn parts(&self) -> (&[u8; 32], &[u8; 32], &[u8; 12]) {
        let (key, rest) = self.0.split_first_chunk().expect("76 bytes begin with 32");
        let (commitment, rest) = rest.split_first_chunk().expect("44 bytes begin with 32");
        (key, commitment, rest.first_chunk().expect("12 bytes are left"))
    }

    fn commitment(&self) -> &[u8; 32] {
        self.parts().1
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&AES_256_GCM, self.parts().0).expect("the key has 32 bytes");
        LessSafeKey::new(key)
    }

    /// The derived nonce xor (0^7 ‖ last u8 ‖ number u32).
    fn nonce(&self, frame: Frame) -> Option<Nonce> {
        let mut nonce = u128::from_be_bytes({
            let mut wide = [0; 16];
            wide.last_chunk_mut::<12>()?.copy_from_slice(self.parts().2);
            wide
        });
        nonce ^= u128::from(u32::try_from(frame.number).ok()?) | u128::from(frame.last) << 32;
        Some(Nonce::assume_unique_for_key(*nonce.to_be_bytes().last_chunk()?))
    }

    fn seal_frame(&self, place: Frame, plain: &[u8], context: &[u8], out: &mut Vec<u8>) {
        let nonce = self.nonce(place).expect("an object in memory has fewer than 2^32 frames");
        let start = out.len();
        out.extend(plain);
        let (_, frame) = out.split_at_mut(start);
        let tag = self
            .cipher()
            .seal_in_place_separate_tag(nonce, GcmAad::from(context), frame)
            .expect("a frame of 1 MiB is within the limits of AES-GCM");
        out.extend(tag.as_ref());
    }

    fn open_frame(
        &self,
        place: Frame,
        sealed: &[u8],
        context: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), OpenError> {
        let damaged = OpenError::Damaged { frame: place.number };
        let nonce = self.nonce(place).ok_or(damaged)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let plain = self
            .cipher()
            .open_in_place(nonce, GcmAad::from(context), buffer.as_mut_slice())
            .map_err(|_| damaged)?;
        out.extend_from_slice(plain);
        Ok(())
    }
}

/// Why an envelope does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The bytes are no envelope, or end within its header.
    #[error("the bytes are no sealed object")]
    NotAnEnvelope,
    /// A suite of a later program.
    #[error("the object is sealed in a way that this program does not know")]
    UnknownSuite,
    /// Another version of the key sealed it.
    #[error("the object is sealed with version {sealed_with} of the key")]
    OtherKeyVersion {
        /// That version, as the header says.
        sealed_with: u32,
    },
    /// Another key, tenant, object or column: the commitment does not fit.
    #[error("the object is sealed with another key, or is another object")]
    OtherKeyOrFields,
    /// A frame was changed, cut, moved or dropped.
    #[error("frame {frame} of the object was changed or cut")]
    Damaged {
        /// Which one, from 0.
        frame: usize,
    },
}
