//! Groups: sums by group and day become what is stored of them, under the numbers of their run.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use envora_domain::cells::TooLarge;
use envora_domain::id::RunId;
use envora_domain::rollups::{Group, Pile};
use envora_store::rollups::{Grain, PileKey, RollupChanges, rollup_forms, rollup_groups};

use super::sums::{Piles, Sums};
use crate::footprint::figures::month_of;
use crate::tenant::TenantParts;

/// The groups of a run, and the choices whose forms are stored.
pub(crate) struct Groups {
    numbers: HashMap<Group, u32>,
    forms: BTreeSet<u32>,
}

impl Groups {
    /// Those that are stored.
    ///
    /// # Errors
    /// The database's.
    pub(crate) fn of_run(parts: &TenantParts, run: RunId) -> anyhow::Result<Self> {
        let grant = parts.own.read_results;
        let stored = parts
            .read(move |rd| Ok((rollup_groups(rd, &grant, run)?, rollup_forms(rd, &grant, run)?)));
        let (groups, forms) = stored.context("read the groups of a run")?;
        Ok(Self {
            numbers: groups.into_iter().zip(1..).collect(),
            forms: forms.into_keys().collect(),
        })
    }

    /// What sums add to those that are stored; new groups get the next numbers.
    ///
    /// # Errors
    /// [`TooLarge`] inside; what is here is of no use then.
    pub(crate) fn changes(&mut self, sums: Sums) -> anyhow::Result<RollupChanges> {
        let Piles { groups, piles } = sums.into_piles();
        let mut changes = RollupChanges::default();
        let mut used: Vec<Option<(u32, u32)>> = vec![None; groups.len()];
        for (place, day, pile) in piles {
            let known = used.get_mut(place).context("find the group of a sum")?;
            let (here, anywhere) = match *known {
                Some(numbers) => numbers,
                None => {
                    let (group, calculator) = groups.get(place).context("find a group")?;
                    if self.forms.insert(group.why) {
                        changes.forms.push((group.why, calculator.form()));
                    }
                    let anywhere = self.number(&group.anywhere(), &mut changes)?;
                    *known.insert((self.number(group, &mut changes)?, anywhere))
                }
            };
            let month = month_of(day);
            for (grain, day, group) in [
                (Grain::Day, day, here),
                (Grain::Month, month, here),
                (Grain::Anywhere, month, anywhere),
            ] {
                add(&mut changes.piles, PileKey { grain, day, group }, &pile)?;
            }
        }
        Ok(changes)
    }

    fn number(&mut self, group: &Group, changes: &mut RollupChanges) -> anyhow::Result<u32> {
        if let Some(number) = self.numbers.get(group) {
            return Ok(*number);
        }
        let number = u32::try_from(self.numbers.len() + 1).context("number a group")?;
        self.numbers.insert(group.clone(), number);
        changes.groups.push((number, group.clone()));
        Ok(number)
    }
}

fn add(piles: &mut BTreeMap<PileKey, Pile>, key: PileKey, pile: &Pile) -> Result<(), TooLarge> {
    piles.entry(key).or_default().add(pile)
}
