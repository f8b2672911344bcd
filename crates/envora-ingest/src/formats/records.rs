//! Records of a CSV stream: where each starts and ends in bytes and lines, and its cells.
//!
//! A line without a quote sign is a record as it stands, the common case; only the others go through
//! `csv-core`. A quote that never closes costs its own line and not the rest of the file.

use std::io::{self, Read};

use super::LINE_BYTES_MAX;
use super::utf16::{self, Decoder, Order};

/// The signs of a CSV dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between cells.
    pub delimiter: u8,
    /// Around cells.
    pub quote: u8,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"' }
    }
}

/// What is wrong with a record's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A line above [`LINE_BYTES_MAX`].
    TooLong,
    /// A quote opens and does not close within the limit.
    Unclosed,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
    ranges: &'a [(usize, usize)],
    /// Its bytes as they are in the file, line end left off; cut when it is faulty.
    pub raw: &'a [u8],
    /// Where it starts.
    pub offset: u64,
    /// How many bytes it has, line end left off.
    pub length: u64,
    /// The physical line on which it starts, from 1.
    pub line: u64,
    /// What is wrong with its frame.
    pub fault: Option<Fault>,
}

impl<'a> Record<'a> {
    /// How many cells it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether it has no cells.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// A cell's bytes.
    #[must_use]
    pub fn cell(&self, place: usize) -> Option<&'a [u8]> {
        let (start, end) = self.ranges.get(place)?;
        self.bytes.get(*start..*end)
    }
}

/// Reads records from a stream, one at a time.
pub struct Records<R> {
    input: R,
    dialect: Dialect,
    core: csv_core::Reader,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    offset: u64,
    line: u64,
    lines: Lines,
    /// What makes text of the input, where that is UTF-16.
    wide: Option<Decoder>,
    unquoted: Vec<u8>,
    ends: Vec<usize>,
    ranges: Vec<(usize, usize)>,
}

/// What a stream's first bytes say of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    Absent,
    /// That they are UTF-8.
    Utf8,
    /// That they are UTF-16: they are read as UTF-8 from there on.
    Utf16,
}

/// What the lines of a stream are counted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// Line ends, those inside of quotes too.
    Physical,
    /// Records: one that goes over several lines counts once.
    Records,
}

/// How many bytes are asked of the input at once.
const CHUNK: usize = 1 << 16;

/// A framed record inside the buffer.
struct Framed {
    /// Bytes from the start, line end left off.
    length: usize,
    /// Bytes to step over.
    consumed: usize,
    /// Physical lines to step over.
    lines: u64,
    /// Whether the cells are in `unquoted`.
    quoted: Quoted,
    fault: Option<Fault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Yes,
    No,
}

impl<R: Read> Records<R> {
    /// A reader from the first byte on.
    pub fn new(input: R, dialect: Dialect) -> Self {
        Self {
            input,
            dialect,
            core: core(dialect),
            buffer: Vec::new(),
            start: 0,
            ended: false,
            offset: 0,
            line: 1,
            lines: Lines::Physical,
            wide: None,
            unquoted: Vec::new(),
            ends: Vec::new(),
            ranges: Vec::new(),
        }
    }

