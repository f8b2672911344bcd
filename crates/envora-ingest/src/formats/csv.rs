//! CSV, and the table of text that a sheet is, through a mapping, or with the schema's field names as its
//! header.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use envora_domain::activities::problems::{Flag, RowCode, RowProblem};
use envora_domain::activities::{Activity, Period};
use envora_domain::hash::Digest;

use super::held::{Arrival, Held, Of, Zeros};
use super::left::LeftOut;
use super::parquet::Table;
use super::records::{Dialect, Fault, Record, Records};
use super::sheet::quick::{Look, Quick, Waits};
use super::sheet::{BlockPlan, Cells, Half, Laid, Mark, Plan, Timing};
use super::totals::is_total;
use super::utf16;
use super::xlsx::{Notes, Sheet, Told};
use super::{
    Derives, Format, Judge, OpenError, Opening, OriginHead, RowPlace, Step, Tiers, rejected,
};
use crate::clocks::ClockBook;
use crate::fields::Draft;
use crate::identity::{Identity, List};
use crate::mapping::unpivot::expression;
use crate::mapping::{Encoding, FileStyle};
use crate::repeats::{Repeats, is_interval, is_repeat};
use crate::rows::ParsedRow;

mod cells;
mod head;
mod kept;
pub(super) mod mend;
pub(crate) mod text;

pub(crate) use cells::{put_cell, put_plain};
use head::Head;
pub(super) use kept::Places;
use kept::{KINDS, Kept, Ours};

/// What the columns of an error file of ours start with; they are not read back, but for two.
pub(crate) const OURS: &str = "_envora_";

/// One that is: what was noted of times without an offset, in a row that was exported.
pub(crate) const LOCAL: &str = "_envora_local";

/// And this: which activity an exported row is here.
pub(crate) const ID: &str = "_envora_id";

/// Reads a CSV stream.
pub struct CsvReader<R> {
    input: Input<R>,
    /// What stands beside the text, where it is that of a sheet.
    notes: Option<Notes>,
    style: FileStyle,
    plan: Plan,
    clocks: Lookup,
    columns: usize,
    strip: Strip,
    head: OriginHead,
    version: Option<Digest>,
    row: u64,
    left: LeftOut,
    /// What derives ids, unless the rows are only looked at.
    identity: Option<Identity>,
    repeats: Repeats,
    held: Held<Item>,
    /// What reads the records whose words are known, unless each is to be looked at with all care.
    quick: Option<Quick>,
    /// How the other rows were read.
    tiers: Tiers,
    judge: Judge,
    ended: bool,
    /// Where an error file says which occurrence a row had in the file that it was refused in.
    ours: Option<Ours>,
    /// Where an error file says what the cells were in the Parquet file that they come from.
    kinds: Option<usize>,
    /// Of the rows that are asked for, their places among rows with the same natural list.
    places: Option<(BTreeSet<u64>, Places)>,
}

/// Where records come from.
enum Input<R> {
    /// The text of a file or of a sheet.
    Text(Box<Records<R>>),
    /// The columns of a Parquet file.
    Columns(Box<Table>),
}

/// A record as it comes.
enum Raw<'a> {
    /// In bytes.
    Record(Record<'a>),
    /// In cells.
    Cells(Box<Cells<'a>>),
}

/// A block, and the words of a row of it.
type OfBlock = (usize, Box<[u8]>);

impl<'a> Raw<'a> {
    /// The place and block of the row, where its words are known; else its block and its words, where
    /// rows with the same may be read by them.
    fn look(
        &self,
        quick: &mut Option<Quick>,
        laid: (&Plan, &FileStyle),
        place: RowPlace,
    ) -> Result<Option<OfBlock>, (usize, usize)> {
        let (Self::Record(record), Some(quick)) = (self, quick) else { return Ok(None) };
        match quick.look(laid, record, place) {
            Look::Known(slot, block) => Err((slot, block)),
            Look::New(block) => Ok(Some((block, quick.words()))),
            Look::Aside => Ok(None),
        }
    }

    fn cells(self, encoding: Encoding, strip: Strip) -> Result<Cells<'a>, RowProblem> {
        match self {
            Self::Record(record) => cells(&record, encoding, strip),
            Self::Cells(cells) => Ok(*cells),
        }
    }
}

