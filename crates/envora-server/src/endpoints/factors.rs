//! `…/factors` and what goes with them: GWP sets, methods, conversion of units.

use std::collections::BTreeMap;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use envora_api::factors::{Conversion, Converted, Factor, GwpSet, Method};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_domain::access::actions::ReadFactors;
use envora_domain::catalogue;
use envora_domain::decimal::Decimal;
use envora_domain::factors::{Boundary, FactorId, FactorKind, Library, Pack};
use envora_domain::gwp::{self, Carbon, Gas};
use envora_domain::methods;
use envora_domain::units::{UnitPath, parse_code};
use serde_json::Value;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::cursors::{self, Place, Walk};
use crate::fields::{Fields, Need};
use crate::gate::Format;
use crate::listing::{Cut, WHOLE, whole};
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::Route;

const FACTORS: &str = "/v2/organizations/{org_id}/factors";
const FACTOR: &str = "/v2/organizations/{org_id}/factors/{id}";
const GWP_SETS: &str = "/v2/organizations/{org_id}/gwp-sets";
const METHODS: &str = "/v2/organizations/{org_id}/methods";
const CONVERT: &str = "/v2/organizations/{org_id}/units/convert";

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadFactors, _, _>(FACTORS, list)
            .says("Lists factors: those that count in the scopes first, by key, the latest edition first. With q, those that hold its words whole come first, then the latest edition.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("type", "Only factors of this activity type."),
                ("boundary", "Only factors of this boundary, such as combustion."),
                ("pack", "Only factors of this pack, such as desnz-2025."),
                ("publisher", "Only factors of publishers whose name holds this text."),
                ("edition", "Only factors of this edition, such as 2025."),
                ("region", "Only factors that hold for this region: GB, CAMX, world."),
                ("q", "Only factors that hold all of these words, the publisher's or ours."),
                ("fields", "Only these fields of each, separated by commas."),
                ("include", "`total`: say how many there are in all."),
            ])
            .gives(200, Shape::page::<Factor>()),
        Route::get::<ReadFactors, _, _>(FACTOR, read)
            .says("Reads a factor: its record as its digest covers it. Eight digits of its id will do.")
            .gives(200, Shape::one::<Factor>()),
        Route::get::<ReadFactors, _, _>(GWP_SETS, gwp_sets)
            .says("Lists the sets of global warming potentials.")
            .asks(WHOLE)
            .gives(200, Shape::page::<GwpSet>()),
        Route::get::<ReadFactors, _, _>(METHODS, methods_list)
            .says("Lists the methods of calculation, and what uses them.")
            .asks(WHOLE)
            .gives(200, Shape::page::<Method>()),
        Route::post::<ReadFactors, _, _>(CONVERT, convert)
            .says("Converts a quantity exactly.")
            .takes(&[Format::Json], Shape::one::<Conversion>())
            .gives(200, Shape::one::<Converted>()),
    ]
}

/// What a list of factors may be narrowed by.
const FILTERS: &[&str] = &["type", "boundary", "pack", "publisher", "edition", "region", "q"];

/// Which factors a list is to show.
struct Wanted<'a> {
    kind: Option<&'a str>,
    boundary: Option<Boundary>,
    pack: Option<&'a str>,
    publisher: Option<String>,
    edition: Option<&'a str>,
    region: Option<&'a str>,
    words: Vec<String>,
}

impl<'a> Wanted<'a> {
    fn read(params: &'a Params) -> Result<Self, Problem> {
        let words = params.one("q")?.unwrap_or_default().to_lowercase();
        Ok(Self {
            kind: params.one("type")?,
            boundary: params.read("boundary", "a boundary such as combustion", Boundary::parse)?,
            pack: params.one("pack")?,
            publisher: params.one("publisher")?.map(str::to_lowercase),
            edition: params.one("edition")?,
            region: params.one("region")?,
            words: words.split_whitespace().map(str::to_owned).collect(),
        })
    }

