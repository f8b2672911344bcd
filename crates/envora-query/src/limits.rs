//! What a question may use, and how it is told to end.

use std::sync::Arc;

/// The longest question, in bytes.
pub const SQL_BYTES_MAX: usize = 16 << 10;

/// What one question may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows of the answer; those after them are left off.
    pub rows_max: usize,
    /// Bytes of the answer's cells, as text.
    pub answer_bytes_max: usize,
    /// Bytes that the engine may hold at once.
    pub memory_bytes_max: usize,
}

/// Why a question is to end before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its time is over.
    Late,
    /// Nobody waits for the answer any more.
    Gone,
}

/// Asked again and again while a question runs: whether it is to end.
#[derive(Clone)]
pub struct Watch(Arc<dyn Fn() -> Option<End> + Send + Sync>);

impl core::fmt::Debug for Watch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    /// A watch that asks this.
    pub fn new(look: impl Fn() -> Option<End> + Send + Sync + 'static) -> Self {
        Self(Arc::new(look))
    }

    /// A watch that never ends a question.
    #[must_use]
    pub fn never() -> Self {
        Self::new(|| None)
    }

    /// Whether the question is to end now.
    #[must_use]
    pub fn look(&self) -> Option<End> {
        (self.0)()
    }
}
