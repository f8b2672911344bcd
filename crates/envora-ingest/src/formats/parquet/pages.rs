//! The pages of one column in one row group: each header is read, held against the limits and against the
//! bytes that are there, and only then is the page unpacked, into exactly the room that it may have.

use std::io::Read as _;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;

use super::compact::{Compact, Entry};

/// The largest page that is unpacked.
pub(super) const PAGE_BYTES_MAX: usize = 64 << 20;
/// The largest dictionary that is unpacked, and how many words it may have.
const DICTIONARY_BYTES_MAX: usize = 16 << 20;
const DICTIONARY_WORDS_MAX: u64 = 1_000_000;
/// The largest header of a page: it may carry the least and the greatest value.
const HEADER_BYTES_MAX: usize = 1 << 20;

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Dictionary,
    Data,
    DataV2 { nulls: u32, levels: u32, packed: bool },
}

/// A page's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageHead {
    pub(super) sort: Sort,
    /// How many bytes it has in the file, header left off.
    pub(super) stored: usize,
    /// How many when unpacked.
    pub(super) inflated: usize,
    values: u32,
    encoding: Encoding,
    levels: Encoding,
}

/// The pages, one after the other.
pub(super) struct Pages {
    chunk: Bytes,
    at: usize,
    /// How many values are still due.
    due: u64,
    codec: Compression,
    physical: Type,
    width: usize,
    optional: bool,
    dictionary: bool,
}

fn fault(text: impl Into<String>) -> ParquetError {
    ParquetError::General(text.into())
}

impl Pages {
    /// The pages of a chunk of the file, which has to have so many rows.
    pub(super) fn new(chunk: Bytes, about: &ColumnChunkMetaData, rows: u64) -> Self {
        let column = about.column_descr();
        Self {
            chunk,
            at: 0,
            due: rows,
            codec: about.compression(),
            physical: column.physical_type(),
            width: usize::try_from(column.type_length()).unwrap_or(0),
            optional: column.max_def_level() > 0,
            dictionary: false,
        }
    }

