//! `…/segments`: rows that were committed together, and the proof that the log holds them.

use axum::extract::{Path, State};
use envora_api::listing::Page;
use envora_api::segments::{Segment, SegmentProof};
use envora_domain::access::Grant;
use envora_domain::access::actions::{ReadActivities, ReadAudit};
use envora_domain::id::SegmentId;
use envora_ingest::stored::{Narrowed, Question};
use envora_ingest::tenant::TenantParts;
use envora_ingest::trace::prove_segment;
use envora_store::segments::{self as store, segment_by_id, segment_totals, segments_from};

use super::activities::{nouns_are_known, question};
use super::footprints::blocking;
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::cursors::{self, Place, Walk};
use crate::listing::{Cut, Total};
use crate::openapi::Shape;
use crate::params::{Params, refused};
use crate::refusals::Refusal;
use crate::routes::Route;

const ALL: &str = "/v2/organizations/{org_id}/segments";
const ONE: &str = "/v2/organizations/{org_id}/segments/{segment_id}";
const PROOF: &str = "/v2/organizations/{org_id}/segments/{segment_id}/proof";
const KNOWN: &[&str] =
    &["limit", "cursor", "from", "to", "import_id", "after_seq", "fields", "include"];
/// Lines of the manifest that are read together.
const SEGMENTS_AT_ONCE: u32 = 1_000;
/// Lines of the manifest that one page looks at; it may then be short and still lead on.
const LOOKED_AT_A_PAGE: usize = 10_000;
/// Lines of the manifest that are looked at to count those of a narrowed list.
const COUNTED_MAX: u64 = 100_000;
/// As so many lines counts a segment that is opened and then left out.
const OPENED_COUNTS_AS: u16 = 400;
/// The largest place of the log that can be asked for.
const SEQ_MAX: u64 = (1 << 62) - 1;

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadActivities, _, _>(ALL, list)
            .says("Lists the segments in which rows are stored, oldest commit first.")
            .asks(&[
                ("limit", "How many at most, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("from", "Only those that may hold a row that lasts into this day, or later."),
                ("to", "Only those that may hold a row that begins before this day."),
                ("import_id", "Only those with rows of this import."),
                ("after_seq", "Only those committed after this entry of the log: what is new since."),
                ("fields", "Only these fields of each, separated by commas."),
                ("include", "`total`: count them; narrowed, up to 100,000 are looked at, and total_is then says at_least."),
            ])
            .gives(200, Shape::page::<Segment>()),
        Route::get::<ReadActivities, _, _>(ONE, read)
            .says("Reads a segment: how many rows, under which root, in which entry of the log.")
            .gives(200, Shape::one::<Segment>()),
        Route::get::<ReadAudit, _, _>(PROOF, proof)
            .says("Proves that the log holds a segment, and of a row that the segment holds it.")
            .asks(&[("row", "A row, from 0: the way of its run of 256 rows to the root too.")])
            .gives(200, Shape::one::<SegmentProof>()),
    ]
}

/// Which page of the list.
struct Wanted {
    question: Question,
    limit: usize,
    from: u64,
    /// Counted from this place in the log on, if it is asked for.
    counted_from: Option<u64>,
}

/// A page of the list, where the next one begins, and how many there are.
type Listed = (Vec<Segment>, Option<u64>, Option<Total>);

async fn list(State(app): State<App>, allowed: Allowed<ReadActivities>, params: Params) -> Answer {
    params.only(KNOWN)?;
    let cut = Cut::of::<Segment>(&params)?;
    let (parts, grant, now) = (allowed.tenant.parts().clone(), allowed.grant, app.clock().now());
    let walk = Walk { route: ALL, params: &params };
    let first = params.integer("after_seq")?.map_or(0, |seq| seq.min(SEQ_MAX) + 1);
    let from = cursors::decode(&parts.keys, walk, now)?.map_or(first, |place| place.seq);
    let counted_from = cut.total.then_some(first);
    let wanted =
        Wanted { question: question(&params)?, limit: params.limit()?, from, counted_from };
    nouns_are_known(&app, &parts, &wanted.question).await?;
    let asked = parts.clone();
    let (data, next, total) = blocking(&app, move || Ok(page(&asked, grant, wanted)?)).await?;
    let place = |seq| Place { after: String::new(), seq };
    let next_cursor = next.map(|seq| cursors::encode(&parts.keys, walk, place(seq), now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(ALL), &params, cursor));
    Ok(cut.page_counted(&Page { data, next_cursor }, total)?.next(next.as_deref()))
}

