//! `restore`: a folder from a backup's two parts, into a place that is empty, examined before it is
//! said to be there. Keys that were destroyed since stay destroyed, and a log that is shorter than it
//! once was is not taken for the whole.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_crypto::anchor::Anchor;
use envora_crypto::journal;
use envora_crypto::provider::{KeyError, MasterState};
use envora_crypto::seal::{Passphrase, Seal};
use envora_crypto::tenant::{TenantKeys, replay_journal};
use envora_domain::id::TenantId;
use envora_domain::planted;
use envora_identity::policy::own_work;
use envora_store::audit::audit_head;
use envora_store::restores::{GivenUp, restore_accept};

use crate::app::World;
use crate::folder::copies::{self, Manifest, Part};
use crate::folder::databases::Databases;
use crate::folder::doctor::{self, Check, Health};
use crate::folder::lock::FolderLock;
use crate::folder::{FolderError, Places, anchors, backup, open};

/// What a folder is made of.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The data of a backup.
    pub data: PathBuf,
    /// The keys of a backup, or the key store of a folder whose data is lost.
    pub keys: PathBuf,
    /// Other copies of the key store, however new or old: what their journals say is destroyed stays
    /// destroyed, and the furthest of their anchors counts.
    pub other_keys: Vec<PathBuf>,
}

/// What happens to a log that is shorter than its anchor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// Nothing is restored.
    Refuse,
    /// What came later is given up: the log says so, and the epoch rises.
    Accept,
}

/// What was restored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// When the data was copied, RFC 3339.
    pub at: String,
    /// How many bytes of data and keys.
    pub bytes: u64,
    /// What was found in the folder that is there now; nothing of it is bad.
    pub checks: Vec<Check>,
}

/// Makes a folder from a backup. Blocks.
///
/// # Errors
/// [`FolderError`]; nothing is left in the target then.
pub fn restore(
    folder: &Path,
    (from, older): (&Sources, Older),
    world: &World,
    passphrase: Option<&Passphrase>,
) -> Result<Restored, FolderError> {
    backup::vacant(folder)?;
    for (part, path) in [(Part::Data, &from.data), (Part::Keys, &from.keys)] {
        let checks = backup::digests(path, part);
        if let Some(bad) = checks.into_iter().find(|check| check.health == Health::Bad) {
            return Err(FolderError::Unsound { what: format!("{}: {}", bad.name, bad.detail) });
        }
    }
    let was_there = folder.exists();
    let made = fill(folder, (from, older), world, passphrase);
    if made.is_err() {
        // What is half there must not be taken for whole. The target was empty before.
        let removed = fs::remove_dir_all(folder);
        if was_there {
            drop(removed.and_then(|()| world.disk.create_dir(folder)));
        }
    }
    made
}