    /// Other signs from the next record on.
    pub fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
        self.core = core(dialect);
    }

    /// Counts a record as one line from here on, whatever line ends are in its cells.
    pub fn count_records(&mut self) {
        self.lines = Lines::Records;
    }

    /// Where the next record, or blank line before it, starts.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next bytes without taking them: at least `wanted`, unless the stream ends before.
    ///
    /// # Errors
    /// What the input says.
    pub fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while !self.ended && self.window().len() < wanted {
            self.fill()?;
        }
        Ok(self.window())
    }

    /// Steps over a byte order mark, and reads the rest as it says.
    ///
    /// # Errors
    /// What the input says.
    pub fn mark(&mut self) -> io::Result<Mark> {
        let start = self.peek(4)?;
        if start.starts_with(&[0xef, 0xbb, 0xbf]) {
            self.skip(3);
            return Ok(Mark::Utf8);
        }
        let Some(order) = Order::of_mark(start).filter(|_| self.wide.is_none()) else {
            return Ok(Mark::Absent);
        };
        self.skip(2);
        let raw = self.buffer.split_off(self.start);
        let mut decoder = Decoder::new(order);
        decoder.put(&raw, &mut self.buffer);
        if self.ended {
            decoder.end(&mut self.buffer);
        }
        self.wide = Some(decoder);
        Ok(Mark::Utf16)
    }

    /// Steps over so many bytes of the current line, such as a byte order mark.
    pub fn skip(&mut self, bytes: usize) {
        let bytes = bytes.min(self.window().len());
        self.start += bytes;
        self.offset += bytes as u64;
    }

    /// How many bytes of the input the next ones of the buffer were.
    fn width(&self, bytes: usize) -> u64 {
        match self.wide {
            None => bytes as u64,
            Some(_) => utf16::bytes_of(self.window().get(..bytes).unwrap_or_default()),
        }
    }

    /// The current physical line without taking it, cut at the limit; empty at the end.
    ///
    /// # Errors
    /// What the input says.
    pub fn peek_line(&mut self) -> io::Result<&[u8]> {
        let length = self.find_line(0)?.map_or(0, |(line, _)| line);
        Ok(self.window().get(..length).unwrap_or_default())
    }

    /// Steps over the current physical line, quotes or not.
    ///
    /// # Errors
    /// What the input says.
    pub fn skip_line_whole(&mut self) -> io::Result<()> {
        if let Some((line, terminator)) = self.find_line(0)? {
            self.step(line + terminator, 1);
        }
        Ok(())
    }

    /// The next record that is not a blank line.
    ///
    /// # Errors
    /// What the input says.
    pub fn read(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            let Some((line, terminator)) = self.find_line(0)? else { return Ok(None) };
            if line <= LINE_BYTES_MAX && self.is_blank(line) {
                self.step(line + terminator, 1);
                continue;
            }
            let framed = self.frame(line, terminator)?;
            let (at, offset, number) = (self.start, self.offset, self.line);
            if framed.fault == Some(Fault::TooLong) {
                return self.skip_line(offset, number).map(Some);
            }
            let lines = if self.lines == Lines::Records { 1 } else { framed.lines };
            let length = self.width(framed.length);
            self.step(framed.consumed, lines);
            let raw = self.buffer.get(at..at + framed.length).unwrap_or_default();
            let bytes = if framed.quoted == Quoted::Yes { &self.unquoted } else { raw };
            if framed.fault.is_some() {
                self.ranges.clear();
            }
            return Ok(Some(Record {
                bytes,
                ranges: &self.ranges,
                raw,
                offset,
                length,
                line: number,
                fault: framed.fault,
            }));
        }
    }

    /// The next physical line that is not blank, as one record without cells.
    ///
    /// # Errors
    /// What the input says.
    pub fn read_line(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            let Some((line, terminator)) = self.find_line(0)? else { return Ok(None) };
            let (at, offset, number) = (self.start, self.offset, self.line);
            if line > LINE_BYTES_MAX {
                return self.skip_line(offset, number).map(Some);
            }
            let (blank, length) = (self.is_blank(line), self.width(line));
            self.step(line + terminator, 1);
            if blank {
                continue;
            }
            let raw = self.buffer.get(at..at + line).unwrap_or_default();
            let (bytes, fault) = (raw, None);
            let ranges = &[];
            return Ok(Some(Record { bytes, ranges, raw, offset, length, line: number, fault }));
        }
    }

    fn window(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn is_blank(&self, line: usize) -> bool {
        let bytes = self.window().get(..line).unwrap_or_default();
        bytes.iter().all(|byte| matches!(byte, b' ' | b'\t'))
    }

    fn step(&mut self, bytes: usize, lines: u64) {
        self.offset += self.width(bytes);
        self.start += bytes;
        self.line += lines;
    }

    /// Reads one more chunk; what was read before stays.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let had = self.buffer.len();
        self.buffer.resize(had + CHUNK, 0);
        let read = loop {
            match self.input.read(self.buffer.get_mut(had..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(had + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        if let Some(decoder) = &mut self.wide {
            let raw = self.buffer.split_off(had);
            decoder.put(&raw, &mut self.buffer);
            if self.ended {
                decoder.end(&mut self.buffer);
            }
        }
        Ok(())
    }

    /// The bytes of the line that starts `from` bytes on, and of its end; a line above the limit may
    /// come cut. `None` at the end of the stream.
    fn find_line(&mut self, from: usize) -> io::Result<Option<(usize, usize)>> {
        let mut searched = from;
        loop {
            let window = self.window();
            let rest = window.get(searched..).unwrap_or_default();
            if let Some(place) = memchr::memchr2(b'\n', b'\r', rest) {
                let end = searched + place;
                let next = window.get(end + 1);
                if window.get(end) == Some(&b'\n') {
                    return Ok(Some((end - from, 1)));
                }
                if next.is_some() || self.ended {
                    return Ok(Some((end - from, if next == Some(&b'\n') { 2 } else { 1 })));
                }
                searched = end;
            } else {
                searched = window.len();
                if self.ended {
                    return Ok((searched > from).then_some((searched - from, 0)));
                }
                if searched - from > LINE_BYTES_MAX {
                    return Ok(Some((searched - from, 0)));
                }
            }
            self.fill()?;
        }
    }

    fn frame(&mut self, line: usize, terminator: usize) -> io::Result<Framed> {
        let plain = |fault| Framed {
            length: line,
            consumed: line + terminator,
            lines: 1,
            quoted: Quoted::No,
            fault,
        };
        if line > LINE_BYTES_MAX {
            return Ok(plain(Some(Fault::TooLong)));
        }
        let bytes = self.buffer.get(self.start..self.start + line).unwrap_or_default();
        if memchr::memchr(self.dialect.quote, bytes).is_none() {
            self.ranges.clear();
            let mut from = 0;
            for end in memchr::memchr_iter(self.dialect.delimiter, bytes) {
                self.ranges.push((from, end));
                from = end + 1;
            }
            self.ranges.push((from, line));
            return Ok(plain(None));
        }
        match self.frame_quoted()? {
            Some(framed) => Ok(framed),
            None => Ok(plain(Some(Fault::Unclosed))),
        }
    }

    /// Frames a record that has quotes; `None` when a quote does not close.
    fn frame_quoted(&mut self) -> io::Result<Option<Framed>> {
        loop {
            match self.try_quoted() {
                Some(consumed) => return Ok(Some(self.framed_quoted(consumed))),
                None if self.window().len() > LINE_BYTES_MAX => return Ok(None),
                None if self.ended => return Ok(self.try_last()),
                None => self.fill()?,
            }
        }
    }

    /// Runs the core over what is in the buffer; the bytes of the record when it ends there.
    fn try_quoted(&mut self) -> Option<usize> {
        self.core.reset();
        let window = self.buffer.get(self.start..).unwrap_or_default();
        self.unquoted.resize(window.len() + 1, 0);
        self.ends.resize(window.len() + 2, 0);
        let (result, read, _, ends) =
            self.core.read_record(window, &mut self.unquoted, &mut self.ends);
        // A record that ends with the buffer on CR may have its LF still to come.
        let cut = read == window.len() && window.last() == Some(&b'\r') && !self.ended;
        let done = matches!(result, csv_core::ReadRecordResult::Record) && !cut;
        done.then(|| {
            self.ends.truncate(ends);
            read
        })
    }

    /// The last record of a stream, whose line end may be missing: closed, or not at all.
    fn try_last(&mut self) -> Option<Framed> {
        let length = self.window().len();
        self.buffer.push(b'\n');
        let closed = self.try_quoted();
        self.buffer.pop();
        closed.map(|_| {
            let mut framed = self.framed_quoted(length);
            framed.length = length;
            framed
        })
    }

    fn framed_quoted(&mut self, read: usize) -> Framed {
        let window = self.buffer.get(self.start..).unwrap_or_default();
        let crlf =
            read > 0 && window.get(read - 1) == Some(&b'\r') && window.get(read) == Some(&b'\n');
        let consumed = (read + usize::from(crlf)).min(window.len());
        let bytes = window.get(..consumed).unwrap_or_default();
        let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let body = body.strip_suffix(b"\r").unwrap_or(body);
        let lines = memchr::memchr_iter(b'\n', body).count();
        let length = body.len();
        self.ranges.clear();
        let mut from = 0;
        for end in &self.ends {
            self.ranges.push((from, *end));
            from = *end;
        }
        Framed { length, consumed, lines: lines as u64 + 1, quoted: Quoted::Yes, fault: None }
    }

    /// Steps over a line above the limit without keeping it.
    fn skip_line(&mut self, offset: u64, number: u64) -> io::Result<Record<'_>> {
        loop {
            let window = self.window();
            if let Some(place) = memchr::memchr2(b'\n', b'\r', window) {
                self.step(place, 0);
                let length = self.offset - offset;
                if let Some((_, terminator)) = self.find_line(0)? {
                    self.step(terminator, 1);
                }
                return Ok(self.too_long(offset, length, number));
            }
            let whole = window.len();
            self.step(whole, 0);
            if self.ended {
                let length = self.offset - offset;
                return Ok(self.too_long(offset, length, number));
            }
            self.fill()?;
        }
    }

    fn too_long(&mut self, offset: u64, length: u64, line: u64) -> Record<'_> {
        let fault = Some(Fault::TooLong);
        Record { bytes: &[], ranges: &[], raw: &[], offset, length, line, fault }
    }
}

fn core(dialect: Dialect) -> csv_core::Reader {
    csv_core::ReaderBuilder::new().delimiter(dialect.delimiter).quote(dialect.quote).build()
}

#[cfg(test)]
mod tests;
