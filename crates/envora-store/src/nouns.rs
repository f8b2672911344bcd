//! Nouns that an organization defines by a code of its own: facilities, sources, entities, suppliers.
//!
//! Each change is a version with its own seq and leaf, so that old results stay what they were. What is
//! said about a noun, and its statements, are in the noun's file; how it is kept is here, once.

use envora_domain::access::{Action, Grant};
use envora_domain::id::{Id, Kind};
use envora_domain::time::{Day, Timestamp};

use crate::audit::{LeafDraft, audit_append, version_digest};
use crate::row::Row;
use crate::statement::Statement;
use crate::transaction::{TenantReader, TenantTx};
use crate::value::Value;

/// The statements of a noun. Columns: the id, its fields, version, seq, at, archived_at.
#[derive(Clone, Copy, Debug)]
pub struct Statements {
    pub(crate) head_put: &'static Statement,
    pub(crate) version_add: &'static Statement,
    pub(crate) by_id: &'static Statement,
    pub(crate) by_code: &'static Statement,
    pub(crate) all: &'static Statement,
    pub(crate) versions: &'static Statement,
    pub(crate) last: &'static Statement,
}

/// What is said about one kind of noun.
pub trait Noun: Clone + PartialEq + Send + Sync + Sized + 'static {
    /// The kind of its id.
    type Kind: Kind + 'static;
    /// Needed to read it.
    type Read: Action;
    /// Needed to add or change it.
    type Edit: Action;
    /// Its name, as in `unknown_facility`; goes into the digest of its versions.
    const NAME: &'static str;
    /// Its statements.
    const STATEMENTS: Statements;

    /// Its id.
    fn id(&self) -> Id<Self::Kind>;
    /// The customer's own code, unique among its kind.
    fn code(&self) -> &str;
    /// Its fields after the id, in the order of their columns.
    fn values(&self) -> Vec<Value<'_>>;
    /// Its fields after the id as texts: what the digest of a version is made of.
    fn words(&self) -> Vec<String>;
    /// Reads id and fields back, in the order of their columns.
    ///
    /// # Errors
    /// A column is not what it should be.
    fn read(row: &mut Row<'_>) -> anyhow::Result<Self>;
}

/// A noun's version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<N> {
    /// What is said about it.
    pub fields: N,
    /// Counted from 1.
    pub version: u64,
    /// The seq from which calculation sees it.
    pub seq: u64,
    /// When it was saved.
    pub at: Timestamp,
    /// Since when it is archived. That takes it out of lists and nothing else: its words mean what they
    /// meant, so no figure changes.
    pub archived: Option<Timestamp>,
}

/// What came of saving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saving<T> {
    /// A new version.
    Saved(T),
    /// Nothing changed: the version that says the same.
    Unchanged(T),
    /// Another one has this code.
    CodeTaken,
}

/// Adds a noun, or a version of one, with its leaf. What says the same adds nothing; an archived one
/// stays so.
///
/// # Errors
/// The database's.
pub fn noun_put<N: Noun>(
    tx: &mut TenantTx,
    grant: &Grant<N::Edit>,
    fields: &N,
    now: Timestamp,
) -> anyhow::Result<Saving<Version<N>>> {
    tx.allow(grant)?;
    let before = tx.first(N::STATEMENTS.by_id, &[fields.id().into()], version::<N>)?;
    let archived = before.and_then(|before| before.archived);
    noun_put_as(tx, grant, (fields, archived), now)
}

/// [`noun_put`], and says since when it is archived, or that it is not.
///
/// # Errors
/// The database's.
pub fn noun_put_as<N: Noun>(
    tx: &mut TenantTx,
    grant: &Grant<N::Edit>,
    (fields, archived): (&N, Option<Timestamp>),
    now: Timestamp,
) -> anyhow::Result<Saving<Version<N>>> {
    tx.allow(grant)?;
    let (id, code, sql) = (fields.id(), fields.code(), N::STATEMENTS);
    let holder = tx.first(sql.by_code, &[code.into()], version::<N>)?;
    if holder.is_some_and(|holder| holder.fields.id() != id) {
        return Ok(Saving::CodeTaken);
    }
    let before = tx.first(sql.by_id, &[id.into()], version::<N>)?;
    let says_so = |before: &&Version<N>| before.fields == *fields && before.archived == archived;
    if let Some(same) = before.as_ref().filter(says_so) {
        return Ok(Saving::Unchanged(same.clone()));
    }
    let version = before.map_or(1, |before| before.version + 1);
    let mut words = fields.words();
    if let Some(since) = archived {
        words.extend(["archived".to_owned(), since.to_string()]);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let draft = LeafDraft::config(id.bytes(), version_digest(N::NAME, &words), grant.actor());
    let seq = audit_append(tx, &draft, now)?;
    tx.execute_one(sql.head_put, &[id.into(), code.into(), version.into()])?;
    let mut values = vec![id.into(), version.into(), seq.into()];
    values.extend(fields.values());
    let since = archived.map_or(0, Timestamp::as_micros);
    values.extend::<[Value<'_>; 3]>([now.into(), grant.actor().into(), since.into()]);
    tx.execute_one(sql.version_add, &values)?;
    Ok(Saving::Saved(Version { fields: fields.clone(), version, seq, at: now, archived }))
}

fn version<N: Noun>(row: &mut Row<'_>) -> anyhow::Result<Version<N>> {
    Ok(Version {
        fields: N::read(row)?,
        version: row.count()?,
        seq: row.count()?,
        at: row.timestamp()?,
        archived: row.timestamp_or_zero()?,
    })
}

/// The noun of this id, as it is now.
///
/// # Errors
/// The database's.
pub fn noun_by_id<N: Noun>(
    rd: &mut TenantReader,
    grant: &Grant<N::Read>,
    id: Id<N::Kind>,
) -> anyhow::Result<Option<Version<N>>> {
    rd.allow(grant)?;
    rd.first(N::STATEMENTS.by_id, &[id.into()], version::<N>)
}

/// The noun that has this code now.
///
/// # Errors
/// The database's.
pub fn noun_by_code<N: Noun>(
    rd: &mut TenantReader,
    grant: &Grant<N::Read>,
    code: &str,
) -> anyhow::Result<Option<Version<N>>> {
    rd.allow(grant)?;
    rd.first(N::STATEMENTS.by_code, &[code.into()], version::<N>)
}

/// All of a kind as they are now, by code; the archived ones too.
///
/// # Errors
/// The database's.
pub fn nouns_all<N: Noun>(
    rd: &mut TenantReader,
    grant: &Grant<N::Read>,
) -> anyhow::Result<Vec<Version<N>>> {
    rd.allow(grant)?;
    rd.all(N::STATEMENTS.all, &[], version::<N>)
}

/// All versions up to this seq, in its order: what calculation resolves words with.
///
/// # Errors
/// The database's.
pub fn noun_versions<N: Noun>(
    rd: &mut TenantReader,
    grant: &Grant<N::Read>,
    seq: u64,
) -> anyhow::Result<Vec<Version<N>>> {
    rd.allow(grant)?;
    rd.all(N::STATEMENTS.versions, &[seq.into()], version::<N>)
}

/// The seq of the last version of any, or -1: what was read before still holds as long as it is the same.
///
/// # Errors
/// The database's.
pub fn noun_last_seq<N: Noun>(
    rd: &mut TenantReader,
    grant: &Grant<N::Read>,
) -> anyhow::Result<i64> {
    rd.allow(grant)?;
    rd.one(N::STATEMENTS.last, &[], |row| row.int())
}

/// A day as the digest of a version has it.
pub(crate) fn day_word(day: Option<Day>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}