/// Whether cells carry the apostrophe that error files put before `=`, `+`, `-`, `@`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strip {
    Yes,
    No,
}

/// Whether clocks of places are looked up: where none is found then, nobody knows it yet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lookup {
    Yes,
    No,
}

/// A row on its way.
enum Item {
    Ready(Box<ParsedRow>),
    Open(Box<Open>),
    /// A row whose words were known, and its block.
    Known(Box<ParsedRow>, usize),
}

struct Open {
    draft: Draft,
    timing: Option<Timing>,
    place: RowPlace,
    block: usize,
    mark: Option<Mark>,
    kept: Option<Kept>,
    /// Its words, where rows with the same may be read by them.
    words: Option<Box<[u8]>>,
}

/// What became of a record.
enum Advance {
    /// There is none.
    Ended,
    /// Its rows are in the queue, if it has any.
    Queued,
    /// It is one row, and is in this place.
    Known(usize),
}

impl<R: Read> CsvReader<R> {
    /// Reads the header and lays the mapping over it.
    ///
    /// # Errors
    /// [`OpenError`] before any row is given: no header, columns that are not there, unknown fields.
    pub fn open(input: R, opening: &Opening) -> Result<Self, OpenError> {
        Self::over((Records::new(input, Dialect::default()), None), opening)
    }

    /// Lays the mapping over the columns of a Parquet file, of which those that it names are read.
    ///
    /// # Errors
    /// As [`CsvReader::open`]; a file that is damaged, or whose columns hold what no field has.
    pub(super) fn of_columns(mut table: Table, opening: &Opening) -> Result<Self, OpenError> {
        let head = head::of_columns(table.header(), opening)?;
        let floats = head.mapping.file.floats;
        let (names, of_columns) = (head.header.clone(), &head.mapping);
        let intervals = of_columns.unpivot.as_ref().and_then(|own| expression(&own.columns).ok());
        let mut wanted = of_columns.columns();
        let wide = |name: &&String| intervals.as_ref().is_some_and(|own| own.is_match(name));
        wanted.extend(names.iter().filter(wide).map(String::as_str));
        // A mapping that asks for what is not there is told so, before anything is unpacked.
        Plan::new(of_columns, &head.header, &head.units).map_err(OpenError::File)?;
        table.select(&wanted, floats).map_err(OpenError::File)?;
        Self::laid((Input::Columns(Box::new(table)), None), head, opening)
    }

    fn over(
        (mut records, notes): (Records<R>, Option<Notes>),
        opening: &Opening,
    ) -> Result<Self, OpenError> {
        let form = if notes.is_some() { Format::Xlsx } else { Format::Csv };
        let head = head::read(&mut records, opening, form)?;
        Self::laid((Input::Text(Box::new(records)), notes), head, opening)
    }

    fn laid(
        (input, notes): (Input<R>, Option<Notes>),
        head: Head,
        opening: &Opening,
    ) -> Result<Self, OpenError> {
        let mut plan =
            Plan::new(&head.mapping, &head.header, &head.units).map_err(OpenError::File)?;
        let ours = head.header.iter().any(|name| name.starts_with(OURS));
        let kept = Ours::of(&head.header);
        if kept.is_some() {
            plan.mark();
        }
        let plain = notes.is_none() && !ours;
        plan.look_up(ClockBook::new(opening.clocks.clone()));
        let quick = if plain { Quick::of(&plan, &opening.clocks) } else { None };
        let clocks = if opening.clocks.are_known() { Lookup::Yes } else { Lookup::No };
        Ok(Self {
            quick,
            clocks,
            tiers: Tiers::default(),
            ours: kept,
            kinds: head.header.iter().position(|name| name == KINDS),
            places: None,
            input,
            notes,
            plan,
            columns: head.header.len(),
            strip: if ours { Strip::Yes } else { Strip::No },
            head: opening.head.clone(),
            version: opening.mapping.as_ref().map(|mapping| mapping.version),
            row: 0,
            left: LeftOut::default(),
            identity: Some(Identity::new(&head.mapping.name)),
            style: head.mapping.file,
            repeats: Repeats::default(),
            held: Held::default(),
            judge: Judge::default(),
            ended: false,
        })
    }

