//! Records whose words were judged before: of them only the cells are read that change from row to
//! row. What a mapping or a cell asks beyond that is left to [`Plan::half`], which can do all of it.

use std::borrow::Cow;

use envora_domain::activities::local::{self, Local};
use envora_domain::activities::{Activity, Period, Ref};
use envora_domain::decimal::Decimal;
use envora_domain::id::Kind;
use envora_domain::time::LocalTime;

use super::super::RowPlace;
use super::super::known::{Fresh, Known, Named, Tiers};
use super::super::records::Record;
use super::timing::{build, noted};
use super::{BlockPlan, FieldPlan, Hours, Marks, PeriodPlan, Plan, Point, Take, Times};
use crate::clocks::{ClockBook, Clocks};
use crate::fields::{Field, UNSAID, series_of};
use crate::formats::held::{Arrival, Of, Side};
use crate::mapping::times::{Moment, read_iso};
use crate::mapping::{Encoding, FileStyle};
use crate::rows::ParsedRow;

/// Most columns of labels of a block that is read here.
const TAGS_MAX: usize = 16;

/// What is new in a row, and the place of its rule among the block's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Quantity,
    ExternalId,
    Facility,
    Source,
    Supplier,
    Entity,
    Note,
    Tag,
}

/// A block whose rows are read here.
struct Lane {
    /// The columns of its words.
    words: Vec<usize>,
    /// What is new in each row, by the place of its rule among the block's.
    parts: Vec<(Part, usize)>,
}

/// Whether a row waits in the queue for those after it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Waits {
    Yes,
    No,
}

/// What a look at a record gives.
pub(in super::super) enum Look {
    /// The row is in this place, and of this block.
    Known(usize, usize),
    /// It is a row of this block, with words that are not known yet.
    New(usize),
    /// It is not to be read here.
    Aside,
}

/// Reads records whose words are known.
pub(in super::super) struct Quick {
    lanes: Vec<Lane>,
    columns: usize,
    known: Known,
    /// The words of the record that was looked at last.
    words: Vec<u8>,
    clocks: ClockBook,
    /// Whose the times on the wall are that were looked at last.
    of: Of,
    pub(in super::super) tiers: Tiers,
}

impl Quick {
    /// For a mapping laid over a header, where all its blocks are plain enough.
    pub(in super::super) fn of(plan: &Plan, clocks: &Clocks) -> Option<Self> {
        if !plan.intervals.is_empty() || plan.marks == Marks::Yes {
            return None;
        }
        let lanes = plan.blocks.iter().map(Lane::of).collect::<Option<Vec<_>>>()?;
        let (known, words, tiers) = Default::default();
        let clocks = ClockBook::new(clocks.clone());
        let of = Of::Clock;
        Some(Self { lanes, columns: plan.columns, known, words, clocks, of, tiers })
    }

    /// The row in a place.
    pub(in super::super) fn row(&self, slot: usize) -> Option<&ParsedRow> {
        self.known.row(slot)
    }

    /// The words of the record that was looked at last.
    pub(in super::super) fn words(&self) -> Box<[u8]> {
        self.words.as_slice().into()
    }

    /// Takes note of a row that was read with all care.
    pub(in super::super) fn learn(&mut self, words: &[u8], row: &ParsedRow) {
        self.known.learn(words, row);
    }

