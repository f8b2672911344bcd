//! The trace of a figure: from the number down to bytes, factor and proof.

use std::collections::BTreeMap;

use envora_domain::id::{ActivityId, ImportId, RunId, SegmentId};
use envora_domain::time::Day;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::amounts::Amount;
use crate::footprints::Period;
use crate::listing::Page;

/// A figure, what it adds up from, and its lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trace {
    /// The figure, calculated again.
    pub figure: Amount,
    /// What its id says.
    pub query: FigureQuery,
    /// They add up exactly to the figure.
    pub parts: Vec<Part>,
    /// The lines, newest last.
    pub lines: Page<TraceLine>,
    /// `equal` when rows, factors and methods give the same digits again, else `differs`.
    #[schema(example = "equal")]
    pub replay: String,
}

/// What became of one activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivityTrace {
    /// The activity.
    #[schema(value_type = String)]
    pub activity: ActivityId,
    /// `counted`, `unresolved`, `superseded`, `voided`, or `pending` until it is calculated.
    #[schema(example = "counted")]
    pub state: String,
    /// Why it does not count, when it is unresolved.
    pub unresolved: Option<Unresolved>,
    /// Why it counts and has no lines: what it is emits nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "own generation emits through its fuel alone")]
    pub nothing: Option<String>,
    /// All its lines.
    pub lines: Vec<TraceLine>,
}

/// The figures that an activity is part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActivityFigures {
    /// The activity.
    #[schema(value_type = String)]
    pub activity: ActivityId,
    /// `counted`, `unresolved`, `superseded`, `voided`, or `pending` until it is calculated.
    #[schema(example = "counted")]
    pub state: String,
    /// Of which days the figures are.
    pub period: Period,
    /// The GWP set of every CO2e here.
    #[schema(example = "published")]
    pub gwp_set: String,
    /// The run that calculated it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Both totals, and their parts that the activity is in; none while it does not count.
    pub figures: Vec<TouchedFigure>,
}

/// The figures that a factor is part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorFigures {
    /// The factor.
    pub factor: String,
    /// How many activities of the period are calculated with it.
    pub activities: u64,
    /// Of which days the figures are.
    pub period: Period,
    /// The GWP set of every CO2e here.
    #[schema(example = "published")]
    pub gwp_set: String,
    /// The run that calculated it.
    #[schema(value_type = String)]
    pub run: RunId,
    /// Both totals, and their parts that lines of the factor are in.
    pub figures: Vec<TouchedFigure>,
}

/// A figure that an activity or a factor is part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TouchedFigure {
    /// What it is: a total, a scope, a month, a facility, a gas.
    #[schema(example = "Scope 2 (location-based)")]
    pub label: String,
    /// Its days.
    pub period: Period,
    /// What the activity, or the factor, adds to it, in kg, exact.
    #[schema(example = "72.014712")]
    pub part: String,
    /// The figure.
    pub figure: Amount,
}

/// Why an activity does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unresolved {
    /// The row code.
    #[schema(example = "unknown_facility")]
    pub code: String,
    /// What would help.
    pub remedy: String,
}

/// What a figure's id says: the question, pinned to a run and a sequence number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FigureQuery {
    /// `co2e`, `mass` or `count`.
    #[schema(example = "co2e")]
    pub measure: String,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub from: Day,
    /// The first day after.
    #[schema(value_type = String, format = Date)]
    pub to: Day,
    /// The scope, when it is about one.
    pub scope: Option<u8>,
    /// The category of scope 3, when it is about one.
    pub category: Option<u8>,
    /// `location` or `market`, when it is about one.
    pub market: Option<String>,
    /// The gas, when it is about one.
    pub gas: Option<String>,
    /// The bucket: `inventory` or what is reported apart.
    pub bucket: String,
    /// All filters and group values.
    pub filters: BTreeMap<String, Vec<String>>,
    /// The GWP set of a CO2e.
    pub gwp_set: Option<String>,
    /// The run.
    #[schema(value_type = String)]
    pub run: RunId,
    /// The sequence number up to which rows are in.
    pub seq: u64,
}

/// A part of a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Part {
    /// What it is: a month, a facility, a gas.
    #[schema(example = "2022-01")]
    pub label: String,
    /// Exact.
    pub value: String,
    /// Opens its own trace; absent for what is no further divided.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub figure_id: Option<String>,
}

