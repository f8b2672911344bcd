//! The manifest of segments: the truth about what was committed and where its bytes are.

use envora_domain::access::{
    Grant,
    actions::{ReadActivities, WriteActivities},
};
use envora_domain::hash::Digest;
use envora_domain::id::{ImportId, SegmentId};
use envora_domain::ports::Place;
use envora_domain::time::Timestamp;
use envora_ledger::leaf::{Ack, Deed};

use crate::audit::{LeafDraft, audit_append};
use crate::row::Row;
use crate::statement::statements;
use crate::transaction::{TenantReader, TenantTx};
use crate::value::Value;
use crate::writer::Landed;

statements! {
    SEGMENT_ROWS_FROM = "SELECT row_count FROM segment WHERE seq >= ?1";
    SEGMENT_ADD = "INSERT INTO segment (seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    SEGMENT_INLINE_ADD = "INSERT INTO segment_inline (seq, sealed) VALUES (?1, ?2)";
    SEGMENT_FINGERPRINTS_ADD = "INSERT INTO segment_fingerprints (seq, fingerprints)
        VALUES (?1, ?2)";
    SEGMENT_BY_ID = "SELECT seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at
        FROM segment WHERE segment_id = ?1";
    SEGMENT_BY_SEQ = "SELECT seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at
        FROM segment WHERE seq = ?1";
    SEGMENTS_FROM = "SELECT seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at
        FROM segment WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    SEGMENTS_LATEST = "SELECT seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at
        FROM segment WHERE seq >= ?1 AND seq < ?2 AND start_min <= ?3
            AND (start_max < ?4 OR (start_max = ?4 AND seq < ?5))
        ORDER BY start_max DESC, seq DESC LIMIT ?6";
    SEGMENTS_EARLIEST = "SELECT seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at
        FROM segment WHERE seq >= ?1 AND seq < ?2 AND start_max >= ?3
            AND (start_min > ?4 OR (start_min = ?4 AND seq > ?5))
        ORDER BY start_min, seq LIMIT ?6";
    SEGMENTS_WITHIN = "SELECT seq, segment_id, epoch, row_count, place, path, byte_offset,
            byte_length, root, key_version, start_min, start_max, import_id, committed_at
        FROM segment WHERE seq >= ?1 AND seq < ?2 AND start_max >= ?3 AND start_min < ?4
        ORDER BY seq LIMIT ?5";
    SEGMENTS_OF_IMPORT = "SELECT segment_id FROM segment WHERE import_id = ?1 ORDER BY seq";
    SEGMENT_INLINE = "SELECT sealed FROM segment_inline WHERE seq = ?1";
    SEGMENT_FINGERPRINTS = "SELECT fingerprints FROM segment_fingerprints WHERE seq = ?1";
    SEGMENT_FINGERPRINTS_FROM = "SELECT f.seq, s.segment_id, f.fingerprints
        FROM segment_fingerprints f JOIN segment s ON s.seq = f.seq
        WHERE f.seq >= ?1 ORDER BY f.seq LIMIT ?2";
    SEGMENT_TOTALS = "SELECT count(*), COALESCE(max(seq), -1) FROM segment";
}

/// A segment to be committed.
#[derive(Clone, Debug)]
pub struct NewSegment<'a> {
    /// Its frame and where that landed; inline bytes are stored here.
    pub landed: &'a Landed,
    /// How many rows.
    pub rows: u32,
    /// RFC 6962 root over runs of 256 rows.
    pub root: Digest,
    /// The version of the key that sealed it.
    pub key_version: u32,
    /// The earliest start of a row.
    pub start_min: Timestamp,
    /// The latest start of a row.
    pub start_max: Timestamp,
    /// The import that it came with, if any.
    pub import: Option<ImportId>,
    /// Eight bytes per row: keyed fingerprints of external ids, zeros for none.
    pub fingerprints: &'a [u8],
    /// The database's epoch.
    pub epoch: u64,
}

/// A row of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The index of its leaf.
    pub seq: u64,
    /// Its id.
    pub id: SegmentId,
    /// The epoch in which it was committed.
    pub epoch: u64,
    /// How many rows.
    pub rows: u32,
    /// Where its bytes are.
    pub place: Place,
    /// Where in the file they begin.
    pub offset: u64,
    /// How many bytes.
    pub length: u64,
    /// RFC 6962 root over runs of 256 rows.
    pub root: Digest,
    /// The version of the key that sealed it.
    pub key_version: u32,
    /// The earliest start of a row.
    pub start_min: Timestamp,
    /// The latest start of a row.
    pub start_max: Timestamp,
    /// The import that it came with, if any.
    pub import: Option<ImportId>,
    /// When it was committed.
    pub committed_at: Timestamp,
}