    /// Looks at a record: its row, if its words are known and all else of it is in order.
    pub(in super::super) fn look(
        &mut self,
        (plan, style): (&Plan, &FileStyle),
        record: &Record<'_>,
        place: RowPlace,
    ) -> Look {
        let cut = Cut(record);
        let Some(block) = self.block((plan, style), &cut) else { return Look::Aside };
        let (Some(lane), Some(own)) = (self.lanes.get(block), plan.blocks.get(block)) else {
            return Look::Aside;
        };
        self.words.clear();
        if lane.put_words(&mut self.words, (block, own), (&cut, &plan.null)).is_none() {
            return Look::Aside;
        }
        let Some(slot) = self.known.find(&self.words) else { return Look::New(block) };
        let mut tags = [("", ""); TAGS_MAX];
        let Some(mut fresh) = lane.fresh(own, (&cut, &plan.null), &mut tags) else {
            return Look::Aside;
        };
        let clock = match (self.known.zone(slot), self.known.row(slot)) {
            (None, Some(row)) if self.clocks.are_known() => {
                let Ok(before) = &row.activity else { return Look::Aside };
                let source = word(fresh.source.as_ref(), before.source.as_ref());
                let facility = word(fresh.facility.as_ref(), before.facility.as_ref());
                self.clocks.of(&source, &facility)
            }
            (None | Some(_), _) => None,
        };
        let hours = match (self.known.zone(slot), &clock) {
            (Some(zone), _) => Hours::Own(zone),
            (None, Some(clock)) => Hours::At(clock),
            (None, None) => Hours::Nowhere,
        };
        let Times::One(Some(period)) = &own.times else { return Look::Aside };
        match period.of_cells((&cut, &plan.null), hours) {
            Some(times) => (fresh.period, fresh.local) = times,
            None => return Look::Aside,
        }
        let open = matches!(hours, Hours::Nowhere) && self.clocks.are_known();
        let wall = matches!(fresh.period, Period::WallClock { .. });
        self.of = if open && wall { Of::Nobody } else { Of::Clock };
        match self.known.renew(slot, &fresh, place) {
            Some(()) => Look::Known(slot, block),
            None => Look::Aside,
        }
    }

    /// What the queue must know of the row in a place, and whether the row has to wait in it.
    pub(in super::super) fn arrival(
        &self,
        slot: usize,
        (number, plan): (usize, &BlockPlan),
    ) -> (Option<Arrival>, Waits) {
        let Some(Ok(activity)) = self.known.row(slot).map(|row| &row.activity) else {
            return (None, Waits::No);
        };
        let limit = plan.block.zero_run_missing;
        let wall = matches!(activity.period, Period::WallClock { .. });
        let local = activity.time_zone.as_deref().is_some_and(|zone| zone != "UTC")
            || wall && self.clocks.are_known();
        if limit.is_none() && !local {
            return (None, Waits::No);
        }
        // A run of zeros may be a gap: how long it is, the queue finds out.
        let zero = activity.quantity.is_zero();
        let length = zero.then(|| activity.period.nominal_length());
        let open = self.of == Of::Nobody;
        let waits = if limit.is_some() && zero || open { Waits::Yes } else { Waits::No };
        let twice = if open { walls(activity) } else { Vec::new() };
        let (series, of) = ((number, series_of(activity)), self.of);
        (
            Some(Arrival {
                series,
                twice,
                of,
                day: None,
                zero: limit.map(|limit| (length, limit)),
            }),
            waits,
        )
    }

    /// Whether the row that was looked at last may be of an hour that comes twice.
    pub(in super::super) fn is_open(&self) -> bool {
        self.of == Of::Nobody
    }

    /// Whether the row in a place is of nothing.
    pub(in super::super) fn is_zero(&self, slot: usize) -> bool {
        let activity = self.known.row(slot).map(|row| &row.activity);
        matches!(activity, Some(Ok(activity)) if activity.quantity.is_zero())
    }

    /// The activity in a place, to be given its id.
    pub(in super::super) fn activity(&mut self, slot: usize) -> Option<&mut Activity> {
        self.tiers.fast += 1;
        self.known.activity(slot)
    }

    /// The only block that takes a record, unless something is amiss with the record itself.
    fn block(&self, (plan, style): (&Plan, &FileStyle), cut: &Cut<'_>) -> Option<usize> {
        let record = cut.0;
        let text = match style.encoding {
            Encoding::Utf8 => simdutf8::basic::from_utf8(record.raw).is_ok(),
            Encoding::Windows1252 => record.raw.is_ascii(),
        };
        if !text || record.fault.is_some() || record.len() != self.columns {
            return None;
        }
        let mut first = "";
        for column in 0..self.columns {
            first = cut.cell(column)?;
            if !first.is_empty() {
                break;
            }
        }
        let takes = |(column, test): &(usize, super::Test)| {
            cut.cell(*column).is_some_and(|cell| test.takes(cell))
        };
        if super::super::csv::sums_up(first, &style.footer) || plan.skip_if.iter().any(takes) {
            return None;
        }
        let mut blocks = plan.blocks.iter().enumerate();
        let taken = |(_, own): &(usize, &BlockPlan)| own.when.as_ref().is_none_or(takes);
        let (block, _) = blocks.by_ref().find(taken)?;
        blocks.find(taken).is_none().then_some(block)
    }
}