/// One line: an activity through one slot, factor and gas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TraceLine {
    /// The activity.
    #[schema(value_type = String)]
    pub activity: ActivityId,
    /// The words of the row, as mapped.
    pub as_sent: AsSent,
    /// Each step from the unit as sent to the factor's unit.
    pub unit_path: Vec<String>,
    /// The slot.
    #[schema(example = "s2_lb")]
    pub slot: String,
    /// The method, with its version.
    #[schema(example = "electricity.grid@1")]
    pub method: String,
    /// The factor.
    pub factor: TracedFactor,
    /// The printed properties that the amount was made with: the loss rate of a grid, the heat content
    /// of a fuel.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<TracedFactor>,
    /// The GWP applied.
    pub gwp: TracedGwp,
    /// Why this method and this factor.
    pub why: TracedWhy,
    /// Each step of the calculation with its exact digits.
    pub exact: Vec<String>,
    /// Mass of the gas, kg.
    #[schema(example = "71.206604")]
    pub kg: String,
    /// CO2 equivalent, kg; absent where the set has no value for the gas.
    pub co2e: Option<String>,
    /// On how many civil days the activity falls.
    #[schema(example = 43)]
    pub days: u32,
    /// How many of them are in the period asked for; all, where none is.
    #[schema(example = 31)]
    pub days_in_period: u32,
    /// The zone whose days they are.
    #[schema(example = "Europe/London")]
    pub time_zone: String,
    /// What of the mass falls on the days in the period, kg: what the line adds to the figure.
    #[schema(example = "71.206604")]
    pub kg_in_period: String,
    /// What of the CO2 equivalent falls on them, kg.
    pub co2e_in_period: Option<String>,
    /// Where the row is stored.
    pub segment: TracedSegment,
    /// The entry of the log that holds the segment, with its proof.
    pub leaf: TracedLeaf,
    /// Where the row came from.
    pub origin: TracedOrigin,
    /// Evidence named by the row.
    pub evidence: Vec<String>,
}

/// The row's words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AsSent {
    /// The activity type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The quantity, with the digits it was sent with.
    pub quantity: String,
    /// The unit.
    pub unit: String,
    /// The period, in words.
    #[schema(example = "2022-01-01T00:00:00Z/2022-01-01T01:00:00Z")]
    pub period: String,
    /// The facility, by its word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub facility: Option<String>,
    /// The source, by its word.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<String>,
    /// The row's external id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub external_id: Option<String>,
    /// All that was sent, in the words of `/v2/schemas/activity.json`.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// The factor of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedFactor {
    /// `sha256:` and the digest of its record.
    pub id: String,
    /// Its pack, with version.
    #[schema(example = "desnz-2022@1")]
    pub pack: String,
    /// Who published it.
    #[schema(example = "DESNZ")]
    pub publisher: String,
    /// Which edition.
    #[schema(example = "2022")]
    pub edition: String,
    /// Which property it states; absent where it is what the amount is multiplied by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "loss rate")]
    pub property: Option<String>,
    /// What it is for, in the publisher's words.
    pub name: String,
    /// The value used on this line.
    pub value: String,
    /// Its unit.
    #[schema(example = "kg/kW.h")]
    pub unit: String,
    /// The licence under which it is used.
    pub licence: String,
    /// Where it stands in the publisher's file: file, sheet, row, column.
    pub origin: String,
}

/// The GWP of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedGwp {
    /// The set asked for.
    #[schema(example = "published")]
    pub set: String,
    /// The basis that was applied.
    #[schema(example = "ar4")]
    pub basis: String,
    /// The gas.
    #[schema(example = "ch4")]
    pub gas: String,
    /// The value; absent for a total-only factor.
    pub value: Option<String>,
}

/// Why this method and factor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedWhy {
    /// The digest of the stored record of the choice.
    pub id: String,
    /// How good the method is: 1 is best.
    pub tier: u8,
    /// In words.
    pub text: String,
    /// What was noticed.
    pub flags: Vec<String>,
    /// Better methods and factors that could not be used, each with its reason.
    pub passed_over: Vec<String>,
}

/// Where the row is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedSegment {
    /// The segment.
    #[schema(value_type = String)]
    pub id: SegmentId,
    /// The row in it, from 0.
    pub row: u32,
    /// The root of its rows, hex.
    pub root: String,
    /// The proof that the row is under that root.
    pub slice: SliceProof,
}

/// An ordinary RFC 6962 inclusion proof whose leaf is a run of 256 canonical rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SliceProof {
    /// Which run of 256 rows, from 0.
    pub index: u64,
    /// How many runs.
    pub size: u64,
    /// The bytes of the run, base64; empty when an earlier line of the same answer has them.
    pub leaf: String,
    /// The hashes, hex.
    pub proof: Vec<String>,
}

/// The entry of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedLeaf {
    /// Its index.
    pub index: u64,
    /// Its bytes, base64.
    pub entry: String,
    /// The inclusion proof to the checkpoint, hex.
    pub proof: Vec<String>,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
}

/// Where the row came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TracedOrigin {
    /// The file's name, or the request's id.
    pub file: String,
    /// The import; absent for an inline body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(value_type = Option<String>)]
    pub import: Option<ImportId>,
    /// SHA-256 of the file as received, hex; absent for an inline body.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
    /// BLAKE3 of the decoded body, hex; absent for a file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub body_blake3: Option<String>,
    /// The sheet of a workbook; absent for other files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<String>,
    /// The physical line, from 1; of a sheet the number of its row.
    pub line: u64,
    /// The record, from 1.
    pub row: u64,
    /// Offset of the first byte and of the first one after; 0 and 0 for a sheet, whose cells are no run
    /// of bytes.
    pub byte_range: [u64; 2],
    /// The line's own text, when the file is kept; of a sheet its cells, with commas between them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// The mapping's digest, and the parser.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mapping: Option<String>,
    /// The parser and its version.
    #[schema(example = "csv@1")]
    pub parser: String,
}