/// The fingerprints of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFingerprints {
    /// The segment's seq.
    pub seq: u64,
    /// The segment.
    pub segment: SegmentId,
    /// Eight bytes per row.
    pub fingerprints: Vec<u8>,
}

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentTotals {
    /// How many segments.
    pub segments: u64,
    /// The seq of the last, if there is one.
    pub last: Option<u64>,
}

/// Adds a segment with its leaf; returns its seq.
///
/// # Errors
/// The database's.
pub fn segment_add(
    tx: &mut TenantTx,
    grant: &Grant<WriteActivities>,
    new: &NewSegment<'_>,
    now: Timestamp,
) -> anyhow::Result<u64> {
    tx.allow(grant)?;
    let draft = LeafDraft {
        deed: Deed::Segment,
        object: new.landed.frame.segment.bytes(),
        digest: new.root,
        count: Some(u64::from(new.rows)),
        ack: Some(Ack::Local),
        epoch: Some(new.epoch),
        actor: Some(grant.actor()),
    };
    let seq = audit_append(tx, &draft, now)?;
    let sealed = &new.landed.frame.sealed;
    let (place, path, length) = match &new.landed.place {
        Place::Inline => ("inline", "", u64::try_from(sealed.len())?),
        Place::File { path, length } => ("file", path.as_str(), *length),
    };
    tx.execute_one(
        SEGMENT_ADD,
        &[
            seq.into(),
            new.landed.frame.segment.into(),
            new.epoch.into(),
            new.rows.into(),
            place.into(),
            path.into(),
            Value::Int(0),
            length.into(),
            new.root.into(),
            new.key_version.into(),
            new.start_min.into(),
            new.start_max.into(),
            Value::id_or_empty(new.import),
            now.into(),
        ],
    )?;
    if new.landed.place == Place::Inline {
        tx.execute_one(SEGMENT_INLINE_ADD, &[seq.into(), sealed.into()])?;
    }
    tx.execute_one(SEGMENT_FINGERPRINTS_ADD, &[seq.into(), new.fingerprints.into()])?;
    Ok(seq)
}

fn segment(row: &mut Row<'_>) -> anyhow::Result<Segment> {
    let (seq, id, epoch, rows) = (row.count()?, row.id()?, row.count()?, row.small()?);
    let (place, path) = (row.text()?, row.text()?);
    let (offset, length) = (row.count()?, row.count()?);
    let place = match place.as_str() {
        "inline" => Place::Inline,
        "file" => Place::File { path, length },
        other => anyhow::bail!("a segment lies in a place this program does not know: {other}"),
    };
    Ok(Segment {
        seq,
        id,
        epoch,
        rows,
        place,
        offset,
        length,
        root: row.digest()?,
        key_version: row.small()?,
        start_min: row.timestamp()?,
        start_max: row.timestamp()?,
        import: row.id_or_empty()?,
        committed_at: row.timestamp()?,
    })
}

/// The segment of this id.
///
/// # Errors
/// The database's.
pub fn segment_by_id(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    id: SegmentId,
) -> anyhow::Result<Option<Segment>> {
    rd.allow(grant)?;
    rd.first(SEGMENT_BY_ID, &[id.into()], segment)
}

/// The segment of this seq.
///
/// # Errors
/// The database's.
pub fn segment_by_seq(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    seq: u64,
) -> anyhow::Result<Option<Segment>> {
    rd.allow(grant)?;
    rd.first(SEGMENT_BY_SEQ, &[seq.into()], segment)
}

/// Which segments are wanted: of these places in the log, with rows that start in this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Within {
    /// The places in the log.
    pub seqs: core::ops::Range<u64>,
    /// From when the last row starts until before when the first one does.
    pub starts: core::ops::Range<Timestamp>,
    /// How many at most.
    pub limit: u32,
}

/// Segments of some places in the log and some time, in the order of the log.
///
/// # Errors
/// The database's.
pub fn segments_within(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    wanted: &Within,
) -> anyhow::Result<Vec<Segment>> {
    rd.allow(grant)?;
    let Within { seqs, starts, limit } = wanted;
    let values = [
        seqs.start.into(),
        seqs.end.into(),
        starts.start.into(),
        starts.end.into(),
        (*limit).into(),
    ];
    rd.all(SEGMENTS_WITHIN, &values, segment)
}

