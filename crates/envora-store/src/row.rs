//! A row of an answer, read column by column in the order of the SELECT list.

use anyhow::{Context as _, anyhow};
use envora_domain::decimal::Mass;
use envora_domain::hash::Digest;
use envora_domain::id::Id;
use envora_domain::time::{Day, Timestamp};

use crate::value::exact_from_bytes;

enum Columns<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// One row; each getter takes the next column.
pub struct Row<'r> {
    columns: Columns<'r>,
    next: usize,
}

impl<'r> Row<'r> {
    pub(crate) const fn sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self { columns: Columns::Sqlite(row), next: 0 }
    }

    pub(crate) const fn postgres(row: &'r tokio_postgres::Row) -> Self {
        Self { columns: Columns::Postgres(row), next: 0 }
    }

    fn column<T>(&mut self) -> anyhow::Result<T>
    where
        T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let place = self.next;
        self.next += 1;
        match &self.columns {
            Columns::Sqlite(row) => row.get(place).map_err(anyhow::Error::from),
            Columns::Postgres(row) => row.try_get(place).map_err(anyhow::Error::from),
        }
        .with_context(|| format!("read column {place}"))
    }

    /// The next column, an integer.
    ///
    /// # Errors
    /// The column is missing or of another type; likewise for every getter.
    pub fn int(&mut self) -> anyhow::Result<i64> {
        self.column()
    }

    /// An integer or NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn int_maybe(&mut self) -> anyhow::Result<Option<i64>> {
        self.column()
    }

    /// A word.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn text(&mut self) -> anyhow::Result<String> {
        self.column()
    }

    /// Bytes.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn blob(&mut self) -> anyhow::Result<Vec<u8>> {
        self.column()
    }

    /// Bytes or NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn blob_maybe(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        self.column()
    }

    /// A count, a seq, a length: an integer that is not negative.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn count(&mut self) -> anyhow::Result<u64> {
        u64::try_from(self.int()?).context("a count is not negative")
    }

    /// A small count.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn small(&mut self) -> anyhow::Result<u32> {
        u32::try_from(self.int()?).context("a small count fits 32 bits")
    }

    /// A number from 0 to 255.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn tiny(&mut self) -> anyhow::Result<u8> {
        u8::try_from(self.int()?).context("a tiny count fits 8 bits")
    }

    /// A flag: 0 or 1.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn flag(&mut self) -> anyhow::Result<bool> {
        Ok(self.int()? != 0)
    }

    /// An instant.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn timestamp(&mut self) -> anyhow::Result<Timestamp> {
        self.int().map(Timestamp::from_micros)
    }

    /// An instant, or `None` for 0.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn timestamp_or_zero(&mut self) -> anyhow::Result<Option<Timestamp>> {
        Ok(Some(self.int()?).filter(|micros| *micros != 0).map(Timestamp::from_micros))
    }

    /// A civil day.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn day(&mut self) -> anyhow::Result<Day> {
        Ok(Day::from_number(i32::try_from(self.int()?).context("a day number fits 32 bits")?))
    }

    /// A civil day or NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn day_maybe(&mut self) -> anyhow::Result<Option<Day>> {
        self.int_maybe()?
            .map(|number| i32::try_from(number).map(Day::from_number))
            .transpose()
            .context("a day number fits 32 bits")
    }

    /// Sixteen bytes that are no id of ours.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn sixteen(&mut self) -> anyhow::Result<[u8; 16]> {
        self.blob()?.try_into().map_err(|bytes: Vec<u8>| anyhow!("{} bytes, not 16", bytes.len()))
    }

    /// An id.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn id<K>(&mut self) -> anyhow::Result<Id<K>> {
        self.sixteen().map(Id::from_bytes)
    }

    /// An id, or `None` for empty bytes.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn id_or_empty<K>(&mut self) -> anyhow::Result<Option<Id<K>>> {
        let bytes = self.blob()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        Id::from_slice(&bytes).map(Some).context("an id has 16 bytes")
    }

    /// A SHA-256.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn digest(&mut self) -> anyhow::Result<Digest> {
        Digest::from_slice(&self.blob()?).context("a hash has 32 bytes")
    }

    /// A hash, or `None` for empty bytes.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn digest_or_empty(&mut self) -> anyhow::Result<Option<Digest>> {
        let bytes = self.blob()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        Digest::from_slice(&bytes).map(Some).context("a hash has 32 bytes")
    }

    /// An exact mass.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn mass(&mut self) -> anyhow::Result<Mass> {
        Ok(Mass::from_units(exact_from_bytes(self.sixteen()?)))
    }

    /// An exact mass or NULL.
    ///
    /// # Errors
    /// See [`Row::int`].
    pub fn mass_maybe(&mut self) -> anyhow::Result<Option<Mass>> {
        self.blob_maybe()?
            .map(|bytes| {
                let bytes =
                    bytes.try_into().map_err(|_| anyhow!("an exact number has 16 bytes"))?;
                Ok(Mass::from_units(exact_from_bytes(bytes)))
            })
            .transpose()
    }
}
