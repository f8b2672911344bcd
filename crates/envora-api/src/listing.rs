//! A page of a collection.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page; a list asked with `include=total` says `total` besides, how many items all its pages have; `next_cursor` opens the next one, `null` says that this was the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the collection's own order.
    pub data: Vec<T>,
    /// Opaque; goes into `cursor` with the same filters, within 24 hours.
    pub next_cursor: Option<String>,
}