/// At most `limit` segments from this seq on, in its order.
///
/// # Errors
/// The database's.
pub fn segments_from(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    from: u64,
    limit: u32,
) -> anyhow::Result<Vec<Segment>> {
    rd.allow(grant)?;
    rd.all(SEGMENTS_FROM, &[from.into(), limit.into()], segment)
}

/// In which order of their start rows are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The earliest start first.
    Earliest,
    /// The latest start first.
    Latest,
}

/// Which segments of a walk by start are next.
#[derive(Clone, Debug)]
pub struct ByStart {
    /// In which order: by their earliest start, or by their latest one.
    pub order: Order,
    /// Those of these places in the log.
    pub seqs: core::ops::Range<u64>,
    /// Only those with a row that starts there or lies further on in the walk.
    pub reach: Option<Timestamp>,
    /// Beyond this segment.
    pub beyond: Option<(Timestamp, u64)>,
    /// How many.
    pub limit: u32,
}

/// Segments in the order of their earliest or latest start.
///
/// # Errors
/// The database's.
pub fn segments_by_start(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    wanted: &ByStart,
) -> anyhow::Result<Vec<Segment>> {
    rd.allow(grant)?;
    let (sql, first, last) = match wanted.order {
        Order::Latest => (SEGMENTS_LATEST, i64::MAX, i64::MAX),
        Order::Earliest => (SEGMENTS_EARLIEST, i64::MIN, i64::MIN),
    };
    let reach = wanted.reach.map_or(last, Timestamp::as_micros);
    let (start, seq) = match wanted.beyond {
        Some((start, seq)) => (start.as_micros(), i64::try_from(seq)?),
        None => (first, first),
    };
    let (from, to) = (wanted.seqs.start, wanted.seqs.end);
    let limit = wanted.limit.into();
    rd.all(sql, &[from.into(), to.into(), reach.into(), start.into(), seq.into(), limit], segment)
}

/// The segments that hold the rows of an import, in their order.
///
/// # Errors
/// The database's.
pub fn segments_of_import(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    import: ImportId,
) -> anyhow::Result<Vec<SegmentId>> {
    rd.allow(grant)?;
    rd.all(SEGMENTS_OF_IMPORT, &[import.into()], |row| row.id())
}

/// The sealed bytes of an inline segment.
///
/// # Errors
/// The database's.
pub fn segment_inline(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    seq: u64,
) -> anyhow::Result<Option<Vec<u8>>> {
    rd.allow(grant)?;
    rd.first(SEGMENT_INLINE, &[seq.into()], |row| row.blob())
}

/// The fingerprints of one segment's rows.
///
/// # Errors
/// The database's.
pub fn segment_fingerprints(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    seq: u64,
) -> anyhow::Result<Option<Vec<u8>>> {
    rd.allow(grant)?;
    rd.first(SEGMENT_FINGERPRINTS, &[seq.into()], |row| row.blob())
}

/// The fingerprints of at most `limit` segments from this seq on: how the table in memory is rebuilt.
///
/// # Errors
/// The database's.
pub fn segment_fingerprints_from(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    from: u64,
    limit: u32,
) -> anyhow::Result<Vec<SegmentFingerprints>> {
    rd.allow(grant)?;
    rd.all(SEGMENT_FINGERPRINTS_FROM, &[from.into(), limit.into()], |row| {
        Ok(SegmentFingerprints { seq: row.count()?, segment: row.id()?, fingerprints: row.blob()? })
    })
}

/// How many segments there are, and the last one's seq.
///
/// # Errors
/// The database's.
pub fn segment_totals(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
) -> anyhow::Result<SegmentTotals> {
    rd.allow(grant)?;
    rd.one(SEGMENT_TOTALS, &[], |row| {
        Ok(SegmentTotals { segments: row.count()?, last: u64::try_from(row.int()?).ok() })
    })
}

/// How many rows the segments from a place in the log on hold.
///
/// # Errors
/// The database's.
pub fn segment_rows_from(
    rd: &mut TenantReader,
    grant: &Grant<ReadActivities>,
    seq: u64,
) -> anyhow::Result<u64> {
    rd.allow(grant)?;
    Ok(rd.all(SEGMENT_ROWS_FROM, &[seq.into()], |row| row.count())?.into_iter().sum())
}