fn fill(
    folder: &Path,
    (from, older): (&Sources, Older),
    world: &World,
    passphrase: Option<&Passphrase>,
) -> Result<Restored, FolderError> {
    let (places, disk) = (Places::below(folder), &*world.disk);
    let manifest = Manifest::read(&from.data)?.context("the data has no list")?;
    // Whoever finds neither map nor seal says that there is no folder: these two come last.
    let (map, mut data): (Vec<_>, Vec<_>) =
        manifest.files.keys().cloned().partition(|file| file == "instance/map.json");
    let mut copied = copies::copy_all(disk, (&from.data, folder), &data)?;
    let keys = backup::key_files(&from.keys)?;
    copied.extend(copies::copy_all(disk, (&from.keys, &places.keys()), &keys)?);
    copied.extend(copies::copy_all(disk, (&from.data, folder), &map)?);
    data.extend(map);
    if let Some(changed) = data.iter().find(|file| copied.get(*file) != manifest.files.get(*file)) {
        return Err(FolderError::Unsound { what: format!("{changed}: it changed meanwhile") });
    }
    if Databases::of(&places)? != Databases::Files {
        return Err(FolderError::OnServer);
    }
    let lock = FolderLock::take(&places.lock())?;
    let seal = Seal::open(disk, &places.seal(), passphrase).map_err(FolderError::Keys)?;
    let map = open::read_map(&places, world)?;
    let written = open::as_written(&map, &seal);
    let store = open::key_store(&places, seal, world);
    written.map_err(|foreign| open::foreign_or_locked(&map, &store, foreign))?;
    for tenant in map.tenants() {
        if !planted::planted("restore_skips_journal") {
            destroy_again((&places, tenant), from, world)?;
            let master = store.provider.describe(tenant).map_err(FolderError::Keys)?;
            if let MasterState::Destroyed { at } = master.state {
                store.provider.destroy(tenant, at).map_err(FolderError::Keys)?;
            }
        }
        match TenantKeys::open(store.clone(), tenant) {
            Ok(keys) => settle((&places, &keys), (from, older), world)?,
            // Examining the folder says so; the others are whole.
            Err(KeyError::Destroyed) => {}
            Err(error) => return Err(FolderError::Keys(error)),
        }
    }
    let checks = doctor::contents((&places, &Databases::Files), world, passphrase);
    drop(lock);
    if let Some(bad) = checks.iter().find(|check| check.health == Health::Bad) {
        return Err(FolderError::Unsound { what: format!("{}: {}", bad.name, bad.detail) });
    }
    let bytes = copied.values().map(|file| file.bytes).sum();
    Ok(Restored { at: manifest.at, bytes, checks })
}

/// Every copy of the key store, that of the backup aside.
fn others(from: &Sources, tenant: TenantId) -> impl Iterator<Item = PathBuf> + '_ {
    from.other_keys.iter().map(move |keys| keys.join(tenant.hex()))
}

/// Plays every journal back before anything is opened.
fn destroy_again(
    (places, tenant): (&Places, TenantId),
    from: &Sources,
    world: &World,
) -> Result<(), FolderError> {
    let (disk, own) = (&*world.disk, places.keys().join(tenant.hex()));
    for other in others(from, tenant) {
        for destruction in journal::read(disk, &other).map_err(FolderError::Keys)? {
            journal::record(disk, &own, destruction).map_err(FolderError::Keys)?;
        }
    }
    replay_journal(disk, &own).map_err(FolderError::Keys)
}

/// Holds the log against the furthest anchor, and goes on from an older one only when told to.
fn settle(
    (places, keys): (&Places, &TenantKeys),
    (from, older): (&Sources, Older),
    world: &World,
) -> Result<(), FolderError> {
    let mut anchor = keys.read_anchor().map_err(FolderError::Keys)?;
    for other in others(from, keys.tenant()) {
        let found = keys.read_anchor_of(&other).map_err(FolderError::Keys)?;
        if let Some(found) = found.filter(|found| order(found) > order(&anchor)) {
            anchor = found;
        }
    }
    keys.write_anchor(&anchor).map_err(FolderError::Keys)?;
    let (db, _) = open::bare((places, &Databases::Files), world, keys)?;
    let mut held = anchors::check(&db, keys);
    if older == Older::Accept && matches!(held, Err(FolderError::BehindAnchor { .. })) {
        held = go_on(&db, (keys, anchor), world);
    }
    db.close();
    held
}

const fn order(anchor: &Anchor) -> (u64, u64) {
    (anchor.generation, anchor.size)
}

/// Gives up what came later: a leaf with the lost root, a higher epoch, an anchor of the next
/// generation.
fn go_on(
    db: &envora_store::database::TenantDb,
    (keys, anchor): (&TenantKeys, Anchor),
    world: &World,
) -> Result<(), FolderError> {
    let (grant, now) = (own_work(keys.tenant()), world.clock.now());
    let given_up = GivenUp { size: anchor.size, root: anchor.root };
    db.write_blocking(move |tx| restore_accept(tx, &grant, given_up, now))
        .context("write down what is given up")?;
    let head = db.read_blocking(audit_head).context("read the log's head")?;
    let next = Anchor { generation: anchor.generation + 1, size: head.size, root: head.root };
    keys.write_anchor(&next).map_err(FolderError::Keys)?;
    anchors::check(db, keys)
}