    /// The next header, with its page stepped over; nothing when all values were met.
    pub(super) fn head(&mut self) -> Result<Option<(PageHead, Bytes)>> {
        if self.due == 0 {
            return Ok(None);
        }
        let rest = self.chunk.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return Err(fault(format!("its pages end {} values before their time", self.due)));
        }
        let window = rest.get(..HEADER_BYTES_MAX).unwrap_or(rest);
        let (head, length) =
            header(window).ok_or_else(|| fault("the header of a page is damaged"))??;
        let head = head.ok_or_else(|| fault("it has a page of a kind that is not known"))?;
        let from = self.at + length;
        let until = from.checked_add(head.stored).filter(|end| *end <= self.chunk.len());
        let until = until.ok_or_else(|| {
            fault(format!("a page claims {} bytes, more than its column has", head.stored))
        })?;
        self.at = until;
        self.judge(&head)?;
        Ok(Some((head, self.chunk.slice(from..until))))
    }

    fn judge(&mut self, head: &PageHead) -> Result<()> {
        let values = u64::from(head.values);
        if head.sort == Sort::Dictionary {
            if self.dictionary {
                return Err(fault("it has two dictionaries in one row group"));
            }
            self.dictionary = true;
            if head.inflated > DICTIONARY_BYTES_MAX || values > DICTIONARY_WORDS_MAX {
                return Err(fault(format!(
                    "a dictionary claims {values} words in {} bytes, at most {DICTIONARY_WORDS_MAX} in {DICTIONARY_BYTES_MAX} are read",
                    head.inflated
                )));
            }
            let least = values.saturating_mul(self.least_bytes());
            if least > head.inflated as u64 {
                return Err(fault(format!(
                    "a dictionary claims {values} words, which do not fit into its {} bytes",
                    head.inflated
                )));
            }
            return Ok(());
        }
        if head.inflated > PAGE_BYTES_MAX {
            return Err(fault(format!(
                "a page claims to unpack to {} bytes, at most {PAGE_BYTES_MAX} are read",
                head.inflated
            )));
        }
        self.due = self.due.checked_sub(values).filter(|_| values > 0).ok_or_else(|| {
            fault(format!("a page claims {values} values where {} are due", self.due))
        })?;
        match head.encoding {
            Encoding::DELTA_BYTE_ARRAY => Err(fault(
                "its texts are written as DELTA_BYTE_ARRAY, which is not read: write the file with version 1.0 pages, or with a dictionary",
            )),
            Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY if !self.dictionary => {
                Err(fault("a page refers to a dictionary that is not there"))
            }
            _ => Ok(()),
        }
    }

    /// The least bytes that a word of a dictionary takes.
    fn least_bytes(&self) -> u64 {
        match self.physical {
            Type::BOOLEAN => 1,
            Type::INT32 | Type::FLOAT | Type::BYTE_ARRAY => 4,
            Type::INT64 | Type::DOUBLE => 8,
            Type::INT96 => 12,
            Type::FIXED_LEN_BYTE_ARRAY => self.width.max(1) as u64,
        }
    }

    fn page(&self, head: &PageHead, stored: &Bytes) -> Result<Page> {
        let PageHead { values: num_values, encoding, .. } = *head;
        match head.sort {
            Sort::Dictionary => {
                let buf = self.unpacked(stored, head.inflated)?;
                Ok(Page::DictionaryPage { buf, num_values, encoding, is_sorted: false })
            }
            Sort::Data => {
                let buf = self.unpacked(stored, head.inflated)?;
                let from = self.values_at(head, &buf)?;
                deltas(encoding, buf.get(from..).unwrap_or_default(), num_values)?;
                Ok(Page::DataPage {
                    buf,
                    num_values,
                    encoding,
                    def_level_encoding: head.levels,
                    rep_level_encoding: Encoding::RLE,
                    statistics: None,
                })
            }
            Sort::DataV2 { nulls, levels, packed } => {
                let split = usize::try_from(levels).unwrap_or(usize::MAX);
                if split > stored.len() || split > head.inflated {
                    return Err(fault("the levels of a page are longer than the page"));
                }
                let (own, rest) = (stored.slice(..split), stored.slice(split..));
                let values =
                    if packed { self.unpacked(&rest, head.inflated - split)? } else { rest };
                deltas(encoding, &values, num_values)?;
                let buf = if split == 0 {
                    values
                } else {
                    let mut all = Vec::with_capacity(own.len() + values.len());
                    all.extend_from_slice(&own);
                    all.extend_from_slice(&values);
                    all.into()
                };
                Ok(Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls: nulls,
                    num_rows: num_values,
                    def_levels_byte_len: levels,
                    rep_levels_byte_len: 0,
                    is_compressed: false,
                    statistics: None,
                })
            }
        }
    }

    /// Where the values of a page of the first version begin: behind the levels that say which are null.
    fn values_at(&self, head: &PageHead, buf: &Bytes) -> Result<usize> {
        if !self.optional {
            return Ok(0);
        }
        if head.levels != Encoding::RLE {
            return Err(fault("its nulls are written in a way that is no longer read"));
        }
        let length = buf.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes));
        let end = length.and_then(|length| usize::try_from(length).ok()?.checked_add(4));
        end.filter(|end| *end <= buf.len())
            .ok_or_else(|| fault("the levels of a page are longer than the page"))
    }

    /// A page's bytes, which must come to exactly so many.
    fn unpacked(&self, stored: &Bytes, length: usize) -> Result<Bytes> {
        let lies = || fault(format!("a page does not unpack to the {length} bytes it claims"));
        let whole = match self.codec {
            Compression::UNCOMPRESSED => stored.clone(),
            Compression::SNAPPY => {
                if snap::raw::decompress_len(stored).ok() != Some(length) {
                    return Err(lies());
                }
                snap::raw::Decoder::new().decompress_vec(stored).map_err(|_| lies())?.into()
            }
            Compression::GZIP(_) => {
                let mut whole = Vec::with_capacity(length);
                let packed = flate2::read::MultiGzDecoder::new(stored.as_ref());
                packed.take(length as u64 + 1).read_to_end(&mut whole).map_err(|_| lies())?;
                whole.into()
            }
            Compression::ZSTD(_) => {
                zstd::bulk::decompress(stored, length).map_err(|_| lies())?.into()
            }
            Compression::LZO | Compression::BROTLI(_) | Compression::LZ4 | Compression::LZ4_RAW => {
                return Err(fault("it is packed in a way that is not read"));
            }
        };
        if whole.len() == length { Ok(whole) } else { Err(lies()) }
    }
}

