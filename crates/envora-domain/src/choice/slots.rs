//! One slot of an activity: whether it is asked for, and the first method that is complete.

use std::collections::BTreeMap;

use super::amounts::{self, Measured};
use super::candidates::{self, Found, Search};
use super::period::Edition;
use super::{
    Asked, Brings, ChoiceFlag, PassedOver, SlotChoice, Term, Unresolved, UnresolvedCode, catalogue,
};
use crate::catalogue::{ActivityKind, Bucket, Slot, SlotSpec, When, gas_of};
use crate::factors::FactorKind;
use crate::gwp::{Carbon, Gas, GasGroup};
use crate::methods::{self, Method, Of, Source};
use crate::units;

/// The qualifiers as factors are asked for them: words that stand in for what is unsaid, and what
/// the row says in fields of its own.
pub(super) fn told(
    kind: &ActivityKind,
    qualifiers: &BTreeMap<String, String>,
    brings: &Brings<'_>,
) -> BTreeMap<String, String> {
    let mut told = qualifiers.clone();
    let vehicle = match qualifiers.get("mode").map(String::as_str) {
        Some("car") => Some("car_average"),
        Some("motorcycle") => Some("motorcycle_average"),
        _ => None,
    };
    if let Some(vehicle) = vehicle {
        told.entry("vehicle_class".to_owned()).or_insert_with(|| vehicle.to_owned());
    }
    for known in kind.qualifiers {
        if let Some(word) = known.otherwise {
            told.entry(known.name.to_owned()).or_insert_with(|| word.to_owned());
        }
    }
    let own = brings.item_scheme.is_none();
    let item = brings.item.map(|item| match catalogue::word("material", item).filter(|_| own) {
        Some(word) => word.to_owned(),
        None => item.to_owned(),
    });
    let scheme = brings.item_scheme.map(str::to_owned);
    let supplier = brings.supplier.map(str::to_owned);
    let fields = [("item", item), ("item_scheme", scheme), ("supplier", supplier)];
    told.extend(fields.into_iter().filter_map(|(name, word)| Some((name.to_owned(), word?))));
    told
}

/// Whether a slot is asked for.
pub(super) fn applies(spec: &SlotSpec, asked: &Asked<'_>, chosen: &[SlotChoice]) -> bool {
    let word = |name: &str| asked.told.get(name).map(String::as_str);
    let gas = || word("gas").and_then(gas_of).map(Gas::group);
    spec.when.iter().all(|when| match when {
        When::BiogenicCarbon => {
            let fuel = word("fuel").and_then(catalogue::find_fuel);
            fuel.is_some_and(|fuel| fuel.carbon != Carbon::Fossil)
        }
        When::Scope(scope) => asked.book.scope == *scope,
        When::Burns => word("fuel") != Some("battery_electric"),
        When::Plugs => matches!(word("fuel"), Some("battery_electric" | "plug_in_hybrid")),
        When::Kyoto => gas().is_none_or(|group| group == GasGroup::Kyoto),
        When::NotKyoto => gas() != Some(GasGroup::Kyoto),
        When::Co2Alone => {
            let factor = chosen.first().and_then(|choice| asked.library.get(&choice.factor));
            factor.is_some_and(candidates::is_co2_alone)
        }
        When::Is(name, wanted) => word(name) == Some(wanted),
        When::IsNot(name, other) => word(name) != Some(other),
    })
}

/// A slot's choice, and the series and edition that it is of where families keep together.
pub(super) type Filled = (SlotChoice, Option<(String, Edition)>);

