//! `…/factor-packs`: sets of factors, those of the program and those that an organization brings in.

use std::sync::Arc;

use anyhow::Context as _;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use envora_api::factors::{FactorPack, PackDiff, PackEdition, PackOrigin};
use envora_api::problems::{Problem, RowError, RowPlace};
use envora_api::spelling::did_you_mean;
use envora_domain::access::actions::{ActivatePack, ReadFactors, ReadSuppliers};
use envora_domain::factors::own::{self, Fault, OwnPack};
use envora_domain::factors::{Library, Pack};
use envora_ingest::tenant::TenantParts;
use envora_store::nouns::nouns_all;
use envora_store::packs::{
    NewPack, PACKS_MAX, PackActivation, PackAdded, StoredPack, pack_activate, packs_active,
};
use envora_store::suppliers::SupplierFields;
use envora_store::transaction::TenantTx;

use super::imports::file_name;
use crate::access::{Allowed, nothing_here};
use crate::answers::{Answer, Reply};
use crate::app::App;
use crate::bodies;
use crate::gate::{Format, body_format};
use crate::idempotency::{self, Sent, Written, once};
use crate::listing::{WHOLE, whole};
use crate::openapi::Shape;
use crate::params::Params;
use crate::refusals::Refusal;
use crate::routes::Route;

const PACKS: &str = "/v2/organizations/{org_id}/factor-packs";
const PACK: &str = "/v2/organizations/{org_id}/factor-packs/{id}";
const ACTIVATE: &str = "/v2/organizations/{org_id}/factor-packs/{id}/activate";
const DIFF: &str = "/v2/organizations/{org_id}/factor-packs/{id}/diff";

const VERSION: (&str, &str) =
    ("version", "The edition of an own pack by its version; the newest when absent.");

/// The routes of this file.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        Route::get::<ReadFactors, _, _>(PACKS, packs)
            .says("Lists the packs of factors, those of this program and the newest and active editions of your own, and which of them are active.")
            .asks(WHOLE)
            .gives(200, Shape::page::<FactorPack>()),
        Route::post::<ActivatePack, _, _>(PACKS, add)
            .says("Brings in a pack of your own factors, a table with a row for each. It is taken whole or not at all, and counts for nothing until it is activated. The same table again gives back what is there with 200.")
            .asks(&[("pack", "The pack's name, where the table has no column of that name.")])
            .takes(&[Format::Csv], Shape::Free("The table: a header and a row for each factor."))
            .gives(201, Shape::one::<FactorPack>()),
        Route::get::<ReadFactors, _, _>(PACK, one)
            .says("Reads a pack; of your own, with all its editions.")
            .asks(&[VERSION])
            .gives(200, Shape::one::<FactorPack>()),
        Route::post::<ActivatePack, _, _>(ACTIVATE, activate)
            .says("Activates a pack: everything is calculated anew with it, and what is answered changes at once when that is done.")
            .asks(&[VERSION])
            .without_body()
            .gives(200, Shape::one::<FactorPack>()),
        Route::get::<ReadFactors, _, _>(DIFF, diff)
            .says("Tells what activating a pack would change, factor by factor, against the edition that is active or another.")
            .asks(&[VERSION, ("against", "The edition to hold it against by its version; the active one when absent.")])
            .gives(200, Shape::one::<PackDiff>()),
    ]
}

pub(crate) async fn packs(allowed: Allowed<ReadFactors>, params: Params) -> Answer {
    let cut = whole::<FactorPack>(&params)?;
    let parts = Arc::clone(allowed.tenant.parts());
    let data = tokio::task::spawn_blocking(move || listed(&parts)).await;
    cut(data.context("list the packs")??)
}

fn listed(parts: &TenantParts) -> anyhow::Result<Vec<FactorPack>> {
    let (library, known) = (parts.library(), Known::read(parts)?);
    Ok(library.packs().iter().map(|pack| known.wire(pack)).collect())
}

/// What is known of packs beside their texts.
pub(crate) struct Known {
    active: Vec<PackActivation>,
    stored: Vec<StoredPack>,
}

impl Known {
    /// Reads it. Blocks.
    fn read(parts: &TenantParts) -> anyhow::Result<Self> {
        let grant = parts.own.read_factors;
        let active = parts.db.read_blocking(move |rd| packs_active(rd, &grant, u64::MAX))?;
        Ok(Self { active, stored: parts.packs_stored()? })
    }