    fn takes_pack(&self, pack: &Pack) -> bool {
        let recipe = &pack.recipe;
        let publisher = || recipe.publisher.to_lowercase();
        self.pack.is_none_or(|id| id == recipe.id)
            && self.edition.is_none_or(|edition| edition == recipe.edition)
            && self.publisher.as_ref().is_none_or(|text| publisher().contains(text.as_str()))
    }

    fn takes(&self, factor: &envora_domain::factors::Factor) -> bool {
        let region = &factor.region;
        let here = |text: &str| {
            let whole = format!("{}:{}", region.scheme, region.code);
            let world = region.code.is_empty() && text.eq_ignore_ascii_case(&region.scheme);
            world || region.code.eq_ignore_ascii_case(text) || whole.eq_ignore_ascii_case(text)
        };
        self.boundary.is_none_or(|boundary| factor.boundary == boundary)
            && self.region.is_none_or(here)
            && (self.words.is_empty() || self.held_by(factor))
    }

    /// Whether a factor holds all of the words.
    fn held_by(&self, factor: &envora_domain::factors::Factor) -> bool {
        let all = searched(factor);
        holds(&self.words, |word| all.contains(word))
    }
}

/// Whether each of these words is there, as it is or joined, or all of them as one.
fn holds(words: &[String], there: impl Fn(&str) -> bool) -> bool {
    let there = |word: &str| !word.is_empty() && there(word);
    let held = |word: &String| there(word) || there(&joined(word));
    words.iter().all(held) || there(&joined(&words.concat()))
}

/// A word without its hyphens and underscores: `R-410A`, `R 410A` and `R410A` are one gas.
fn joined(word: &str) -> String {
    word.chars().filter(|letter| !matches!(letter, '-' | '_' | '\u{2010}'..='\u{2013}')).collect()
}

/// What a factor is searched by, in small letters: the publisher's words and ours, those with hyphens
/// joined as well.
fn searched(factor: &envora_domain::factors::Factor) -> String {
    let provenance = &factor.provenance;
    let ours = factor.qualifiers.values().map(String::as_str);
    let fixed = [
        factor.key.as_str(),
        factor.publisher.as_str(),
        factor.edition.as_str(),
        factor.activity_type.as_str(),
        factor.boundary.as_str(),
        factor.region.code.as_str(),
        factor.denominator.as_printed.as_str(),
        provenance.sheet.as_deref().unwrap_or_default(),
    ];
    let words = provenance.words.iter().map(String::as_str).chain(ours);
    let all = words.clone().chain(fixed).collect::<Vec<_>>().join("\n").to_lowercase();
    let words = words.flat_map(str::split_whitespace).map(|word| (word, joined(word)));
    let again = words.filter(|(word, joined)| word != joined).map(|(_, joined)| joined);
    let again = again.collect::<Vec<_>>().join("\n").to_lowercase();
    format!("{all}\n{again}")
}

/// Whether all of these words stand whole in a text: `diesel` does not in `biodiesel`.
fn stand_whole(text: &str, words: &[String]) -> bool {
    let ends = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    holds(words, |word| {
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            ends(before.chars().next_back()) && ends(after.chars().next())
        })
    })
}

/// Where a factor stands in a list: what counts in the scopes, then the rest; by key, and of one key
/// the latest edition first. In a search, those that hold its words whole come first, then the latest
/// edition.
fn place(factor: &envora_domain::factors::Factor, words: &[String]) -> String {
    let turned = |digit: char| digit.to_digit(10).and_then(|digit| char::from_digit(9 - digit, 10));
    let edition: String = factor.edition.chars().map(|c| turned(c).unwrap_or(c)).collect();
    let kinds = [FactorKind::Emission, FactorKind::ResidualMix, FactorKind::SupplierPcf];
    let counts = kinds.contains(&factor.kind)
        && factor.memo_bucket.is_none()
        && factor.permitted_use == "inventory";
    let part = if counts { 0 } else { 1 };
    if words.is_empty() {
        return format!("{part}\t{}\t{edition}\t{}", factor.key, factor.id);
    }
    let rank = if stand_whole(&searched(factor), words) { 0 } else { 1 };
    format!("{rank}\t{edition}\t{part}\t{}\t{}", factor.key, factor.id)
}

