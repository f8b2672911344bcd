//! A page of a collection.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One page; `next_cursor` opens the next one, `null` says that this was the last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the collection's own order.
    pub data: Vec<T>,
    /// Opaque; goes into `cursor` with the same filters, within 24 hours.
    pub next_cursor: Option<String>,
}
