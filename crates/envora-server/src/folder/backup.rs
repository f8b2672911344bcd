//! `backup`: a copy of a folder that no process has open, in two parts: data, and the keys that open
//! it, to be kept apart. A backup that was not examined is none, so making one ends with that.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use envora_crypto::seal::Passphrase;
use envora_domain::hash::hex;
use envora_domain::planted;

use crate::app::World;
use crate::folder::copies::{self, MANIFEST, Manifest, Part};
use crate::folder::databases::Databases;
use crate::folder::doctor::{self, Check, Health};
use crate::folder::lock::FolderLock;
use crate::folder::{FolderError, Places};

/// Where the two parts go.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The data.
    pub data: PathBuf,
    /// The keys.
    pub keys: PathBuf,
}

/// What was copied.
#[derive(Clone, Debug)]
pub struct Made {
    /// The data's list.
    pub data: Manifest,
    /// The keys' list.
    pub keys: Manifest,
}

/// Copies a folder that no process has open, and examines the copy. Blocks.
///
/// # Errors
/// [`FolderError`]: the folder is in use, is on a server's databases, a target is not vacant or not
/// apart, or the copy does not hold what was acknowledged.
pub fn create(
    folder: &Path,
    to: &Parts,
    world: &World,
    passphrase: Option<&Passphrase>,
) -> Result<Made, FolderError> {
    let places = Places::below(folder);
    if !places.seal().exists() && !places.map().exists() {
        return Err(FolderError::Missing(folder.to_owned()));
    }
    if Databases::of(&places)? != Databases::Files {
        return Err(FolderError::OnServer);
    }
    apart(folder, to)?;
    let _lock = FolderLock::take(&places.lock())?;
    let mut id = [0; 8];
    world.entropy.fill(&mut id);
    let part = |part: Part, (from, to): (&Path, &Path), files: &[String]| {
        let manifest = Manifest {
            v: 1,
            part,
            backup: hex(&id),
            at: world.clock.now().to_string(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            files: copies::copy_all(&*world.disk, (from, to), files)?,
        };
        manifest.write(&*world.disk, to).map(|()| manifest)
    };
    let data = part(Part::Data, (places.root(), &to.data), &data_files(&places)?)
        .context("copy the data")?;
    let keys = part(Part::Keys, (&places.keys(), &to.keys), &key_files(&places.keys())?)
        .context("copy the keys")?;
    if !planted::planted("backup_unverified") {
        let checks = verify(&to.data, Some(&to.keys), world, passphrase);
        if let Some(bad) = checks.into_iter().find(|check| check.health == Health::Bad) {
            return Err(FolderError::Unsound { what: format!("{}: {}", bad.name, bad.detail) });
        }
    }
    Ok(Made { data, keys })
}

/// Both targets are vacant, and neither lies in the other or in the folder.
fn apart(folder: &Path, to: &Parts) -> Result<(), FolderError> {
    for target in [&to.data, &to.keys] {
        vacant(target)?;
    }
    let resolved = [folder, &to.data, &to.keys].map(copies::resolved);
    for (place, one) in resolved.iter().enumerate() {
        for other in resolved.iter().skip(place + 1) {
            if one.starts_with(other) || other.starts_with(one) {
                return Err(FolderError::NotApart { one: one.clone(), other: other.clone() });
            }
        }
    }
    Ok(())
}

/// Nothing is overwritten.
pub(crate) fn vacant(target: &Path) -> Result<(), FolderError> {
    match copies::is_vacant(target) {
        Ok(true) => Ok(()),
        Ok(false) => Err(FolderError::NotEmpty(target.to_owned())),
        Err(error) => {
            let context = format!("look at {}", target.display());
            Err(anyhow::Error::from(error).context(context).into())
        }
    }
}

/// What belongs to the data: not the lock, not what `SQLite` makes anew, not what is being written.
fn data_files(places: &Places) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    if places.settings().exists() {
        files.push("envora.toml".to_owned());
    }
    for (below, folder) in [("instance", places.instance()), ("tenants", places.tenants())] {
        files.extend(
            copies::files_below(&folder)?.into_iter().map(|file| format!("{below}/{file}")),
        );
    }
    let left_out =
        |file: &str| file.ends_with(".db-shm") || file.split('/').any(|part| part == "tmp");
    files.retain(|file| !left_out(file));
    Ok(files)
}