    /// Records that gave no activity: the mapping leaves them out, or nothing in it takes them.
    #[must_use]
    pub const fn left_out(&self) -> &LeftOut {
        &self.left
    }

    /// Whether the mapping gives every row its id.
    pub(super) fn derives(&self) -> Derives {
        let all = self.plan.blocks.iter().all(|plan| plan.derives == Derives::Yes);
        if all { Derives::Yes } else { Derives::No }
    }

    /// Reads to the end, and gives of these rows their places among rows with the same natural list;
    /// nothing where the sender gives all ids.
    pub(super) fn places(mut self, rows: BTreeSet<u64>) -> io::Result<Option<Places>> {
        if !self.plan.blocks.iter().any(|plan| plan.derives == Derives::Yes) {
            return Ok(None);
        }
        self.plan.mark();
        self.quick = None;
        self.places = Some((rows, Places::default()));
        for row in self.by_ref() {
            row?;
        }
        Ok(self.places.map(|(_, places)| places))
    }

    /// What is read.
    const fn format(&self) -> Format {
        match (&self.input, &self.notes) {
            (Input::Columns(_), _) => Format::Parquet,
            (Input::Text(_), Some(_)) => Format::Xlsx,
            (Input::Text(_), None) => Format::Csv,
        }
    }

    /// Derives no ids from here on.
    pub(super) fn leave_ids_out(&mut self) {
        self.identity = None;
    }

    /// How the rows were read so far.
    pub(super) fn tiers(&self) -> Tiers {
        self.tiers + self.quick.as_ref().map_or_else(Tiers::default, |quick| quick.tiers)
    }

    /// The row in a place.
    pub(super) fn known(&self, slot: usize) -> Option<&ParsedRow> {
        self.quick.as_ref()?.row(slot)
    }

    /// Reads each record as if it were the first of its kind.
    pub(super) fn take_all_care(&mut self) {
        self.quick = None;
    }