/// The first method of a slot that is complete, with its factor; none where nothing is emitted.
pub(super) fn choose_slot(
    spec: &SlotSpec,
    asked: &Asked<'_>,
    passed_over: &mut Vec<PassedOver>,
) -> Result<Option<Filled>, Unresolved> {
    let mut first: Option<Unresolved> = None;
    let mut of_supplier: Option<Unresolved> = None;
    let mut missing: Vec<&Method> = Vec::new();
    for (place, id) in spec.methods.iter().enumerate() {
        let Some(method) = methods::find(id) else { continue };
        let over = |rule: &str, detail: String| PassedOver {
            slot: spec.slot,
            rule: rule.to_owned(),
            method: Some(method.id.to_owned()),
            factor: None,
            key: None,
            count: 1,
            detail,
        };
        if let Some(lacks) = lacks(method, asked) {
            passed_over.push(over("inputs", lacks));
            continue;
        }
        if method.source == Source::Nothing {
            passed_over.push(over("nothing", method.absent.unwrap_or_default().to_owned()));
            return Ok(None);
        }
        let measured = match amounts::measure(method, spec, asked) {
            Ok(measured) => measured,
            Err(lacks) => {
                missing.extend((method.absent == Some(lacks.as_str())).then_some(method));
                passed_over.push(over("inputs", lacks));
                continue;
            }
        };
        let mut notes = Vec::new();
        match find(spec, method, (asked, &measured), &mut notes) {
            Ok(mut found) => {
                passed_over.append(&mut notes);
                let family = found.family.take();
                let choice = choice(spec, (place, method), asked, (found, measured.terms));
                return Ok(Some((choice, family)));
            }
            Err(unresolved) if unresolved.code == UnresolvedCode::AmbiguousFactor => {
                passed_over.append(&mut notes);
                return Err(unresolved);
            }
            Err(unresolved) => match method.absent {
                Some(absent) if method.source != Source::Emission => {
                    // Factors that were near enough to be named say why they were not taken.
                    passed_over.extend(notes.into_iter().filter(|note| note.factor.is_some()));
                    passed_over.push(over("inputs", absent.to_owned()));
                    if method.source == Source::Supplier {
                        of_supplier = Some(unresolved);
                    }
                }
                _ => {
                    passed_over.append(&mut notes);
                    passed_over.push(over("factor", unresolved.detail.clone()));
                    first = first.or(Some(unresolved));
                }
            },
        }
    }
    let unresolved = first.unwrap_or_else(|| {
        let detail = format!("no method for the slot {} is complete", spec.slot);
        Unresolved::missing(detail, "send what the methods of this type need")
    });
    Err(explained(unresolved, (spec, asked), (&missing, of_supplier)))
}