/// What belongs to the keys, the list of an earlier copy aside.
pub(crate) fn key_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut files = copies::files_below(folder)?;
    files.retain(|file| !file.ends_with(".new") && file != MANIFEST);
    Ok(files)
}

/// Examines a backup: every file against its list and, with the keys, everything that was
/// acknowledged: log, anchor, segments. Blocks.
#[must_use]
pub fn verify(
    data: &Path,
    keys: Option<&Path>,
    world: &World,
    passphrase: Option<&Passphrase>,
) -> Vec<Check> {
    let mut checks = digests(data, Part::Data);
    checks.extend(keys.map(|keys| digests(keys, Part::Keys)).unwrap_or_default());
    if checks.iter().any(|check| check.health == Health::Bad) {
        return checks;
    }
    let Some(keys) = keys else {
        checks.push(Check::note(
            "contents",
            "not opened: its keys are elsewhere",
            "name the keys' part with --keys",
        ));
        return checks;
    };
    match Opened::of(data, keys, world) {
        Ok(opened) => {
            let places = &opened.places;
            checks.extend(doctor::contents((places, &Databases::Files), world, passphrase));
        }
        Err(error) => checks.push(Check::bad("contents", &error.into())),
    }
    checks
}

/// Every file of a part against its list.
pub(crate) fn digests(folder: &Path, part: Part) -> Vec<Check> {
    let name = match part {
        Part::Data => "data",
        Part::Keys => "keys",
    };
    let unsound = |what: String| FolderError::Unsound { what };
    let bad = |name: &str, what: String| vec![Check::bad(name, &unsound(what))];
    let manifest = match Manifest::read(folder) {
        Ok(Some(manifest)) => manifest,
        // The key store of a folder that is lost serves as well as a copy of it.
        Ok(None) if part == Part::Keys && folder.join("seal").exists() => {
            let what = format!("{} is a key store without a list of its files", folder.display());
            return vec![Check::note(name, what, "none is needed to restore with it")];
        }
        Ok(None) => {
            let there = folder.join(MANIFEST);
            return bad(
                name,
                format!("{} is not there: no backup, or one cut short", there.display()),
            );
        }
        Err(error) => return bad(name, format!("{error:#}")),
    };
    if manifest.part != part {
        return bad(name, format!("{} holds the other part", folder.display()));
    }
    match manifest.faults(folder) {
        Ok(faults) if faults.is_empty() => {
            let (count, bytes, at) = (manifest.files.len(), manifest.bytes(), &manifest.at);
            let what = format!("{count} files, {bytes} bytes, as they were written at {at}");
            vec![Check::good(name, what)]
        }
        Ok(faults) => {
            let check = |fault: &copies::Fault| {
                let file = folder.join(&fault.file).display().to_string();
                Check::bad(&file, &unsound(fault.what.clone()))
            };
            faults.iter().map(check).collect()
        }
        Err(error) => bad(name, format!("{error:#}")),
    }
}

/// A backup laid out to be opened beside itself: opening a database writes into its folder, and what
/// was backed up must stay as it is. Removed when it goes.
struct Opened {
    places: Places,
    disk: std::sync::Arc<dyn envora_domain::ports::Disk>,
}

impl Opened {
    fn of(data: &Path, keys: &Path, world: &World) -> anyhow::Result<Self> {
        let mut name = copies::resolved(data).into_os_string();
        name.push(format!(".verifying-{}", std::process::id()));
        let root = PathBuf::from(name);
        let opened = Self {
            places: Places::below(&root).with_keys(keys),
            disk: std::sync::Arc::clone(&world.disk),
        };
        opened.fill(data, &root)?;
        Ok(opened)
    }

    fn fill(&self, data: &Path, root: &Path) -> anyhow::Result<()> {
        self.disk.create_dir(root).with_context(|| format!("make {}", root.display()))?;
        for file in copies::files_below(data)? {
            let (from, to) = (data.join(&file), root.join(&file));
            if let Some(folder) = to.parent() {
                self.disk.create_dir(folder)?;
            }
            // Sealed files are only read: one more name for them is enough.
            let sealed = !file.contains(".db") && fs::hard_link(&from, &to).is_ok();
            if !sealed {
                fs::copy(&from, &to).with_context(|| format!("copy {file}"))?;
            }
        }
        Ok(())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(self.places.root()) {
            tracing::warn!(cause = %error, "what a backup was examined in was not removed");
        }
    }
}
