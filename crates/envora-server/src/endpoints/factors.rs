//! `…/factors` and what goes with them: packs, GWP sets, methods, conversion of units.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use envora_api::factors::{Conversion, Converted, Factor, FactorPack, GwpSet, Method};
use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_domain::access::actions::{ActivatePack, ReadFactors};
use envora_domain::catalogue;
use envora_domain::decimal::Decimal;
use envora_domain::factors::{Boundary, FactorId, Pack};
use envora_domain::gwp::{self, Carbon, Gas};
use envora_domain::methods;
use envora_domain::rational::Rational;
use envora_domain::units::{UnitPath, parse_code};
use envora_store::packs::{NewPack, PackActivation, pack_activate, packs_active};
use serde_json::Value;

use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::cursors::{self, Place, Walk};
use crate::fields::{Fields, Need};
use crate::gate::Format;
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
            .says("Lists the factors of the packs, by id.")
            .asks(&[
                ("limit", "How many, 1 to 1000; 100 when absent."),
                ("cursor", "The page to continue from."),
                ("type", "Only factors of this activity type."),
                ("boundary", "Only factors of this boundary, such as combustion."),
                ("q", "Only factors whose key or words hold this text."),
            ])
            .gives(200, Shape::page::<Factor>()),
        Route::get::<ReadFactors, _, _>(FACTOR, read)
            .says("Reads a factor: its record as its digest covers it.")
            .gives(200, Shape::one::<Factor>()),
        Route::get::<ReadFactors, _, _>(PACKS, packs)
            .says("Lists the packs that come with this program, and which of them are active.")
            .gives(200, Shape::page::<FactorPack>()),
        Route::post::<ActivatePack, _, _>(ACTIVATE, activate)
            .says("Activates a pack; the activation is an entry of the audit log.")
            .without_body()
            .gives(200, Shape::one::<FactorPack>()),
        Route::get::<ReadFactors, _, _>(GWP_SETS, gwp_sets)
            .says("Lists the sets of global warming potentials.")
            .gives(200, Shape::page::<GwpSet>()),
        Route::get::<ReadFactors, _, _>(METHODS, methods_list)
            .says("Lists the methods of calculation, and what uses them.")
            .gives(200, Shape::page::<Method>()),
        Route::post::<ReadFactors, _, _>(CONVERT, convert)
            .says("Converts a quantity exactly.")
            .takes(&[Format::Json], Shape::one::<Conversion>())
            .gives(200, Shape::one::<Converted>()),
    ]
}

async fn list(State(app): State<App>, allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    params.only(&["limit", "cursor", "type", "boundary", "q"])?;
    let (parts, now) = (allowed.tenant.parts(), app.clock().now());
    let walk = Walk { route: FACTORS, params: &params };
    let after = cursors::decode(&parts.keys, walk, now)?.map(|place| place.after);
    let limit = params.limit()?;
    let kind = params.one("type")?;
    let boundary = params.read("boundary", "a boundary such as combustion", Boundary::parse)?;
    let text = params.one("q")?.map(str::to_lowercase);
    let holds = |factor: &envora_domain::factors::Factor, text: &str| {
        factor.key.to_lowercase().contains(text)
            || factor.provenance.words.iter().any(|word| word.to_lowercase().contains(text))
    };
    let mut found: Vec<_> = parts
        .library
        .factors()
        .filter(|factor| kind.is_none_or(|kind| factor.activity_type == kind))
        .filter(|factor| boundary.is_none_or(|boundary| factor.boundary == boundary))
        .filter(|factor| text.as_ref().is_none_or(|text| holds(factor, text)))
        .map(|factor| (factor.id.to_string(), factor))
        .filter(|(id, _)| after.as_ref().is_none_or(|after| id > after))
        .collect();
    found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let more = found.len() > limit;
    found.truncate(limit);
    let data = found.iter().map(|(_, factor)| wire(factor)).collect::<anyhow::Result<Vec<_>>>()?;
    let last = found.last().filter(|_| more).map(|(id, _)| id.clone());
    let next_cursor =
        last.map(|after| cursors::encode(&parts.keys, walk, Place { after, seq: 0 }, now));
    let next = next_cursor
        .as_ref()
        .map(|cursor| cursors::next_path(&allowed.tenant.path(FACTORS), &params, cursor));
    Ok(Reply::ok(&Page { data, next_cursor })?.next(next.as_deref()))
}

async fn read(
    allowed: Allowed<ReadFactors>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = FactorId::parse(&id).ok_or_else(nothing_here)?;
    let factor = allowed.tenant.parts().library.get(&id).ok_or_else(nothing_here)?;
    Reply::ok(&wire(factor)?)
}

fn wire(factor: &envora_domain::factors::Factor) -> anyhow::Result<Factor> {
    let record: BTreeMap<String, Value> = serde_json::from_str(&factor.canonical_json()?)?;
    Ok(Factor { id: factor.id.to_string(), pack: factor.pack.clone(), record })
}

async fn packs(allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    params.only(&[])?;
    let (parts, grant) = (allowed.tenant.parts(), allowed.grant);
    let active = parts.db.read(move |rd| packs_active(rd, &grant, u64::MAX)).await?;
    let data: Vec<FactorPack> =
        parts.library.packs().iter().map(|pack| pack_wire(pack, &active)).collect();
    Reply::ok(&Page { data, next_cursor: None })
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
        factors: pack.factors.len() as u64,
        licence: recipe.rights.licence.clone(),
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
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let (parts, grant, now) = (allowed.tenant.parts(), allowed.grant, app.clock().now());
    let pack =
        parts.library.packs().iter().find(|pack| pack.recipe.id == id).ok_or_else(nothing_here)?;
    let new = naming(pack);
    let activation = parts.db.write(move |tx| pack_activate(tx, &grant, &new, now)).await?;
    Reply::ok(&pack_wire(pack, &[activation]))
}

async fn gwp_sets(allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    params.only(&[])?;
    drop(allowed);
    let data: Vec<GwpSet> = gwp::GwpSet::ALL.iter().map(|set| set_wire(*set)).collect();
    Reply::ok(&Page { data, next_cursor: None })
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
    params.only(&[])?;
    drop(allowed);
    let data: Vec<Method> = methods::ALL.iter().map(method_wire).collect();
    Reply::ok(&Page { data, next_cursor: None })
}

fn method_wire(method: &methods::Method) -> Method {
    let mut types = Vec::new();
    let mut slots = Vec::new();
    for kind in catalogue::ALL {
        for slot in kind.slots.iter().filter(|slot| slot.methods.contains(&method.id)) {
            types.push(kind.code.to_owned());
            slots.push(slot.slot.as_str().to_owned());
        }
    }
    types.dedup();
    slots.sort_unstable();
    slots.dedup();
    Method {
        id: method.id.to_owned(),
        formula: method.formula.to_owned(),
        lacks: method.lacks.map(str::to_owned),
        types,
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
    let factor = path.rational().unwrap_or(Rational::ONE);
    let exact = Rational::from(number).times(&factor);
    Reply::ok(&Converted {
        quantity: exact.terminating().unwrap_or_else(|| exact.to_string()),
        unit: path.to,
        path: path.steps,
    })
}