/// The name of a codec that is not read; nothing of one that is.
pub(super) fn unread(codec: Compression) -> Option<&'static str> {
    match codec {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::ZSTD(_) => None,
        Compression::LZO => Some("LZO"),
        Compression::BROTLI(_) => Some("Brotli"),
        Compression::LZ4 | Compression::LZ4_RAW => Some("LZ4"),
    }
}

/// Holds the counts at the head of delta-encoded values against the page: rooms are made by them.
fn deltas(encoding: Encoding, values: &[u8], count: u32) -> Result<()> {
    if !matches!(encoding, Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY) {
        return Ok(());
    }
    let mut head = Compact::new(values);
    let mut next = || head.unsigned();
    let read = next().zip(next()).zip(next());
    let good = read.is_some_and(|((block, parts), all)| {
        (128..=65_536).contains(&block) && (1..=512).contains(&parts) && all <= u64::from(count)
    });
    if good { Ok(()) } else { Err(fault("the head of a page's values does not fit the page")) }
}

fn encoding(number: i64) -> Option<Encoding> {
    Some(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        _ => return None,
    })
}

/// What a header says, and how many bytes it has; `None` where it is damaged.
type Header = Option<Result<(Option<PageHead>, usize)>>;

fn header(bytes: &[u8]) -> Header {
    let mut walk = Compact::new(bytes);
    let (mut last, mut kind, mut inflated, mut stored) = (0, None, None, None);
    let (mut dictionary, mut data, mut data2) = (None, None, None);
    while let Some(entry) = walk.field(&mut last)? {
        match entry.id {
            1 => kind = Some(walk.signed()?),
            2 => inflated = Some(walk.signed()?),
            3 => stored = Some(walk.signed()?),
            5 if entry.is_struct() => data = Some(numbers(&mut walk)?),
            7 if entry.is_struct() => dictionary = Some(numbers(&mut walk)?),
            8 if entry.is_struct() => data2 = Some(numbers(&mut walk)?),
            _ => walk.skip(entry.kind)?,
        }
    }
    let size = |size: Option<i64>| usize::try_from(size?).ok();
    let (inflated, stored) = (size(inflated)?, size(stored)?);
    let count = |number: Option<i64>| u32::try_from(number?).ok();
    let (sort, values, place, levels) = match (kind?, data, dictionary, data2) {
        (0, Some(own), _, _) => {
            (Sort::Data, count(own.at(1))?, own.at(2)?, encoding(own.at(3).unwrap_or(3)))
        }
        (2, _, Some(own), _) => (Sort::Dictionary, count(own.at(1))?, own.at(2)?, None),
        (3, _, _, Some(own)) => {
            if own.at(6).unwrap_or(0) != 0 {
                return Some(Err(fault("it has lists, which are not read")));
            }
            let levels = count(Some(own.at(5).unwrap_or(0)))?;
            let sort = Sort::DataV2 { nulls: count(own.at(2))?, levels, packed: own.packed };
            (sort, count(own.at(1))?, own.at(4)?, None)
        }
        _ => return Some(Ok((None, walk.read()))),
    };
    let Some(encoding) = encoding(place) else {
        return Some(Err(fault("its values are written in a way that is not known")));
    };
    let levels = levels.unwrap_or(Encoding::PLAIN);
    let head = PageHead { sort, stored, inflated, values, encoding, levels };
    Some(Ok((Some(head), walk.read())))
}

/// The first numbers of a struct, by their field, and whether it says that it is packed.
struct Numbers {
    numbers: [Option<i64>; 8],
    packed: bool,
}

impl Numbers {
    fn at(&self, field: usize) -> Option<i64> {
        self.numbers.get(field).copied().flatten()
    }
}

fn numbers(walk: &mut Compact<'_>) -> Option<Numbers> {
    let mut own = Numbers { numbers: [None; 8], packed: true };
    let mut last = 0;
    while let Some(entry) = walk.field(&mut last)? {
        let Entry { id, kind } = entry;
        if let Some(truth) = entry.truth() {
            if id == 7 {
                own.packed = truth;
            }
        } else if entry.is_struct() || id > 6 {
            walk.skip(kind)?;
        } else {
            let number = walk.signed()?;
            if let Some(place) = usize::try_from(id).ok().and_then(|id| own.numbers.get_mut(id)) {
                *place = Some(number);
            }
        }
    }
    Some(own)
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some((head, stored)) = self.head()? else { return Ok(None) };
        self.page(&head, &stored).map(Some)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(fault("pages are read in order"))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        Err(fault("pages are read in order"))
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