    /// Reads one record.
    fn advance(&mut self) -> io::Result<Advance> {
        let Some((place, raw)) = self.input.read()? else { return Ok(Advance::Ended) };
        self.row += 1;
        let place = RowPlace { row: self.row, ..place };
        // The cells of a sheet are no run of bytes: the row is found by its number.
        let place = match self.notes {
            Some(_) => RowPlace { offset: 0, length: 0, ..place },
            None => place,
        };
        let words = match raw.look(&mut self.quick, (&self.plan, &self.style), place) {
            Ok(words) => words,
            Err((slot, block)) => return Ok(self.take(slot, block)),
        };
        let mut cells = match raw.cells(self.style.encoding, self.strip) {
            Ok(cells) => cells,
            Err(problem) => {
                self.held.push(Item::Ready(Box::new(rejected(problem, place))), None);
                return Ok(Advance::Queued);
            }
        };
        if let Some(notes) = &self.notes {
            // A sheet has no cells after the last that is filled in.
            let width = self.columns.max(cells.texts.len());
            cells.texts.resize(width, Cow::Borrowed(""));
            cells.told = notes.of(place.line, &cells.texts);
        }
        if let Some(kinds) = self.kinds {
            cells.told = kept::kinds(&cells, kinds);
        }
        if let Some(why) = self.plan.skips(&cells) {
            self.left.declared(place.line, why);
            return Ok(Advance::Queued);
        }
        let hidden = self.notes.as_ref().and_then(|notes| notes.hides(place.line));
        let problem = hidden
            .or_else(|| misshapen(&cells, self.columns, &self.style.footer))
            .or_else(|| self.plan.unsure(&cells));
        if let Some(problem) = problem {
            self.held.push(Item::Ready(Box::new(rejected(problem, place))), None);
            return Ok(Advance::Queued);
        }
        let kept = self.ours.as_ref().and_then(|ours| ours.read(&cells));
        let mut taken = false;
        for number in 0..self.plan.rows() {
            let laid = self.plan.lay(number, &mut cells);
            if laid == Laid::Blank {
                self.left.blank(place.line, self.plan.interval_name(number));
                taken = true;
                continue;
            }
            for block in 0..self.plan.blocks.len() {
                let Some(half) = self.plan.half(block, laid, &cells) else { continue };
                taken = true;
                let plan = self.plan.blocks.get(block);
                let limit = plan.and_then(|plan| plan.block.zero_run_missing);
                let arrival = arrival(&half, block, (limit, self.clocks));
                let Half { mark, draft, timing } = half;
                let words = words.as_ref().filter(|(own, _)| *own == block);
                let (words, kept) = (words.map(|(_, words)| words.clone()), kept.clone());
                let open = Open { draft, timing, place, block, mark, kept, words };
                self.held.push(Item::Open(Box::new(open)), arrival);
            }
        }
        if !taken {
            self.left.not_taken(place.line, &self.plan.asked(&cells));
        }
        Ok(Advance::Queued)
    }

    /// Takes the row of a record whose words are known: at once, unless it waits or others do.
    fn take(&mut self, slot: usize, block: usize) -> Advance {
        let (Some(quick), Some(plan)) = (&mut self.quick, self.plan.blocks.get(block)) else {
            return Advance::Queued;
        };
        // Where nothing is waited for and this waits for nothing, the queue need not know of it.
        let (mut arrival, mut waits) = (None, Waits::No);
        if self.held.is_watching() || quick.is_zero(slot) || quick.is_open() {
            (arrival, waits) = quick.arrival(slot, (block, plan));
        }
        if self.held.is_watching() || waits == Waits::Yes {
            let Some(row) = quick.row(slot) else { return Advance::Queued };
            self.held.push(Item::Known(Box::new(row.clone()), block), arrival);
            return Advance::Queued;
        }
        if let Some(activity) = quick.activity(slot) {
            let before = derive(self.identity.as_mut(), plan, activity);
            note_repeat(&mut self.repeats, plan, (activity, before));
        }
        Advance::Known(slot)
    }

    /// Ends a row whose words were known, and that waited.
    fn end(&mut self, row: &mut ParsedRow, block: usize, found: super::held::Findings) {
        let Ok(activity) = &mut row.activity else { return };
        if found.zeros == Zeros::Gap {
            activity.flags.insert(Flag::ZeroRun);
        }
        activity.local = found.noted(activity.local);
        if let Some(plan) = self.plan.blocks.get(block) {
            let before = derive(self.identity.as_mut(), plan, activity);
            note_repeat(&mut self.repeats, plan, (activity, before));
        }
        self.tiers.fast += 1;
    }

