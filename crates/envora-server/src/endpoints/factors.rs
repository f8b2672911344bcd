//! `…/factors` and what goes with them: packs, GWP sets, methods, conversion of units.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use envora_api::factors::{Conversion, Converted, Factor, FactorPack, GwpSet, Method};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_domain::access::actions::{ActivatePack, ReadFactors};
use envora_domain::catalogue;
use envora_domain::decimal::Decimal;
use envora_domain::factors::{Boundary, FactorId, FactorKind, Library, Pack};
use envora_domain::gwp::{self, Carbon, Gas};
use envora_domain::methods;
use envora_domain::units::{UnitPath, parse_code};
use envora_store::packs::{NewPack, PackActivation, pack_activate, packs_active};
use envora_store::transaction::TenantTx;
use serde_json::Value;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::cursors::{self, Place, Walk};
use crate::fields::{Fields, Need};
use crate::gate::Format;
use crate::idempotency::{self, Sent, Written, once};
use crate::listing::{Cut, WHOLE, whole};
use crate::openapi::Shape;
use crate::params::Params;
use crate::routes::Route;

const FACTORS: &str = "/v2/organizations/{org_id}/factors";
const FACTOR: &str = "/v2/organizations/{org_id}/factors/{id}";
const PACKS: &str = "/v2/organizations/{org_id}/factor-packs";
const ACTIVATE: &str = "/v2/organizations/{org_id}/factor-packs/{id}/activate";
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
        Route::get::<ReadFactors, _, _>(PACKS, packs)
            .says("Lists the packs that come with this program, and which of them are active.")
            .asks(WHOLE)
            .gives(200, Shape::page::<FactorPack>()),
        Route::post::<ActivatePack, _, _>(ACTIVATE, activate)
            .says("Activates a pack: everything is calculated anew with it, and what is answered changes at once when that is done.")
            .without_body()
            .gives(200, Shape::one::<FactorPack>()),
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
    let counts = factor.kind == FactorKind::Emission
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
    let packs = parts.library.packs().iter().filter(|pack| wanted.takes_pack(pack));
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
    allowed: Allowed<ReadFactors>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let library = &allowed.tenant.parts().library;
    let factor = match FactorId::parse(&id) {
        Some(id) => library.get(&id),
        None => begins(library, &id),
    };
    Reply::ok(&wire(factor.ok_or_else(nothing_here)?)?)
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

pub(crate) async fn packs(allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    let cut = whole::<FactorPack>(&params)?;
    let (parts, grant) = (allowed.tenant.parts(), allowed.grant);
    let active = parts.db.read(move |rd| packs_active(rd, &grant, u64::MAX)).await?;
    let data: Vec<FactorPack> =
        parts.library.packs().iter().map(|pack| pack_wire(pack, &active)).collect();
    cut(data)
}

fn pack_wire(pack: &Pack, active: &[PackActivation]) -> FactorPack {
    let recipe = &pack.recipe;
    let activation = active.iter().find(|active| active.pack.digest == pack.digest);
    FactorPack {
        id: recipe.id.clone(),
        version: recipe.version.clone(),
        publisher: recipe.publisher.clone(),
        edition: recipe.edition.clone(),
        sha256: pack.digest.hex(),
        factors: pack.count() as u64,
        licence: recipe.rights.licence.clone(),
        attribution: recipe.rights.attribution.clone(),
        period_rule: recipe.rules.period.to_string(),
        region_rule: recipe.rules.region.to_string(),
        family_rule: recipe.rules.family.to_string(),
        active: activation.is_some(),
        seq: activation.map(|activation| activation.seq),
    }
}

/// How a pack is named in an activation.
#[must_use]
pub fn naming(pack: &Pack) -> NewPack {
    NewPack {
        pack: pack.recipe.id.clone(),
        version: pack.recipe.version.clone(),
        digest: pack.digest,
    }
}

async fn activate(
    State(app): State<App>,
    allowed: Allowed<ActivatePack>,
    OriginalUri(uri): OriginalUri,
    Path((_, id)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
) -> Answer {
    params.only(&[])?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let pack =
        parts.library.packs().iter().find(|pack| pack.recipe.id == id).ok_or_else(nothing_here)?;
    let sent = Sent {
        actor: &allowed.actor,
        uri: &uri,
        params: &params,
        headers: &headers,
        body: *blake3::hash(b"").as_bytes(),
    };
    let marked = idempotency::marked(parts, &sent)?;
    let (new, told) = (naming(pack), pack_wire(pack, &[]));
    let work = move |tx: &mut TenantTx| {
        let activation = pack_activate(tx, &grant, &new, now)?;
        let told = FactorPack { active: true, seq: Some(activation.seq), ..told };
        Ok(Ok(Written::of(StatusCode::OK, &told)?))
    };
    let written = once(parts, grant, (marked, now), work).await?;
    allowed.tenant.notify();
    Ok(written.reply())
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

async fn methods_list(allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    let cut = whole::<Method>(&params)?;
    let library = &allowed.tenant.parts().library;
    let data = methods::ALL.iter().map(|method| method_wire(method, library)).collect();
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