    fn wire(&self, pack: &Pack) -> FactorPack {
        let recipe = &pack.recipe;
        let is_active = |digest| self.active.iter().find(|active| active.pack.digest == digest);
        let activation = is_active(pack.digest);
        let own = self.stored.iter().filter(|one| pack.is_own && one.new.pack.pack == recipe.id);
        let this = own.clone().find(|one| one.new.pack.digest == pack.digest);
        let edition = |one: &StoredPack| PackEdition {
            version: one.new.pack.version.clone(),
            sha256: one.new.pack.digest.hex(),
            factors: one.new.factors,
            file_name: one.new.file_name.clone(),
            added_at: one.added_at,
            seq: one.seq,
            active: is_active(one.new.pack.digest).is_some(),
        };
        FactorPack {
            id: recipe.id.clone(),
            version: recipe.version.clone(),
            origin: if pack.is_own { PackOrigin::Organization } else { PackOrigin::Program },
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
            file_name: this.map(|one| one.new.file_name.clone()),
            added_at: this.map(|one| one.added_at),
            editions: own.rev().map(edition).collect(),
        }
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

/// A pack of this name: of own ones the edition of this version, or the newest. Blocks.
fn named(
    parts: &TenantParts,
    (id, version): (&str, Option<&str>),
    known: &Known,
) -> anyhow::Result<Option<Pack>> {
    let library = parts.library();
    let fits = |held: &str| version.is_none_or(|version| version == held);
    let program = library.packs().iter().find(|pack| !pack.is_own && pack.recipe.id == id);
    if let Some(pack) = program {
        return Ok(Some(pack).filter(|pack| fits(&pack.recipe.version)).cloned());
    }
    let mut editions = known.stored.iter().rev().filter(|one| one.new.pack.pack == id);
    let Some(stored) = editions.find(|one| fits(&one.new.pack.version)) else { return Ok(None) };
    at_hand(parts, &library, stored).map(Some)
}

/// An own pack, from memory or from its sealed text.
fn at_hand(parts: &TenantParts, library: &Library, stored: &StoredPack) -> anyhow::Result<Pack> {
    let digest = stored.new.pack.digest;
    let held = library.packs().iter().find(|pack| pack.is_own && pack.digest == digest);
    held.cloned().map_or_else(|| parts.own_pack(stored), Ok)
}

pub(crate) async fn one(
    State(app): State<App>,
    allowed: Allowed<ReadFactors>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["version"])?;
    let version = params.one("version")?.map(str::to_owned);
    let parts = Arc::clone(allowed.tenant.parts());
    let read = move || -> anyhow::Result<Option<FactorPack>> {
        let known = Known::read(&parts)?;
        Ok(named(&parts, (&id, version.as_deref()), &known)?.map(|pack| known.wire(&pack)))
    };
    let found = app.tracker().spawn_blocking(read).await.context("read a pack")??;
    Reply::ok(&found.ok_or_else(nothing_here)?)
}

async fn add(
    State(app): State<App>,
    allowed: Allowed<ActivatePack>,
    OriginalUri(uri): OriginalUri,
    (params, headers): (Params, HeaderMap),
    body: Body,
) -> Answer {
    params.only(&["pack"])?;
    body_format(&headers, &[Format::Csv])?;
    let (body, _turn) = app.turn(&headers, body).await?;
    let bytes = bodies::read(&headers, body, own::BYTES_MAX).await?;
    let parts = Arc::clone(allowed.tenant.parts());
    let sent = Sent {
        actor: &allowed.actor,
        uri: &uri,
        params: &params,
        headers: &headers,
        body: *blake3::hash(&bytes).as_bytes(),
    };
    let marked = idempotency::marked(&parts, &sent)?;
    let (grant, now) = (allowed.grant, app.clock().now());
    let reads = allowed.also::<ReadSuppliers>()?;
    let (name, file) = (params.one("pack")?.map(str::to_owned), file_name(&headers));
    let keeper = Arc::clone(&parts);
    let keep = move || -> Result<_, Refusal> {
        let read = own::read(&bytes, name.as_deref()).map_err(|faults| unfit(&faults))?;
        suppliers_known(&keeper, &reads, &read)?;
        let kept = keeper.keep_pack(&read, (&file, &bytes)).context("keep a pack of factors")?;
        Ok((kept, read.pack))
    };
    let (kept, pack) = app.tracker().spawn_blocking(keep).await.context("read a table")??;
    let work = move |tx: &mut TenantTx| {
        let (status, stored) = match kept.record(tx, &grant, now)? {
            PackAdded::New(stored) => (StatusCode::CREATED, stored),
            PackAdded::Known(stored) => (StatusCode::OK, stored),
            PackAdded::Full => return Ok(Err(full())),
        };
        // Its editions are told by the list: here it is about this one.
        let known = Known { active: Vec::new(), stored: vec![stored] };
        Ok(Ok(Written::of(status, &known.wire(&pack))?))
    };
    let written = once(&parts, grant, (marked, now), work).await?;
    reload(&app, parts).await?;
    Ok(written.reply())
}

fn full() -> Problem {
    Problem::conflict(format!(
        "An organization keeps at most {PACKS_MAX} editions of packs. Nothing was stored."
    ))
}

/// Takes up what was brought in or activated.
async fn reload(app: &App, parts: Arc<TenantParts>) -> Result<(), Refusal> {
    let loaded = app.tracker().spawn_blocking(move || parts.load_packs()).await;
    loaded.context("load the packs")??;
    Ok(())
}

/// Everything that is wrong with a table.
fn unfit(faults: &[Fault]) -> Problem {
    let errors = faults.iter().map(row_error).collect();
    let many = match faults.len() {
        1 => "one thing is wrong with it".to_owned(),
        many => format!("{many} things are wrong with it"),
    };
    Problem::validation_failed(format!(
        "This table of factors cannot be taken in: {many}. Nothing was stored."
    ))
    .with_errors(errors)
}

fn row_error(fault: &Fault) -> RowError {
    let place = RowPlace { record: fault.row, line: fault.line };
    RowError {
        code: fault.code.as_str().to_owned(),
        row: (fault.line > 0).then_some(place),
        column: fault.column.clone(),
        value: fault.value.clone(),
        detail: fault.detail.clone(),
        hint: Some(fault.hint.clone()),
        ..RowError::default()
    }
}

/// Refuses a table that names suppliers nobody has defined: their factors could never be taken.
fn suppliers_known(
    parts: &TenantParts,
    grant: &envora_domain::access::Grant<ReadSuppliers>,
    read: &OwnPack,
) -> Result<(), Refusal> {
    if read.suppliers.is_empty() {
        return Ok(());
    }
    let grant = *grant;
    let all = parts.db.read_blocking(move |rd| nouns_all::<SupplierFields>(rd, &grant))?;
    let codes: Vec<&str> = all.iter().map(|supplier| supplier.fields.code.as_str()).collect();
    let unknown = read.suppliers.iter().filter(|(code, _)| !codes.contains(&code.as_str()));
    let mut faults: Vec<Fault> = unknown
        .map(|(code, (row, line))| Fault {
            code: own::FaultCode::UnknownSupplier,
            row: *row,
            line: *line,
            column: Some("supplier_code".to_owned()),
            value: Some(code.clone()),
            detail: format!("no supplier is known as {code}"),
            hint: did_you_mean(code, &codes).map_or_else(
                || "add the supplier first, such as with `envora suppliers push`".to_owned(),
                |near| format!("did you mean {near}? Else add the supplier first"),
            ),
        })
        .collect();
    faults.sort_by_key(|fault| fault.row);
    if faults.is_empty() { Ok(()) } else { Err(unfit(&faults).into()) }
}

async fn activate(
    State(app): State<App>,
    allowed: Allowed<ActivatePack>,
    OriginalUri(uri): OriginalUri,
    Path((_, id)): Path<(String, String)>,
    (params, headers): (Params, HeaderMap),
) -> Answer {
    params.only(&["version"])?;
    let (parts, grant, now) =
        (Arc::clone(allowed.tenant.parts()), allowed.grant, app.clock().now());
    let (reader, version) = (Arc::clone(&parts), params.one("version")?.map(str::to_owned));
    let find = move || -> anyhow::Result<Option<(Pack, Known)>> {
        let known = Known::read(&reader)?;
        Ok(named(&reader, (&id, version.as_deref()), &known)?.map(|pack| (pack, known)))
    };
    let found = app.tracker().spawn_blocking(find).await.context("find a pack")??;
    let (pack, known) = found.ok_or_else(nothing_here)?;
    let sent = Sent {
        actor: &allowed.actor,
        uri: &uri,
        params: &params,
        headers: &headers,
        body: *blake3::hash(b"").as_bytes(),
    };
    let marked = idempotency::marked(&parts, &sent)?;
    let work = move |tx: &mut TenantTx| {
        let activation = pack_activate(tx, &grant, &naming(&pack), now)?;
        let others = known.active.into_iter();
        let mut active: Vec<PackActivation> =
            others.filter(|other| other.pack.pack != activation.pack.pack).collect();
        active.push(activation);
        let told = Known { active, ..known }.wire(&pack);
        Ok(Ok(Written::of(StatusCode::OK, &told)?))
    };
    let written = once(&parts, grant, (marked, now), work).await?;
    reload(&app, parts).await?;
    allowed.tenant.notify();
    Ok(written.reply())
}

async fn diff(
    State(app): State<App>,
    allowed: Allowed<ReadFactors>,
    Path((_, id)): Path<(String, String)>,
    params: Params,
) -> Answer {
    params.only(&["version", "against"])?;
    let parts = Arc::clone(allowed.tenant.parts());
    let word = |name| params.one(name).map(|word| word.map(str::to_owned));
    let (version, against) = (word("version")?, word("against")?);
    let read = move || -> anyhow::Result<Option<PackDiff>> {
        let known = Known::read(&parts)?;
        let Some(after) = named(&parts, (&id, version.as_deref()), &known)? else {
            return Ok(None);
        };
        let active = known.active.iter().find(|active| active.pack.pack == id);
        let earlier = against.or_else(|| active.map(|active| active.pack.version.clone()));
        let before = match earlier {
            None => None,
            Some(version) => match named(&parts, (&id, Some(&version)), &known)? {
                None => return Ok(None),
                before => before,
            },
        };
        Ok(Some(PackDiff::between(before.as_ref(), &after)))
    };
    let found = app.tracker().spawn_blocking(read).await.context("compare packs")??;
    Reply::ok(&found.ok_or_else(nothing_here)?)
}