    fn finish(&mut self, open: Open, found: super::held::Findings) -> ParsedRow {
        let Open { mut draft, timing, place, block, mark, kept, words } = open;
        let (mut against, mut before) = (None, None);
        match timing.map(|timing| timing.period(found)) {
            Some(Ok(timed)) => {
                (draft.times.period, draft.times.noted) = (Some(timed.period), timed.local);
                (against, before) = (timed.against, timed.before);
            }
            Some(Err(problem)) => {
                draft.mark_period();
                draft.report(problem);
            }
            None => {}
        }
        if found.zeros == Zeros::Gap {
            draft.flag(Flag::ZeroRun);
        }
        let origin = self.head.origin(place, self.version, self.format());
        let (mut row, rest) = self.judge.row_and_rest(draft, origin, place);
        // What was mended has its place among others from the file that it was refused in.
        let (mut taken, is_mended) = (None, kept.is_some());
        if let Some(plan) = self.plan.blocks.get(block)
            && plan.derives == Derives::Yes
        {
            taken = name(self.identity.as_mut(), plan, (&mut row, rest), mark.zip(kept));
            if let (Some((rows, places)), Some((mark, occurrence))) =
                (&mut self.places, mark.zip(taken))
                && rows.contains(&place.row)
            {
                places.entry(place.row).or_default().push(kept::place(&mark, occurrence));
            }
        }
        if let (Ok(activity), Some(plan)) = (&mut row.activity, self.plan.blocks.get(block)) {
            let before = taken.filter(|_| !is_mended);
            note_repeat(&mut self.repeats, plan, (activity, before));
        }
        let before = self.read_before(&row, block, before);
        if let Some(problem) = against {
            row.refuse_by_clock(problem);
        }
        if let Some(plan) = self.plan.blocks.get(block) {
            let name = |problems: Vec<RowProblem>| -> Vec<RowProblem> {
                problems.into_iter().map(|problem| plan.columns.name(problem)).collect()
            };
            row.activity = row.activity.map_err(name);
            row.quarantine = name(row.quarantine);
            row.columns = Some(Arc::clone(&plan.columns));
        }
        if let (Some(quick), Some(words)) = (&mut self.quick, words) {
            quick.learn(&words, &row);
        }
        row.unclear = row.unclear.or(before);
        row
    }

    /// The activity that a row was as long as the clock of its place was not known, with the id of that.
    fn read_before(
        &mut self,
        row: &ParsedRow,
        block: usize,
        before: Option<Period>,
    ) -> Option<Box<Activity>> {
        let mut activity = row.activity.as_ref().ok()?.clone();
        activity.period = before?;
        if let Some(plan) = self.plan.blocks.get(block)
            && plan.derives == Derives::Yes
        {
            activity.external_id = None;
            derive(self.identity.as_mut(), plan, &mut activity);
        }
        Some(Box::new(activity))
    }
}

impl<R: Read> Input<R> {
    /// The next record.
    fn read(&mut self) -> io::Result<Option<(RowPlace, Raw<'_>)>> {
        match self {
            Self::Text(records) => {
                let Some(record) = records.read()? else { return Ok(None) };
                let place = RowPlace {
                    row: 0,
                    line: record.line,
                    offset: record.offset,
                    length: u32::try_from(record.length).unwrap_or(u32::MAX),
                };
                Ok(Some((place, Raw::Record(record))))
            }
            // A row of columns is no run of bytes and has no line: it is found by its number.
            Self::Columns(table) => {
                let Some((line, cells)) = table.next()? else { return Ok(None) };
                let place = RowPlace { line, ..RowPlace::default() };
                Ok(Some((place, Raw::Cells(Box::new(cells)))))
            }
        }
    }
}

impl<'a> CsvReader<Box<dyn Read + Send + 'a>> {
    /// Reads the header of a sheet and lays the mapping over it.
    ///
    /// # Errors
    /// As [`CsvReader::open`].
    pub(super) fn of_sheet(sheet: Sheet, opening: &Opening) -> Result<Self, OpenError> {
        let (records, notes) = sheet.into_records();
        Self::over((records, Some(notes)), opening)
    }
}

/// Gives a row whose words were known its id, where the mapping derives them; how often its list came before.
fn derive(
    identity: Option<&mut Identity>,
    plan: &BlockPlan,
    activity: &mut Activity,
) -> Option<u64> {
    if plan.derives == Derives::No {
        return None;
    }
    let mut id = activity.external_id.take().unwrap_or_default();
    let natural = plan.block.natural.as_deref();
    let before = identity?.put_next(&mut id, (&plan.block.key, natural), activity);
    activity.external_id = Some(id);
    Some(before)
}

