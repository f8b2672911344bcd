//! Stored rows, read back one by one or a segment at a time.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use envora_domain::activities::Activity;
use envora_domain::activities::canonical::{Decoder, RowDecodeError, rows};
use envora_domain::id::{ActivityId, SegmentId};
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

/// The stored activities of these ids; an id that names none is left out. Each segment is read once.
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
        let stream = parts.segment_stream(&segment).context("read rows back")?;
        pick(segment.id, &cut(&segment, &stream)?, &places, &mut found)?;
    }
    Ok(found)
}

/// Puts these of a segment's rows to the others that were found.
pub(crate) fn pick(
    segment: SegmentId,
    rows: &[&[u8]],
    places: &[(u32, ActivityId)],
    found: &mut HashMap<ActivityId, Activity>,
) -> Result<(), Damaged> {
    for (row, id) in places {
        if let Some(bytes) = usize::try_from(*row).ok().and_then(|row| rows.get(row)) {
            found.insert(*id, decode(segment, bytes)?);
        }
    }
    Ok(())
}