fn page(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    wanted: Wanted,
) -> anyhow::Result<Listed> {
    let all = wanted.question.is_all();
    let narrowed = Narrowed::of_rows(parts, wanted.question)?;
    let total = match wanted.counted_from {
        None => None,
        Some(0) if all => {
            let totals = parts.db.read_blocking(move |rd| segment_totals(rd, &grant))?;
            Some(Total { items: totals.segments, is_exact: true })
        }
        Some(from) => Some(count(parts, grant, (&narrowed, from))?),
    };
    let (mut data, mut looked_at, mut from) = (Vec::new(), 0, wanted.from);
    loop {
        let found =
            parts.db.read_blocking(move |rd| segments_from(rd, &grant, from, SEGMENTS_AT_ONCE))?;
        if found.is_empty() {
            return Ok((data, None, total));
        }
        for segment in found {
            let held = narrowed.reaches(&segment)?;
            let opened_in_vain = !held && narrowed.may_hold(&segment);
            if looked_at >= LOOKED_AT_A_PAGE || (held && data.len() == wanted.limit) {
                return Ok((data, Some(segment.seq), total));
            }
            looked_at += if opened_in_vain { usize::from(OPENED_COUNTS_AS) } else { 1 };
            from = segment.seq + 1;
            if held {
                data.push(wire(segment));
            }
        }
    }
}

fn count(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    (narrowed, mut from): (&Narrowed<'_>, u64),
) -> anyhow::Result<Total> {
    let (mut items, mut looked_at) = (0, 0_u64);
    while looked_at < COUNTED_MAX {
        let found =
            parts.db.read_blocking(move |rd| segments_from(rd, &grant, from, SEGMENTS_AT_ONCE))?;
        let Some(last) = found.last() else { return Ok(Total { items, is_exact: true }) };
        from = last.seq + 1;
        looked_at += found.len() as u64;
        for segment in &found {
            if narrowed.reaches(segment)? {
                items += 1;
            } else if narrowed.may_hold(segment) {
                looked_at += u64::from(OPENED_COUNTS_AS);
            }
        }
    }
    Ok(Total { items, is_exact: false })
}

async fn read(
    allowed: Allowed<ReadActivities>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    Reply::ok(&wire(found(allowed.tenant.parts(), allowed.grant, &id).await?))
}

async fn proof(
    State(app): State<App>,
    allowed: Allowed<ReadAudit>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["row"])?;
    let row = params.integer("row")?.map(|row| u32::try_from(row).unwrap_or(u32::MAX));
    let (parts, grant) = (allowed.tenant.parts().clone(), allowed.grant);
    let segment = found(&parts, allowed.also::<ReadActivities>()?, &id).await?;
    if row.is_some_and(|row| row >= segment.rows) {
        let last = segment.rows.saturating_sub(1);
        return Err(refused("row", format!("The rows of this segment are 0 to {last}.")).into());
    }
    let proven = blocking(&app, move || prove_segment(&parts, &grant, (&segment, row)));
    Reply::ok(&proven.await?)
}

async fn found(
    parts: &TenantParts,
    grant: Grant<ReadActivities>,
    id: &str,
) -> Result<store::Segment, Refusal> {
    let id = SegmentId::parse(id).map_err(|_| nothing_here())?;
    let found = parts.db.read(move |rd| segment_by_id(rd, &grant, id)).await?;
    Ok(found.ok_or_else(nothing_here)?)
}

fn wire(segment: store::Segment) -> Segment {
    Segment {
        id: segment.id,
        seq: segment.seq,
        committed_at: segment.committed_at,
        rows: segment.rows,
        root: segment.root.hex(),
        first_start: segment.start_min,
        last_start: segment.start_max,
        import_id: segment.import,
        bytes: segment.length,
        key_version: segment.key_version,
        epoch: segment.epoch,
    }
}