/// Flags a row that says again what a row before it said, or takes that back of the row before it. How often
/// its list came tells it of most, unless the mapping names what makes a row its own.
fn note_repeat(
    repeats: &mut Repeats,
    plan: &BlockPlan,
    (activity, before): (&mut Activity, Option<u64>),
) {
    let before = before.filter(|_| plan.block.natural.is_none() && is_interval(activity));
    if before.map_or_else(|| repeats.next(activity), |before| is_repeat(activity, before)) {
        activity.flags.insert(Flag::PossibleDuplicate);
    } else {
        activity.flags.remove(Flag::PossibleDuplicate);
    }
}

/// Gives a row its id. A row that is refused has a place among those with its list as well, or those
/// after it would move up; the occurrence that was taken, if any.
fn name(
    identity: Option<&mut Identity>,
    plan: &BlockPlan,
    (row, rest): (&mut ParsedRow, Option<Activity>),
    kept: Option<(Mark, Kept)>,
) -> Option<u64> {
    let list = |identity: &Identity, activity: &Activity| {
        identity.list(&plan.block.key, plan.block.natural.as_deref(), activity)
    };
    let occurrence = |identity: &mut Identity, list: &List| match &kept {
        None => identity.next(list),
        Some((mark, kept)) => identity.take(list, kept.occurrence(mark)),
    };
    match &mut row.activity {
        Ok(activity) => {
            activity.flags.remove(Flag::NoExternalId);
            let identity = identity?;
            let list = list(identity, activity);
            let taken = occurrence(identity, &list);
            activity.external_id = Some(list.id(taken));
            Some(taken)
        }
        Err(problems) => {
            let (identity, read) = (identity?, rest.filter(|read| plan.lists(problems, read))?);
            let list = list(identity, &read);
            Some(occurrence(identity, &list))
        }
    }
}

