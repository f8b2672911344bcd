//! Media types and header names, each written once.

/// The vendor type of this version of the interface, taken and given.
pub const VENDOR: &str = "application/vnd.env.v2+json";
/// Plain JSON, read as [`VENDOR`].
pub const JSON: &str = "application/json";
/// A merge patch (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// Problem details (RFC 9457): every error.
pub const PROBLEM: &str = "application/problem+json";
/// One JSON object per line.
pub const NDJSON: &str = "application/x-ndjson";
/// Comma-separated values.
pub const CSV: &str = "text/csv";
/// A workbook (XLSX).
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Columns of exact values (Apache Parquet).
pub const PARQUET: &str = "application/vnd.apache.parquet";
/// XML: activities of our own namespace, or Green Button.
pub const XML: &str = "application/xml";
/// Bytes of any kind, such as a part of a file.
pub const BYTES: &str = "application/octet-stream";
/// A CloudEvent, structured.
pub const CLOUD_EVENT: &str = "application/cloudevents+json";
/// Several of them.
pub const CLOUD_EVENTS: &str = "application/cloudevents-batch+json";
/// Events as they happen (server-sent events).
pub const EVENTS: &str = "text/event-stream";

/// The hash of a body (RFC 9530).
pub const CONTENT_DIGEST: &str = "content-digest";
/// The request's id, echoed or made.
pub const REQUEST_ID: &str = "x-request-id";
/// The idempotency key, bare.
pub const IDEMPOTENCY_KEY_X: &str = "x-idempotency-key";
/// The idempotency key as a structured string.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Says that an answer is a stored one.
pub const REPLAYED: &str = "idempotent-replayed";
/// The environment of a test tenant.
pub const ENVIRONMENT: &str = "envora-environment";
/// Says of an answer that is a file whether rows were left off.
pub const TRUNCATED: &str = "envora-truncated";