/// The same, with what else would have done: an input, or the supplier's own figure. What a row only
/// leaves out is told before what it would have to say otherwise.
fn explained(
    unresolved: Unresolved,
    (spec, asked): (&SlotSpec, &Asked<'_>),
    (missing, of_supplier): (&[&Method], Option<Unresolved>),
) -> Unresolved {
    let mut remedy = unresolved.remedy.clone();
    let (due, may): (Vec<&Method>, Vec<&Method>) =
        missing.iter().partition(|method| would_do(method, (spec, asked)));
    let due: Vec<String> = due.into_iter().flat_map(|method| inputs_due(method, asked)).collect();
    let car = (asked.told.get("vehicle_class")).filter(|_| !asked.says("vehicle_class"));
    if !due.is_empty() {
        let due = due.join(", ");
        let class = car
            .map_or_else(String::new, |car| format!(", and vehicle_class where it is not {car}"));
        remedy = if remedy.starts_with("say ") {
            format!("{remedy}; or give {due}{class}")
        } else {
            format!("give {due}{class}; or {remedy}")
        };
    }
    if !may.is_empty() {
        let may: Vec<&str> = may.iter().filter_map(|method| method.absent).collect();
        remedy = format!("{remedy}; another method lacks an input: {}", may.join("; "));
    }
    let mut tried = spec.methods.iter().filter_map(|id| methods::find(id));
    let by_supplier = tried.find(|method| method.source == Source::Supplier);
    if asked.told.contains_key("supplier")
        && let Some(method) = by_supplier
    {
        let own = [asked.kind.code];
        let types = if spec.types.is_empty() { &own } else { spec.types };
        if method.lacks_among(types, asked.library).is_some() {
            remedy = format!(
                "{remedy}; the supplier's own figure would do: bring it in with `envora factors \
                 import`"
            );
        } else if let Some(own) = of_supplier.filter(|_| has_own(types, asked)) {
            let Unresolved { detail, remedy: then, .. } = own;
            remedy = format!("{remedy}; of the supplier's own figures: {detail}: {then}");
        }
    }
    Unresolved { remedy, ..unresolved }
}

/// Whether there is any factor of the row's supplier for these types.
fn has_own(types: &[&str], asked: &Asked<'_>) -> bool {
    let codes = asked.told.get("supplier").map(String::as_str).unwrap_or_default();
    let is_its = |code: &String| codes.split('|').any(|own| own == code);
    let mut all = types.iter().flat_map(|kind| asked.library.of_kind(kind));
    all.any(|factor| factor.qualifiers.get("supplier").is_some_and(is_its))
}

/// Whether a method finds its factor and waits for inputs alone.
fn would_do(method: &Method, (spec, asked): (&SlotSpec, &Asked<'_>)) -> bool {
    let unit = method.amount.map(|amount| units::parse_code(amount.unit));
    let Some(Ok(unit)) = unit else { return false };
    let measured = Measured { unit, terms: Vec::new(), beside: Vec::new() };
    find(spec, method, (asked, &measured), &mut Vec::new()).is_ok()
}

/// The inputs that a method needs and the row does not bring, each with a unit.
fn inputs_due(method: &Method, asked: &Asked<'_>) -> Vec<String> {
    let products = method.amount.map(|amount| amount.sum).unwrap_or_default().iter();
    let operands = products.flat_map(|product| product.times.iter().chain(product.over));
    let due = operands.filter_map(|of| match of {
        Of::Input(name, _) | Of::InputAsSent(name) => Some(*name),
        Of::Economy => Some("economy"),
        Of::Quantity(_)
        | Of::AsSent
        | Of::InputOr(..)
        | Of::Number(_)
        | Of::HeatContent
        | Of::LossRate
        | Of::Screening(_) => None,
    });
    let due = due.filter(|name| !asked.question.brings.inputs.contains_key(name));
    let told = due.map(|name| {
        let known = asked.kind.inputs.iter().find(|known| known.name == name);
        let unit = known.and_then(|known| known.quantities.first()).map(|of| of.example());
        format!("inputs.{name} with quantity and unit, such as {}", unit.unwrap_or("1"))
    });
    told.collect()
}

/// What a method needs that the row does not bring at all.
fn lacks(method: &Method, asked: &Asked<'_>) -> Option<String> {
    let lacks = method.lacks?;
    let said = asked.question.brings.instruments;
    let tested = matches!(method.id, "electricity.certificate@1" | "electricity.contract@1");
    Some(if said && tested {
        format!(
            "{lacks}: the row names instruments, and that they were cancelled for the reporter alone \
             is unproven"
        )
    } else {
        lacks.to_owned()
    })
}

fn find(
    spec: &SlotSpec,
    method: &Method,
    (asked, measured): (&Asked<'_>, &Measured),
    notes: &mut Vec<PassedOver>,
) -> Result<Found, Unresolved> {
    let own = [asked.kind.code];
    let types: &[&str] = match (method.types, spec.types) {
        ([], []) => &own,
        ([], types) | (types, _) => types,
    };
    let kinds: &[FactorKind] = match method.source {
        Source::ResidualMix => &[FactorKind::ResidualMix],
        Source::Supplier => &[FactorKind::SupplierPcf, FactorKind::Emission],
        Source::Emission | Source::Nothing => &[FactorKind::Emission],
    };
    let carbon_free = spec.when.contains(&When::Co2Alone);
    let search = Search {
        slot: spec.slot,
        kinds,
        boundary: method.boundary.unwrap_or(spec.boundary),
        memo: Some(spec.bucket)
            .filter(|bucket| matches!(bucket, Bucket::BiogenicCo2 | Bucket::NonKyoto)),
        types,
        unit: &measured.unit,
        without_co2: carbon_free,
        of_supplier: method.source == Source::Supplier,
        property: None,
        beside: &measured.beside,
    };
    candidates::best(&search, asked, notes)
}

fn choice(
    spec: &SlotSpec,
    (place, method): (usize, &Method),
    asked: &Asked<'_>,
    (found, amount): (Found, Vec<Term>),
) -> SlotChoice {
    let mut flags = found.flags;
    // What a car of one's own was charged with is told by the grid's average on both sides.
    let charged = spec.slot == Slot::S2Mb && method.id.starts_with("mobile.");
    if charged || method.id.starts_with("electricity.grid_fallback@") {
        flags.push(ChoiceFlag::NoResidualMix);
    }
    if method.source == Source::Supplier {
        flags.push(ChoiceFlag::Unverified);
    }
    // One of two gases is a part of the gap that a factor of CO2 alone leaves.
    let chosen = asked.library.get(&found.factor);
    if spec.when.contains(&When::Co2Alone) && chosen.is_some_and(candidates::is_one_gas) {
        flags.push(ChoiceFlag::DerivedFactorMissing);
    }
    if method.low_tier {
        flags.push(ChoiceFlag::LowTier);
    }
    flags.sort_unstable();
    let claimed = spec.scope == 3 && spec.category == 0;
    SlotChoice {
        slot: spec.slot,
        scope: spec.scope,
        category: if claimed { asked.book.category } else { spec.category },
        bucket: spec.bucket,
        market: spec.market,
        boundary: spec.boundary,
        method: method.id.to_owned(),
        tier: u8::try_from(place + 1).unwrap_or(u8::MAX),
        factor: found.factor,
        amount,
        unit_path: found.unit_path,
        period_rule: found.period_rule,
        flags,
    }
}
