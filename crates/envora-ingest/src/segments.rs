//! Stored rows, read back one by one or a segment at a time.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use envora_domain::activities::Activity;
use envora_domain::activities::canonical::{Decoder, RUN_ROWS, RowDecodeError, rows};
use envora_domain::id::{ActivityId, SegmentId};
use envora_lake::fsck::Opened;
use envora_ledger::slice::{SliceProof, run_proof};
use envora_store::segments::{Segment, segment_by_id};

use crate::tenant::{Damaged, TenantParts};

/// The activity in a canonical row of this segment.
pub(crate) fn decode(segment: SegmentId, row: &[u8]) -> Result<Activity, Damaged> {
    whole(segment, row, Activity::decode(row))
}

/// Activities of canonical rows, one after the other.
#[derive(Default)]
pub(crate) struct Rows {
    decoder: Decoder,
}

impl Rows {
    /// As [`decode`].
    pub(crate) fn decode(&mut self, segment: SegmentId, row: &[u8]) -> Result<Activity, Damaged> {
        whole(segment, row, self.decoder.decode(row))
    }
}

fn whole(
    segment: SegmentId,
    row: &[u8],
    decoded: Result<(Activity, usize), RowDecodeError>,
) -> Result<Activity, Damaged> {
    match decoded {
        Ok((activity, length)) if length == row.len() => Ok(activity),
        Ok(_) => Err(Damaged::new(segment.to_string(), "bytes follow a row")),
        Err(error) => Err(Damaged::new(segment.to_string(), error.to_string())),
    }
}

/// The rows of a segment's stream, cut apart.
pub(crate) fn cut<'a>(segment: &Segment, stream: &'a [u8]) -> Result<Vec<&'a [u8]>, Damaged> {
    let cut =
        rows(stream).map_err(|error| Damaged::new(segment.id.to_string(), error.to_string()))?;
    if cut.len() == usize::try_from(segment.rows).unwrap_or(usize::MAX) {
        Ok(cut)
    } else {
        Err(Damaged::new(segment.id.to_string(), "it has not the rows that its entry counts"))
    }
}

/// The stored activities of these ids; an id that names none is left out. Each segment is opened once, and
/// only the runs that hold them are unpacked.
///
/// # Errors
/// [`Damaged`] inside, or the database's.
pub fn activities(
    parts: &TenantParts,
    ids: impl IntoIterator<Item = ActivityId>,
) -> anyhow::Result<HashMap<ActivityId, Activity>> {
    let mut wanted: BTreeMap<SegmentId, Vec<(u32, ActivityId)>> = BTreeMap::new();
    for id in ids {
        let (segment, row) = id.place();
        wanted.entry(segment).or_default().push((row, id));
    }
    let mut found = HashMap::new();
    for (segment, places) in wanted {
        let grant = parts.own.read_activities;
        let Some(segment) = parts.read(move |rd| segment_by_id(rd, &grant, segment))? else {
            continue;
        };
        let opened = parts.opened_segment(&segment).context("read rows back")?;
        pick(&opened, places, &mut found)?;
    }
    Ok(found)
}

/// Puts these of a segment's rows to the others that were found; each run is unpacked once.
pub(crate) fn pick(
    opened: &OpenedSegment,
    mut places: Vec<(u32, ActivityId)>,
    found: &mut HashMap<ActivityId, Activity>,
) -> Result<(), Damaged> {
    places.sort_unstable_by_key(|(row, _)| *row);
    for places in places.chunk_by(|(one, _), (other, _)| run_of(*one) == run_of(*other)) {
        let Some((first, _)) = places.first() else { continue };
        if *first >= opened.rows {
            continue;
        }
        let run = opened.run(*first)?;
        let rows = opened.cut(&run)?;
        for (row, id) in places {
            if let Some(bytes) = rows.get(usize::try_from(*row).unwrap_or(usize::MAX) % RUN_ROWS) {
                found.insert(*id, decode(opened.id, bytes)?);
            }
        }
    }
    Ok(())
}

/// A segment of which some rows are wanted: opened, and unpacked as far as those are asked for.
pub(crate) struct OpenedSegment {
    id: SegmentId,
    rows: u32,
    runs: Opened,
}

impl OpenedSegment {
    pub(crate) fn new(id: SegmentId, rows: u32, runs: Opened) -> Self {
        Self { id, rows, runs }
    }

    /// The run of a row.
    fn run(&self, row: u32) -> Result<Vec<u8>, Damaged> {
        self.runs.run(run_of(row)).map_err(|fault| self.damaged(&fault))
    }

    fn cut<'r>(&self, run: &'r [u8]) -> Result<Vec<&'r [u8]>, Damaged> {
        rows(run).map_err(|error| self.damaged(&error))
    }

    /// A row.
    pub(crate) fn row(&self, row: u32) -> Result<Option<Activity>, Damaged> {
        let mut found = HashMap::new();
        let Some(id) = self.id.activity(row) else { return Ok(None) };
        pick(self, vec![(row, id)], &mut found)?;
        Ok(found.remove(&id))
    }

    /// The run that holds a row, with its way to the segment's root.
    pub(crate) fn slice(&self, row: u32) -> anyhow::Result<SliceProof> {
        let run = self.run(row)?;
        run_proof(run_of(row), self.runs.leaves(), run).context("prove the row")
    }

    fn damaged(&self, what: &dyn core::fmt::Display) -> Damaged {
        Damaged::new(self.id.to_string(), what.to_string())
    }
}

fn run_of(row: u32) -> usize {
    usize::try_from(row).unwrap_or(usize::MAX) / RUN_ROWS
}
