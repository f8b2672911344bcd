//! Groups: sums by group and day become what is stored of them, under the numbers of their run.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context as _;
use envora_domain::id::RunId;
use envora_domain::rollups::{Group, Pile};
use envora_domain::time::Day;
use envora_store::rollups::{Added, Grain, RollupChanges, rollup_forms, rollup_groups};

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
    /// There are too many groups to number; what is here is of no use then.
    pub(crate) fn changes(&mut self, sums: Sums) -> anyhow::Result<RollupChanges> {
        let Piles { groups, piles } = sums.into_piles();
        let mut changes = RollupChanges::default();
        let mut used: Vec<Option<(u32, u32)>> = vec![None; groups.len()];
        // Days of a month come to one sum of it, and groups of many places to one of wherever they are.
        let mut months: HashMap<(Grain, Day, u32), (u32, Pile)> = HashMap::new();
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
            let why = groups.get(place).map_or(0, |(group, _)| group.why);
            for (grain, group) in [(Grain::Month, here), (Grain::Anywhere, anywhere)] {
                let (_, sum) = months.entry((grain, month, group)).or_insert_with(|| {
                    (why, Pile { count: 0, masses: Vec::with_capacity(pile.masses.len()) })
                });
                sum.add(&pile).context("add up a sum")?;
            }
            changes.sums.push(Added { grain: Grain::Day, day, group: here, why, pile });
        }
        let months = months.into_iter().map(|((grain, day, group), (why, pile))| Added {
            grain,
            day,
            group,
            why,
            pile,
        });
        changes.sums.extend(months);
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
