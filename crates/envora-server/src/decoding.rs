//! Decoding: bodies that come as gzip or zstd, unpacked as they arrive.
//!
//! What is handed on is bounded by the route's limit, and by a hundred times what was sent: a bomb
//! costs its sender more than the server. No decoder holds more than a window of a few MiB.

use std::io::{self, Write};

use axum::http::HeaderMap;
use axum::http::header::CONTENT_ENCODING;
use bytes::Bytes;
use envora_api::problems::Problem;
use envora_domain::planted::planted;
use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{Decoder as ZstdDecoder, InBuffer, Operation as _, OutBuffer};

/// What is taken, for `Accept-Encoding`.
pub const TAKEN: &str = "gzip, zstd";
/// How many times longer than what was sent a body may be.
const RATIO_MAX: u64 = 100;
/// Up to here the ratio does not matter: a short body of one letter packs better than that.
const SMALL: u64 = 1 << 20;
/// The largest window that a zstd frame may ask for, as a power of two: 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;
/// How much is unpacked at a time.
const CHUNK: usize = 64 << 10;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Encoding {
    /// What the headers say; once, or it is not taken.
    ///
    /// # Errors
    /// 415.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut sent = headers.get_all(CONTENT_ENCODING).iter();
        let (first, second) = (sent.next(), sent.next());
        let Some(first) = first else { return Ok(Self::Identity) };
        let word = first.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        match (word.as_str(), second) {
            ("identity", None) => Ok(Self::Identity),
            ("gzip" | "x-gzip", None) => Ok(Self::Gzip),
            ("zstd", None) => Ok(Self::Zstd),
            _ => Err(Problem::unsupported_encoding(
                "Content-Encoding is gzip or zstd, once, or the body is sent as it is.",
            )),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Why a body is not unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It comes to more than the route takes.
    TooLong,
    /// It comes to more than [`RATIO_MAX`] times what was sent.
    TooDense,
    /// It is not what its header says, or it is cut off.
    Broken(&'static str),
    /// Whoever takes it could not.
    Failed,
}

/// What is done with each part of what was unpacked.
pub type Add<'a> = &'a mut (dyn FnMut(Bytes) -> io::Result<()> + Send);

/// Counts what comes out, and stops what is too much.
struct Outlet<'a> {
    add: Add<'a>,
    sent: u64,
    out: u64,
    bytes_max: u64,
    fault: Option<Fault>,
}

impl Outlet<'_> {
    fn put(&mut self, part: &[u8]) -> Result<(), Fault> {
        self.out = self.out.saturating_add(u64::try_from(part.len()).unwrap_or(u64::MAX));
        if planted("no_decode_cap") {
            return (self.add)(Bytes::copy_from_slice(part)).map_err(|_| Fault::Failed);
        }
        if self.out > self.bytes_max {
            return Err(Fault::TooLong);
        }
        if self.out > SMALL.max(self.sent.saturating_mul(RATIO_MAX)) {
            return Err(Fault::TooDense);
        }
        if part.is_empty() {
            return Ok(());
        }
        (self.add)(Bytes::copy_from_slice(part)).map_err(|_| Fault::Failed)
    }
}

