//! What the pages ask of the engine, in a visitor's name.

use envora_api::footprints::Footprint;
use envora_api::problems::Problem;
use envora_api::traces::Trace;
use envora_domain::access::actions::ReadResults;

use super::footprint::Asked;
use crate::access::Visitor;
use crate::refusals::Refusal;

/// By what a footprint is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// Nothing.
    None,
    /// The months.
    Month,
    /// The facilities.
    Facility,
}

/// How many lines a trace shows at once.
const LINES: usize = 12;

/// The footprint of a year.
pub(super) async fn footprint(
    visitor: &Visitor,
    asked: &Asked,
    split: Split,
) -> Result<Footprint, Refusal> {
    let _grant = visitor.grant::<ReadResults>()?;
    let _ = (asked, split);
    Err(Problem::feature_not_built("The footprint page is being built.").into())
}

/// The trace of a figure.
pub(super) async fn trace(
    visitor: &Visitor,
    figure: &str,
    cursor: Option<&str>,
) -> Result<Trace, Refusal> {
    let _grant = visitor.grant::<ReadResults>()?;
    let _ = (figure, cursor, LINES);
    Err(Problem::feature_not_built("The trace page is being built.").into())
}
