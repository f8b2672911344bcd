//! The calculator: a choice made ready for many activities. Everything that depends on the choice
//! alone is worked out once, and what is the same in several lines or sets is worked out once a row.

use std::sync::OnceLock;

use super::{Amounts, Formula, Line, LinesError, formula, mass, parts, prepared};
use crate::cells::{CO2E_COLUMNS, CellValue};
use crate::choice::Why;
use crate::decimal::{Decimal, Mass};
use crate::factors::Library;
use crate::gwp::GwpSet;
use crate::rational::quick::{Quick, SCALE_MAX, word};
use crate::rational::{Rate, Rational};
use crate::rollups::{Form, FormLine, Made};

/// A rate of the choice, and the formula of its amount, where that is not the quantity alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Worked {
    formula: Option<usize>,
    rate: Rate,
}

/// A line before its quantity: where among the worked rates its masses are.
#[derive(Clone, Debug)]
struct Prepared {
    line: Line,
    made: Made,
}

/// A choice made ready to calculate many activities: one rate per line and set, equal ones once.
#[derive(Clone, Debug)]
pub struct Calculator {
    formulas: Vec<Formula>,
    worked: Vec<Worked>,
    lines: Vec<Prepared>,
    /// The rates of the quantity alone in machine words, by its scale: made when one is met.
    quick: Vec<OnceLock<Box<[Option<Quick>]>>>,
}

impl Calculator {
    /// Readies a choice.
    ///
    /// # Errors
    /// [`LinesError`] when a factor is missing or unreadable.
    pub fn new(why: &Why, library: &Library) -> Result<Self, LinesError> {
        Self::in_sets(why, library, why.policy.columns())
    }

    /// The same with CO2e in these sets, whatever the policy's are.
    ///
    /// # Errors
    /// [`LinesError`] when a factor is missing or unreadable.
    pub fn in_sets(
        why: &Why,
        library: &Library,
        sets: [Option<GwpSet>; CO2E_COLUMNS],
    ) -> Result<Self, LinesError> {
        let mut calculator =
            Self { formulas: Vec::new(), worked: Vec::new(), lines: Vec::new(), quick: Vec::new() };
        for choice in &why.slots {
            let factor = library
                .get_for(&why.kind, &choice.factor)
                .ok_or(LinesError::FactorMissing(choice.factor))?;
            let formula = formula(choice)?.map(|formula| {
                calculator.formulas.push(formula);
                calculator.formulas.len() - 1
            });
            for part in parts(choice, factor)? {
                let line = prepared(choice, &part);
                let kg = part.kg.clone().map(|kg| calculator.place(formula, kg));
                let co2e = sets.map(|set| {
                    let per_unit = part.co2e_per_unit(factor, set?)?;
                    Some(calculator.place(formula, per_unit))
                });
                calculator.lines.push(Prepared { line, made: Made { kg, co2e } });
            }
        }
        calculator.quick = vec![OnceLock::new(); usize::from(SCALE_MAX) + 1];
        Ok(calculator)
    }

    /// Where a rate is among those that are worked out for a row.
    fn place(&mut self, formula: Option<usize>, per_unit: Rational) -> usize {
        let worked = Worked { formula, rate: Rate::new(per_unit) };
        if let Some(known) = self.worked.iter().position(|known| *known == worked) {
            return known;
        }
        self.worked.push(worked);
        self.worked.len() - 1
    }

    /// The numbers of a row that decide its lines beside its quantity, always in one order: none
    /// where the quantity decides alone.
    #[must_use]
    pub fn inputs<'a>(&self, amounts: impl Into<Amounts<'a>>) -> Box<[Option<Decimal>]> {
        let amounts = amounts.into();
        let names = self.formulas.iter().flat_map(Formula::inputs);
        names.map(|name| amounts.sent(name).map(Decimal::normalized)).collect()
    }

    /// How many lines an activity has.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.lines.len()
    }

    /// The lines of one activity.
    ///
    /// # Errors
    /// [`LinesError::TooLarge`], [`LinesError::Input`].
    pub fn lines<'a>(&self, amounts: impl Into<Amounts<'a>>) -> Result<Vec<Line>, LinesError> {
        let mut masses = Vec::new();
        self.masses(amounts, &mut masses)?;
        Ok((0..self.lines.len()).filter_map(|line| self.line(line, &masses)).collect())
    }

    /// What the lines of one activity are made of: their distinct masses, each rounded once, in an
    /// order that is always the same. [`Calculator::line`] reads a line from them; sums of them over
    /// many activities make the sums of its lines.
    ///
    /// # Errors
    /// [`LinesError::TooLarge`], [`LinesError::Input`]; `masses` holds nothing of use then.
    pub fn masses<'a>(
        &self,
        amounts: impl Into<Amounts<'a>>,
        masses: &mut Vec<Mass>,
    ) -> Result<(), LinesError> {
        let amounts = amounts.into();
        masses.clear();
        let worked = self.formulas.iter().map(|formula| formula.amount(&amounts));
        let amount = worked.collect::<Result<Vec<Rational>, LinesError>>()?;
        let quick = self.quick(amounts.quantity);
        for (place, Worked { formula, rate }) in self.worked.iter().enumerate() {
            let quickly =
                quick.and_then(|(rates, mantissa)| rates.get(place)?.as_ref()?.mass(mantissa));
            masses.push(match quickly {
                Some(mass) => mass,
                None => mass(rate, &amounts, formula.and_then(|place| amount.get(place)))?,
            });
        }
        Ok(())
    }

    /// The rates for quantities of this scale in machine words, and the quantity in one.
    fn quick(&self, quantity: Decimal) -> Option<(&[Option<Quick>], i64)> {
        let mantissa = word(quantity)?;
        let scale = self.quick.get(usize::from(quantity.scale()))?;
        let rates = scale.get_or_init(|| {
            let quick = |worked: &Worked| match worked.formula {
                None => Quick::new(&worked.rate, quantity.scale()),
                Some(_) => None,
            };
            self.worked.iter().map(quick).collect()
        });
        Some((rates, mantissa))
    }

    /// The lines without masses, in their order: what is the same for every activity.
    pub fn forms(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().map(|prepared| &prepared.line)
    }

    /// A line with its masses from those that [`Calculator::masses`] gave, or from sums of them.
    #[must_use]
    pub fn line(&self, line: usize, masses: &[Mass]) -> Option<Line> {
        let Prepared { line, made } = self.lines.get(line)?;
        let CellValue { kg, co2e, .. } = made.value(masses, 1)?;
        Some(Line { kg, co2e, ..*line })
    }

    /// What a line adds to a cell, from sums of masses over so many activities.
    #[must_use]
    pub fn value(&self, line: usize, masses: &[Mass], count: i64) -> Option<CellValue> {
        self.lines.get(line)?.made.value(masses, count)
    }

    /// How its lines are made of masses, for who keeps sums of those.
    #[must_use]
    pub fn form(&self) -> Form {
        let lines = self.lines.iter().map(|Prepared { line, made }| FormLine {
            slot: line.slot,
            scope: line.scope,
            category: line.category,
            market: line.market,
            bucket: line.bucket,
            gas: line.gas,
            carbon: line.carbon,
            basis: line.basis,
            tier: line.tier,
            made: *made,
        });
        Form { lines: lines.collect() }
    }
}