impl Write for Outlet<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        match self.put(part) {
            Ok(()) => Ok(part.len()),
            Err(fault) => {
                self.fault = Some(fault);
                Err(io::Error::other("it is not to go on"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body on its way through.
pub(crate) struct Decoding<'a>(Kind<'a>);

enum Kind<'a> {
    Identity(Outlet<'a>),
    Gzip(Box<MultiGzDecoder<Outlet<'a>>>),
    Zstd(Box<Zstd<'a>>),
}

struct Zstd<'a> {
    decoder: ZstdDecoder<'static>,
    outlet: Outlet<'a>,
    buffer: Vec<u8>,
    /// Whether a frame has begun and not ended; at first, whether one is to come.
    open: bool,
}

impl<'a> Decoding<'a> {
    /// Nothing has come yet.
    ///
    /// # Errors
    /// There is no memory for the decoder.
    pub(crate) fn new(encoding: Encoding, bytes_max: usize, add: Add<'a>) -> io::Result<Self> {
        let bytes_max = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let outlet = Outlet { add, sent: 0, out: 0, bytes_max, fault: None };
        Ok(Self(match encoding {
            Encoding::Identity => Kind::Identity(outlet),
            Encoding::Gzip => Kind::Gzip(Box::new(MultiGzDecoder::new(outlet))),
            Encoding::Zstd => {
                let mut decoder = ZstdDecoder::new()?;
                decoder.set_parameter(zstd::zstd_safe::DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
                let buffer = vec![0; CHUNK];
                Kind::Zstd(Box::new(Zstd { decoder, outlet, buffer, open: true }))
            }
        }))
    }

    /// The next part, as it was sent.
    pub(crate) fn take(&mut self, part: &[u8]) -> Result<(), Fault> {
        let sent = u64::try_from(part.len()).unwrap_or(u64::MAX);
        match &mut self.0 {
            Kind::Identity(outlet) => {
                outlet.sent = outlet.sent.saturating_add(sent);
                outlet.put(part)
            }
            Kind::Gzip(decoder) => {
                let outlet = decoder.get_mut();
                outlet.sent = outlet.sent.saturating_add(sent);
                let written = decoder.write_all(part);
                written.map_err(|_| gzip_fault(decoder))
            }
            Kind::Zstd(zstd) => {
                zstd.outlet.sent = zstd.outlet.sent.saturating_add(sent);
                zstd.take(part)
            }
        }
    }

    /// No more will come.
    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        match &mut self.0 {
            Kind::Identity(_) => Ok(()),
            Kind::Gzip(decoder) => {
                let finished = decoder.try_finish();
                finished.map_err(|_| gzip_fault(decoder))
            }
            Kind::Zstd(zstd) if zstd.open => Err(Fault::Broken(Encoding::Zstd.name())),
            Kind::Zstd(_) => Ok(()),
        }
    }
}

/// What stopped the decoder: its outlet, or what was sent.
fn gzip_fault(decoder: &MultiGzDecoder<Outlet<'_>>) -> Fault {
    decoder.get_ref().fault.unwrap_or(Fault::Broken(Encoding::Gzip.name()))
}

impl Zstd<'_> {
    fn take(&mut self, part: &[u8]) -> Result<(), Fault> {
        let mut input = InBuffer::around(part);
        loop {
            let mut output = OutBuffer::around(self.buffer.as_mut_slice());
            let left = self.decoder.run(&mut input, &mut output);
            let left = left.map_err(|_| Fault::Broken(Encoding::Zstd.name()))?;
            let written = output.pos();
            self.open = left != 0;
            self.outlet.put(self.buffer.get(..written).unwrap_or_default())?;
            if input.pos() == part.len() && written < self.buffer.len() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        // Without its checksum a frame cannot tell that a letter was changed.
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).expect("an encoder");
        encoder.include_checksum(true).expect("a setting");
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    /// What becomes of a body that arrives in parts of so many bytes.
    fn decoded(
        encoding: Encoding,
        sent: &[u8],
        (part, max): (usize, usize),
    ) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        let mut add = |part: Bytes| {
            out.extend_from_slice(&part);
            Ok(())
        };
        let mut decoding = Decoding::new(encoding, max, &mut add).expect("a decoder");
        sent.chunks(part).try_for_each(|part| decoding.take(part))?;
        decoding.finish()?;
        Ok(out)
    }

    /// Text that packs about ten times.
    fn text() -> Vec<u8> {
        (0..20_000_u32)
            .flat_map(|row| format!("row {row} {}\n", row.wrapping_mul(7_919) % 97).into_bytes())
            .collect()
    }

    type Pack = fn(&[u8]) -> Vec<u8>;
    const PACKERS: [(Encoding, Pack); 2] = [(Encoding::Gzip, gzip), (Encoding::Zstd, zstd)];

    #[test]
    fn what_was_packed_comes_out_however_it_arrives() {
        for (encoding, pack) in PACKERS {
            let (text, packed) = (text(), pack(&text()));
            for part in [1, 7, 1_000, usize::MAX >> 1] {
                assert_eq!(decoded(encoding, &packed, (part, 1 << 24)), Ok(text.clone()), "{part}");
            }
            let twice = [packed.clone(), packed.clone()].concat();
            let both = decoded(encoding, &twice, (999, 1 << 24)).expect("two members are one body");
            assert_eq!(both.len(), 2 * text.len());
            assert_eq!(decoded(encoding, &pack(b""), (9, 9)), Ok(Vec::new()));
        }
        assert_eq!(decoded(Encoding::Identity, b"as it is", (3, 8)), Ok(b"as it is".to_vec()));
        assert_eq!(decoded(Encoding::Identity, b"as it is", (3, 7)), Err(Fault::TooLong));
    }

    #[test]
    fn what_is_broken_or_cut_off_is_said() {
        for (encoding, pack) in PACKERS {
            let packed = pack(&text());
            let broken = Err(Fault::Broken(encoding.name()));
            for length in [0, 1, 9, packed.len() / 2, packed.len() - 1] {
                let cut = packed.get(..length).unwrap_or_default();
                assert_eq!(decoded(encoding, cut, (500, 1 << 24)), broken, "{encoding:?} {length}");
            }
            let mut bent = packed.clone();
            let middle = bent.len() / 2;
            bent.iter_mut().skip(middle).take(40).for_each(|byte| *byte ^= 0x5a);
            assert_eq!(decoded(encoding, &bent, (500, 1 << 24)), broken, "{encoding:?}");
            assert_eq!(decoded(encoding, b"plain text", (500, 1 << 24)), broken, "{encoding:?}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_first_limit() {
        for (encoding, pack) in PACKERS {
            let bomb = pack(&vec![b'0'; 8 << 20]);
            let mut out = 0;
            let mut add = |part: Bytes| {
                out += part.len();
                Ok(())
            };
            let mut decoding = Decoding::new(encoding, 64 << 20, &mut add).expect("a decoder");
            let fault = bomb.chunks(512).find_map(|part| decoding.take(part).err());
            assert_eq!(fault, Some(Fault::TooDense), "{encoding:?}");
            drop(decoding);
            assert!(out <= 1 << 20, "{encoding:?}: {out} bytes were handed on");
            assert_eq!(decoded(encoding, &pack(&text()), (512, 1_000)), Err(Fault::TooLong));
        }
    }
}