pub(crate) async fn list(
    State(app): State<App>,
    allowed: Allowed<ReadFactors>,
    params: Params,
) -> Answer {
    params.only(&[&["limit", "cursor", "fields", "include"], FILTERS].concat())?;
    let cut = Cut::of::<Factor>(&params)?;
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let walk = Walk { route: FACTORS, params: &params };
    let after = cursors::decode(&parts.keys, walk, now)?.map(|place| place.after);
    let limit = params.limit()?;
    let wanted = Wanted::read(&params)?;
    let library = parts.library();
    let packs = library.packs().iter().filter(|pack| wanted.takes_pack(pack));
    let factors = packs.flat_map(|pack| match wanted.kind {
        Some(kind) => pack.of_kind(kind).iter().collect::<Vec<_>>(),
        None => pack.factors().collect(),
    });
    let mut found: Vec<_> = factors
        .filter(|factor| wanted.takes(factor))
        .map(|factor| (place(factor, &wanted.words), factor))
        .collect();
    let total = found.len() as u64;
    found.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let more = found.len() > limit;
    found.truncate(limit);
    let data = found.iter().map(|(_, factor)| wire(factor)).collect::<anyhow::Result<Vec<_>>>()?;
    let last = found.last().filter(|_| more).map(|(place, _)| place.clone());
    let next_cursor =
        last.map(|after| cursors::encode(&parts.keys, walk, Place { after, seq: 0 }, now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(FACTORS), &params, cursor));
    Ok(cut.page(&Page { data, next_cursor }, Some(total))?.next(next.as_deref()))
}

/// How many digits of an id name a factor when no other begins so.
const ID_DIGITS_MIN: usize = 8;

pub(crate) async fn read(
    State(app): State<App>,
    allowed: Allowed<ReadFactors>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let parts = allowed.tenant.parts();
    let Some(id) = FactorId::parse(&id) else {
        let library = parts.library();
        return Reply::ok(&wire(begins(&library, &id).ok_or_else(nothing_here)?)?);
    };
    // Old figures name factors of editions that count no longer: these are read from their texts.
    let parts = parts.clone();
    let found = app.tracker().spawn_blocking(move || parts.factor(&id)).await;
    let found = found.context("find a factor")??;
    Reply::ok(&wire(&found.ok_or_else(nothing_here)?)?)
}

/// The one factor whose id begins so; of several, none.
fn begins<'a>(library: &'a Library, id: &str) -> Option<&'a envora_domain::factors::Factor> {
    let digits = id.strip_prefix("sha256:").unwrap_or(id);
    if digits.len() < ID_DIGITS_MIN || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let digits = digits.to_lowercase();
    let mut found = library.factors().filter(|factor| factor.id.0.hex().starts_with(&digits));
    let first = found.next()?;
    let same = found.all(|other| other.id == first.id);
    same.then_some(first)
}

fn wire(factor: &envora_domain::factors::Factor) -> anyhow::Result<Factor> {
    let record: BTreeMap<String, Value> = serde_json::from_str(&factor.canonical_json()?)?;
    Ok(Factor { id: factor.id.to_string(), pack: factor.pack.clone(), record })
}

async fn gwp_sets(allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    let cut = whole::<GwpSet>(&params)?;
    drop(allowed);
    let data: Vec<GwpSet> = gwp::GwpSet::ALL.iter().map(|set| set_wire(*set)).collect();
    cut(data)
}