impl Lane {
    /// The lane of a block, where each column feeds one field and its times are given in one way.
    fn of(plan: &BlockPlan) -> Option<Self> {
        let Times::One(Some(period)) = &plan.times else { return None };
        if !period.parts().all(|own| own.only().is_some()) {
            return None;
        }
        let mut lane = Self { words: Vec::new(), parts: Vec::new() };
        for (number, own) in plan.fields.iter().enumerate() {
            let Take::Cells(cells) = &own.take else { continue };
            let part = match &own.field {
                Field::Quantity => Part::Quantity,
                Field::ExternalId => Part::ExternalId,
                Field::FacilityCode => Part::Facility,
                Field::SourceCode => Part::Source,
                Field::SupplierCode => Part::Supplier,
                Field::EntityCode => Part::Entity,
                Field::Note => Part::Note,
                Field::Tag(_) => Part::Tag,
                Field::Supersedes
                | Field::SupersedeReason
                | Field::Void
                | Field::Instruments
                | Field::Evidence => return None,
                other if other.is_decimal() => return None,
                _ => {
                    lane.words.extend(cells);
                    continue;
                }
            };
            own.only()?;
            lane.parts.push((part, number));
        }
        let tags = lane.parts.iter().filter(|(part, _)| *part == Part::Tag).count();
        (tags <= TAGS_MAX).then_some(lane)
    }

    /// Which block it is, the cells of its words, and which of the other fields the record gives.
    fn put_words(
        &self,
        words: &mut Vec<u8>,
        (number, plan): (usize, &BlockPlan),
        (cut, null): (&Cut<'_>, &[String]),
    ) -> Option<()> {
        words.extend(number.to_le_bytes());
        for column in &self.words {
            let cell = cut.cell(*column)?;
            words.extend(u16::try_from(cell.len()).ok()?.to_le_bytes());
            words.extend_from_slice(cell.as_bytes());
        }
        for (_, rule) in &self.parts {
            words.push(u8::from(plan.fields.get(*rule)?.cell(cut, null)?.is_some()));
        }
        Some(())
    }

    /// What is new but the times; nothing when a cell is not what its field needs.
    fn fresh<'a>(
        &self,
        plan: &'a BlockPlan,
        (cut, null): (&Cut<'a>, &[String]),
        tags: &'a mut [(&'a str, &'a str); TAGS_MAX],
    ) -> Option<Fresh<'a>> {
        let mut fresh = Fresh {
            external_id: None,
            quantity: None,
            period: UNSAID,
            local: Local::default(),
            facility: None,
            source: None,
            supplier: None,
            entity: None,
            note: None,
            tags: &[],
        };
        let mut tag_count = 0;
        for (part, number) in &self.parts {
            let own = plan.fields.get(*number)?;
            let cell = own.cell(cut, null)?;
            match part {
                Part::Quantity => fresh.quantity = Some(own.quantity(cell?)?),
                Part::ExternalId => fresh.external_id = cell,
                Part::Facility => fresh.facility = cell.map(Named::Code),
                Part::Source => fresh.source = cell.map(Named::Code),
                Part::Supplier => fresh.supplier = cell,
                Part::Entity => fresh.entity = cell,
                Part::Note => fresh.note = cell,
                Part::Tag => {
                    if let (Field::Tag(name), Some(value)) = (&own.field, cell) {
                        *tags.get_mut(tag_count)? = (name, value);
                        tag_count += 1;
                    }
                }
            }
        }
        fresh.tags = tags.get(..tag_count)?;
        Some(fresh)
    }
}

/// The cells of a record, looked at where they are.
struct Cut<'a>(&'a Record<'a>);