impl<R: Read> CsvReader<R> {
    /// Reads the next row.
    pub(super) fn step(&mut self) -> Option<io::Result<Step>> {
        loop {
            if let Some((item, found)) = self.held.pop() {
                let row = match item {
                    Item::Ready(row) => row,
                    Item::Open(open) => Box::new(self.finish(*open, found)),
                    Item::Known(mut row, block) => {
                        self.end(&mut row, block, found);
                        return Some(Ok(Step::Read(row)));
                    }
                };
                self.tiers.read(&row);
                return Some(Ok(Step::Read(row)));
            }
            if self.ended {
                return None;
            }
            match self.advance() {
                Ok(Advance::Queued) => {}
                Ok(Advance::Known(slot)) => return Some(Ok(Step::Known(slot))),
                Ok(Advance::Ended) => {
                    self.ended = true;
                    self.held.end();
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<R: Read> Iterator for CsvReader<R> {
    type Item = io::Result<ParsedRow>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.step()? {
            Ok(Step::Known(slot)) => self.known(slot).cloned().map(Ok),
            Ok(Step::Read(row)) => Some(Ok(*row)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// What the queue must know of a row; nothing when it can leave at once.
fn arrival(
    half: &Half,
    block: usize,
    (limit, clocks): (Option<envora_domain::time::Span>, Lookup),
) -> Option<Arrival> {
    let timing = half.timing.as_ref().filter(|_| !half.draft.is_broken())?;
    let walls = if clocks == Lookup::Yes { timing.walls() } else { Vec::new() };
    let (twice, of) =
        if walls.is_empty() { (timing.twice(), Of::Clock) } else { (walls, Of::Nobody) };
    let zero = limit.map(|limit| {
        let is_zero = half.draft.quantity().is_some_and(|quantity| quantity.is_zero());
        (is_zero.then(|| timing.length()), limit)
    });
    let local = timing.is_elsewhere() || half.draft.time_zone().is_some_and(|zone| zone != "UTC");
    if twice.is_empty() && zero.is_none() && !local {
        return None;
    }
    let series = (block, half.draft.series());
    Some(Arrival { series, twice, of, day: timing.day, zero })
}

/// The cells of a record as text, or why it is none.
fn cells<'a>(
    record: &Record<'a>,
    encoding: Encoding,
    strip: Strip,
) -> Result<Cells<'a>, RowProblem> {
    match record.fault {
        Some(Fault::TooLong) => return Err(too_long(record.length)),
        Some(Fault::Unclosed) => {
            return Err(RowProblem::new(
                RowCode::MalformedRow,
                "",
                "a quote opens in this line and does not close within 1 MiB",
            )
            .value(&String::from_utf8_lossy(record.raw))
            .hint("close the quote, or double it where it is part of the text"));
        }
        None => {}
    }
    if encoding == Encoding::Utf8 && simdutf8::basic::from_utf8(record.raw).is_err() {
        return Err(not_text(record.raw));
    }
    let cell = |place: usize| -> Result<Cow<'a, str>, RowProblem> {
        let bytes = record.cell(place).unwrap_or_default();
        let text = match encoding {
            Encoding::Utf8 => text::utf8(bytes),
            Encoding::Windows1252 => text::windows_1252(bytes),
        };
        let text = text.ok_or_else(|| not_text(record.raw))?;
        Ok(text::trimmed(text, strip))
    };
    let texts = (0..record.len()).map(cell).collect::<Result<_, _>>()?;
    Ok(Cells { texts, told: Told::default() })
}

/// The problem of a line above the limit.
pub(super) fn too_long(length: u64) -> RowProblem {
    RowProblem::new(
        RowCode::LineTooLong,
        "",
        format!("the line has {length} bytes, at most 1048576 (1 MiB) are read"),
    )
    .hint("check for a missing line end, or split the row")
}

/// The problem of a line that is no text.
pub(super) fn not_text(raw: &[u8]) -> RowProblem {
    RowProblem::new(RowCode::InvalidUtf8, "", "the line is not text in the declared encoding")
        .value(&String::from_utf8_lossy(raw))
        .hint("save the file as UTF-8, or say encoding = \"windows-1252\" in the mapping")
}

/// The text of a line for people: as the mark at the file's start says, UTF-8, else Windows-1252, else with
/// marks where it is neither.
#[must_use]
pub fn shown<'a>(start: &[u8], line: &'a [u8]) -> Cow<'a, str> {
    utf16::shown(start, line)
        .or_else(|| text::utf8(line))
        .or_else(|| text::windows_1252(line))
        .unwrap_or_else(|| String::from_utf8_lossy(line))
}

/// Whether a row's first cell says that it sums others up.
pub(super) fn sums_up(first: &str, footer: &[String]) -> bool {
    let footed = |word: &str| {
        first.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && first.get(word.len()..).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    footer.iter().any(|word| footed(word)) || is_total(first)
}

/// A row that sums others up, or has another number of cells than the header.
fn misshapen(cells: &Cells<'_>, columns: usize, footer: &[String]) -> Option<RowProblem> {
    let first = cells.texts.iter().find(|cell| !cell.is_empty()).map_or("", |cell| cell.as_ref());
    if sums_up(first, footer) {
        return Some(
            RowProblem::new(
                RowCode::LooksLikeTotal,
                "",
                "the row sums others up, so it is listed and not counted",
            )
            .value(first)
            .hint("leave it out; if it is a row of its own, give its first cell another name"),
        );
    }
    let given = cells.texts.len();
    let surplus = cells.texts.get(columns..).unwrap_or_default();
    let fits = given >= columns && surplus.iter().all(|cell| cell.is_empty());
    (!fits).then(|| {
        let hint = if given < columns {
            "complete the row: it seems to be cut"
        } else {
            "name every column in the header; in CSV, put a cell that holds the delimiter in quotes"
        };
        RowProblem::new(
            RowCode::MalformedRow,
            "",
            format!("the row has {given} cells, the header has {columns}"),
        )
        .value(&cells.texts.join(","))
        .hint(hint)
    })
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wide_tests;