fn set_wire(set: gwp::GwpSet) -> GwpSet {
    let name = match set {
        gwp::GwpSet::Published => "Each factor in the basis that its publisher printed",
        gwp::GwpSet::Sar => "IPCC second assessment report, 100 years",
        gwp::GwpSet::Tar => "IPCC third assessment report, 100 years",
        gwp::GwpSet::Ar4 => "IPCC fourth assessment report, 100 years",
        gwp::GwpSet::Ar5 => {
            "IPCC fifth assessment report, 100 years, without climate-carbon feedback"
        }
        gwp::GwpSet::Ar5Feedback => {
            "IPCC fifth assessment report, 100 years, with climate-carbon feedback"
        }
        gwp::GwpSet::Ar6 => {
            "IPCC sixth assessment report, 100 years, methane by the origin of its carbon"
        }
        gwp::GwpSet::Ar6Table => "IPCC sixth assessment report, 100 years, methane always 27.9",
        gwp::GwpSet::Ar6Ghgp2024 => {
            "IPCC sixth assessment report as the GHG Protocol lists it (2024)"
        }
    };
    let values = Gas::all()
        .filter_map(|gas| {
            let value = gwp::gwp(set, gas, Carbon::Fossil, Boundary::Process)?;
            Some((gas.as_str().to_owned(), value.normalized().to_string()))
        })
        .collect();
    GwpSet { id: set.as_str().to_owned(), name: name.to_owned(), values }
}

async fn methods_list(
    State(app): State<App>,
    allowed: Allowed<ReadFactors>,
    params: Params,
) -> Answer {
    let cut = whole::<Method>(&params)?;
    // What waits is told by what counts: a pack that is not active helps no method.
    let parts = allowed.tenant.parts().clone();
    let library = app.tracker().spawn_blocking(move || parts.library_active()).await;
    let library = library.context("find the active packs")??;
    let data = methods::ALL.iter().map(|method| method_wire(method, &library)).collect();
    cut(data)
}

fn method_wire(method: &methods::Method, library: &Library) -> Method {
    let mut types = Vec::new();
    let mut slots = Vec::new();
    for kind in catalogue::ALL {
        for slot in kind.slots.iter().filter(|slot| slot.methods.contains(&method.id)) {
            types.push(kind.code);
            slots.push(slot.slot.as_str().to_owned());
        }
    }
    types.dedup();
    slots.sort_unstable();
    slots.dedup();
    let lacks = method.lacks_among(&types, library);
    Method {
        id: method.id.to_owned(),
        formula: method.formula.to_owned(),
        status: if lacks.is_none() { "usable" } else { "waiting" }.to_owned(),
        lacks: lacks.map(str::to_owned),
        types: types.into_iter().map(str::to_owned).collect(),
        slots,
    }
}

async fn convert(
    allowed: Allowed<ReadFactors>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    drop(allowed);
    let body = bodies::json(&headers, body, &[Format::Json]).await?;
    let mut fields = Fields::of(body, Conversion::FIELDS)?;
    let quantity = fields.text("quantity", Need::Required);
    let (from, to) = (fields.text("from", Need::Required), fields.text("to", Need::Required));
    let number = Decimal::parse(&quantity);
    if let Err(error) = &number {
        fields.fault("not_a_number", "quantity", &error.to_string());
    }
    let units = [("from", parse_code(&from)), ("to", parse_code(&to))];
    for (name, unit) in &units {
        if let Err(error) = unit {
            fields.fault_with(("unknown_unit", *name), &error.to_string(), &error.remedy());
        }
    }
    fields.finish()?;
    let [(_, Ok(from)), (_, Ok(to))] = units else {
        return Err(Problem::unknown_unit("The units are not known.").into());
    };
    let path = UnitPath::between(&from, &to)
        .map_err(|error| Problem::unit_mismatch(format!("{error}: {}.", error.remedy())))?;
    let number = number.map_err(anyhow::Error::from)?;
    let quantity = path.convert(number);
    Reply::ok(&Converted { quantity, unit: path.to, path: path.steps })
}