impl<'a> Cut<'a> {
    /// A cell without the blanks around it; nothing when it is no text.
    fn cell(&self, column: usize) -> Option<&'a str> {
        let cell = core::str::from_utf8(self.0.cell(column)?).ok()?;
        Some(cell.trim_matches([' ', '\t']))
    }
}

impl FieldPlan {
    /// The only column it is made of.
    fn only(&self) -> Option<usize> {
        match &self.take {
            Take::Cells(cells) => match cells.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            Take::Fixed(_) => None,
        }
    }

    /// What its only cell says after `null` and `map`.
    #[expect(clippy::option_option, reason = "a cell that says nothing, and one that is no text")]
    fn cell<'a>(&'a self, cut: &Cut<'a>, null: &[String]) -> Option<Option<&'a str>> {
        let cell = cut.cell(self.only()?)?;
        Some(match self.rule.read(Cow::Borrowed(cell), null) {
            Some(Cow::Borrowed(text)) => Some(text),
            Some(Cow::Owned(_)) | None => None,
        })
    }

    fn quantity(&self, cell: &str) -> Option<Decimal> {
        let plain = self.rule.number.unwrap_or_default().plain(cell).ok()?;
        let value = Decimal::parse(&plain).ok()?;
        match self.rule.scale {
            Some(scale) => scale.times(value).ok(),
            None => Some(value),
        }
    }
}

impl PeriodPlan {
    /// The period and what is to be noted of it; nothing where that takes more than the cells.
    fn of_cells(
        &self,
        (cut, null): (&Cut<'_>, &[String]),
        hours: Hours<'_>,
    ) -> Option<(Period, Local)> {
        let point = |own: &FieldPlan| {
            let text = own.cell(cut, null)??;
            let moment = match &own.rule.format {
                Some(format) => format.read(text),
                None => read_iso(text),
            };
            let wall = match self.kind.fit(moment?) {
                Moment::Day(day) => return Some(Point::Day(day)),
                Moment::Instant(at) => return Some(Point::At(at)),
                Moment::Wall(wall) => wall,
            };
            if !wall.is_kept() {
                return None;
            }
            match hours {
                Hours::Nowhere => Some(Point::Wall(wall)),
                Hours::Own(zone) => match zone.resolve(wall) {
                    LocalTime::Once(at) => Some(Point::At(at)),
                    LocalTime::Twice(..) | LocalTime::Never => None,
                },
                Hours::At(clock) => match clock.zone.resolve(wall) {
                    LocalTime::Once(_) => Some(Point::Wall(wall)),
                    LocalTime::Twice(..) | LocalTime::Never => None,
                },
            }
        };
        let second = match &self.second {
            Some(second) => Some(point(second)?),
            None => None,
        };
        let first = point(&self.first)?;
        // What goes back on the wall takes more than the cells.
        let period = build(self.kind, first, second).filter(|period| !period.is_reversed())?;
        let local = match period {
            Period::WallClock { .. } => noted(self.kind, first, second),
            Period::Instant(_) | Period::Between(..) | Period::Days { .. } => Local::default(),
        };
        Some((period, local))
    }
}

/// The times on the wall that a row says, as the queue knows them: the only one, or the first of two.
fn walls(activity: &Activity) -> Vec<(Side, i64)> {
    let Period::WallClock { start, end } = activity.period else { return Vec::new() };
    let said = |side| activity.local.is_said(side);
    let start = said(local::Side::Start).then_some((Side::Start, start.as_micros()));
    let of_end = if start.is_some() { Side::End } else { Side::Start };
    let end = said(local::Side::End).then_some((of_end, end.as_micros()));
    start.into_iter().chain(end).collect()
}

/// How a row names a place: by what is new, else as the row before did.
fn word<'a, K: Kind>(new: Option<&Named<'a, K>>, before: Option<&'a Ref<K>>) -> Cow<'a, str> {
    match (new, before) {
        (Some(Named::Code(code)), _) => Cow::Borrowed(code),
        (None, Some(Ref::Code(code))) => Cow::Borrowed(code),
        (Some(Named::Id(id)), _) | (None, Some(Ref::Id(id))) => Cow::Owned(id.to_string()),
        (None, None) => Cow::Borrowed(""),
    }
}
