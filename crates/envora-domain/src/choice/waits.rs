//! Why activities of a type without methods wait, and what their sender can do meanwhile.

use std::collections::BTreeMap;

use super::{Question, Unresolved, UnresolvedCode};
use crate::catalogue::ActivityKind;
use crate::factors::{FactorKind, Library};

const KEPT: &str = "keep the rows: they count once a method is there";

/// The money that spend counts in where no active pack has factors for it: US dollars of 2021, those
/// of the US EPA's supply-chain factors.
const SPEND: (&str, u16) = ("USD", 2021);

/// Why an activity of a type without methods is in no total.
pub(super) fn unresolved(
    kind: &ActivityKind,
    question: &Question<'_>,
    library: &Library,
) -> Unresolved {
    let detail = format!("no method for {} is in this version", kind.code);
    if kind.code == "spend.purchased" {
        return spend(detail, question, library);
    }
    let instead = match kind.code {
        "freight.stored" => {
            "; energy of a warehouse of your own is electricity.purchased and fuel.combusted.stationary"
        }
        "asset.leased" => "; distances of leased vehicles are vehicle.driven, category 8",
        _ => "",
    };
    Unresolved::missing(detail, &format!("{KEPT}{instead}"))
}

/// Why an activity waits for a qualifier that its type does not need to be stored, and needs to be
/// counted. Own power is nothing on the market's side only while its certificates are kept; once they
/// are sold, others claim it, and it takes the residual mix. Whoever says neither is not taken for
/// one who kept them.
pub(super) fn unsaid(
    kind: &ActivityKind,
    qualifiers: &BTreeMap<String, String>,
) -> Option<Unresolved> {
    let silent = !qualifiers.contains_key("certificates_kept");
    (kind.code == "electricity.generated" && silent).then(|| {
        let detail = "whether the certificates of this power were kept is unsaid, and the \
                      market-based figure turns on it";
        Unresolved::missing(
            detail.to_owned(),
            "say qualifiers.certificates_kept = yes where they were kept, or none are issued for \
             it; no where they were sold or given away",
        )
    })
}

/// Money is led to a factor's in this order: by a rate of exchange, by an index of prices, then the
/// factor itself; the first that is missing is told.
fn spend(detail: String, question: &Question<'_>, library: &Library) -> Unresolved {
    let money = |factor: &crate::factors::Factor| {
        let denominator = &factor.denominator;
        denominator.currency.clone().zip(denominator.price_year)
    };
    let printed = library.of_kind("spend.purchased").filter(|one| one.kind == FactorKind::Spend);
    let mut known: Vec<(String, u16)> = printed.filter_map(money).collect();
    if known.is_empty() {
        known.push((SPEND.0.to_owned(), SPEND.1));
    }
    known.retain(|(currency, _)| currency == question.unit);
    let instead = "send what was bought by mass or item where it is known";
    if known.is_empty() {
        return Unresolved {
            code: UnresolvedCode::FxMissing,
            detail: format!(
                "{detail}, and no rate of exchange from {} is on record",
                question.unit
            ),
            remedy: format!("{KEPT}; {instead}"),
            passed_over: Vec::new(),
        };
    }
    let year = question.brings.price_year.unwrap_or_default();
    if !known.iter().any(|(_, of)| i32::from(*of) == year) {
        return Unresolved {
            code: UnresolvedCode::PriceYearMismatch,
            detail: format!("{detail}, and no index of prices of {year} is on record"),
            remedy: format!(
                "{KEPT}; say price.year where the prices are of another year than the period, or \
                 {instead}"
            ),
            passed_over: Vec::new(),
        };
    }
    Unresolved::missing(detail, &format!("{KEPT}; {instead}"))
}
