//! The same arithmetic as [`lines`](super::lines), with every step's exact digits.

use super::{Amounts, Calculator, Line, LinesError, Part, formula, mass, parts};
use crate::choice::{Operand, SlotChoice, Term, Why};
use crate::decimal::{Decimal, Mass};
use crate::factors::{Factor, GasValue, Library, Repr};
use crate::gwp::{Gas, GwpSet, gwp};
use crate::rational::{Rate, Rational};
use crate::units;

/// A line and the steps that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTrace {
    /// The line.
    pub line: Line,
    /// The method.
    pub method: String,
    /// Each step with its exact digits.
    pub exact: Vec<String>,
    /// Mass of the gas.
    pub kg: Mass,
    /// CO2e in the set that was asked for; `None` where the set does not list the gas.
    pub co2e: Option<Mass>,
    /// The potential that the mass was multiplied by, where one was.
    pub gwp: Option<Decimal>,
}

/// The lines of an activity with every step, CO2e in one GWP set.
///
/// # Errors
/// [`LinesError`].
pub fn explain<'a>(
    amounts: impl Into<Amounts<'a>>,
    why: &Why,
    library: &Library,
    set: GwpSet,
) -> Result<Vec<LineTrace>, LinesError> {
    let amounts = amounts.into();
    let mut lines = Calculator::new(why, library)?.lines(amounts)?.into_iter();
    let mut traces = Vec::new();
    for choice in &why.slots {
        let factor = library
            .get_for(&why.kind, &choice.factor)
            .ok_or(LinesError::FactorMissing(choice.factor))?;
        let amount = formula(choice)?.map(|formula| formula.amount(&amounts)).transpose()?;
        for part in parts(choice, factor)? {
            let Some(line) = lines.next() else { continue };
            let (amount, part) = (amount.as_ref(), &part);
            let teller = Teller { amounts, amount, choice, factor, part, set };
            traces.push(teller.trace(line)?);
        }
    }
    Ok(traces)
}

/// How many of one unit of mass another is.
fn ratio(from: &str, to: &str) -> Rational {
    let [from, to] = [from, to].map(units::parse_code);
    let ratio = from.and_then(|from| units::convert(&from, &to?));
    ratio.unwrap_or(Rational::ONE)
}

struct Teller<'a> {
    amounts: Amounts<'a>,
    /// The worked amount, where it is not the quantity alone.
    amount: Option<&'a Rational>,
    choice: &'a SlotChoice,
    factor: &'a Factor,
    part: &'a Part,
    set: GwpSet,
}

impl Teller<'_> {
    fn trace(&self, line: Line) -> Result<LineTrace, LinesError> {
        let rate = self.part.co2e_per_unit(self.factor, self.set).map(Rate::new);
        let co2e = rate.map(|rate| mass(&rate, &self.amounts, self.amount)).transpose()?;
        let rebased = self.part.kg.is_some() && self.set != GwpSet::Published;
        let potential = self.potential(self.set).filter(|_| rebased);
        Ok(LineTrace {
            line,
            method: self.choice.method.clone(),
            exact: self.steps(line.kg, co2e),
            kg: line.kg,
            co2e,
            gwp: potential,
        })
    }

    fn potential(&self, set: GwpSet) -> Option<Decimal> {
        gwp(set, self.part.gas, self.part.carbon, self.factor.boundary)
    }

    fn steps(&self, kg: Mass, co2e: Option<Mass>) -> Vec<String> {
        let path = &self.choice.unit_path;
        let per = path.rational().unwrap_or(Rational::ONE);
        let mut steps = Vec::new();
        let (sent, told) = match self.amount {
            None => (Rational::from(self.amounts.quantity), self.amounts.quantity.to_string()),
            Some(amount) => {
                let sum = self.sum();
                steps.push(format!("{sum} = {} {}", amount.digits(), path.from));
                (amount.clone(), amount.digits())
            }
        };
        let converted = sent.times(&per);
        let same = per == Rational::ONE && path.from == path.to;
        if same && self.amount.is_none() {
            steps.push(format!("{told} {} as sent", path.from));
        } else if !same {
            let (from, to) = (&path.from, &path.to);
            let (per, converted) = (per.digits(), converted.digits());
            steps.push(format!("{told} {from} × {per} {to}/{from} = {converted} {to}"));
        }
        match self.part.gas {
            Gas::CO2E | Gas::CO2E_RESIDUE => self.total_steps(&converted, &mut steps),
            _ => self.gas_steps(&converted, &mut steps),
        }
        if self.part.kg.is_some() {
            let gas = self.part.gas;
            steps.push(format!("rounded half-even to 10⁻¹² kg: {} kg {gas}", kg.kg()));
        }
        let set = self.set;
        steps.push(match co2e {
            Some(co2e) => {
                format!("rounded half-even to 10⁻¹² kg: {} kg CO2e ({set})", co2e.kg())
            }
            None => format!("{} has no value in {set}: no CO2e is counted there", self.part.gas),
        });
        steps
    }

    /// The sum that the amount is, with the row's numbers.
    fn sum(&self) -> String {
        let mut text = String::new();
        for term in &self.choice.amount {
            text.push_str(match (text.is_empty(), term.minus) {
                (true, false) => "",
                (true, true) => "−",
                (false, false) => " + ",
                (false, true) => " − ",
            });
            text.push_str(&self.product(term));
        }
        text
    }

    fn product(&self, term: &Term) -> String {
        let mut text = String::new();
        for operand in &term.of {
            match (text.is_empty(), operand.over) {
                (true, true) => text.push_str("1 ÷ "),
                (true, false) => {}
                (false, true) => text.push_str(" ÷ "),
                (false, false) => text.push_str(" × "),
            }
            text.push_str(&self.operand(operand));
        }
        text
    }

    /// `12 %`, `44/12`, `5 kg × 1/1000 t/kg`.
    fn operand(&self, operand: &Operand) -> String {
        let name = operand.name.replace('_', " ");
        let number = operand
            .number
            .clone()
            .or_else(|| self.amounts.sent(&operand.name).map(|sent| sent.to_string()));
        let number = number.unwrap_or_default();
        let named = if name.is_empty() { number } else { format!("{number} ({name})") };
        let Some(path) = &operand.path else { return named };
        if operand.over {
            format!("({named} × {} {}/{})", path.factor, path.to, path.from)
        } else {
            format!("{named} × {} {}/{}", path.factor, path.to, path.from)
        }
    }

    fn total_steps(&self, quantity: &Rational, steps: &mut Vec<String>) {
        let Some(total) = &self.factor.total else { return };
        let (unit, basis) = (&self.choice.unit_path.to, self.part.basis);
        let (value, why) = if self.part.gas == Gas::CO2E {
            (total.value.clone(), "no gas split to rebase")
        } else {
            let gases: Vec<String> =
                self.factor.gases.iter().map(|gas| self.weighed(gas, &total.unit)).collect();
            (format!("({} − {})", total.value, gases.join(" − ")), "the rest of the printed total")
        };
        let per = self.choice.unit_path.rational().unwrap_or(Rational::ONE);
        let rate = self.part.published.as_ref().and_then(|published| published.over(&per));
        let kilograms = rate.unwrap_or(Rational::ZERO).times(quantity);
        let size = ratio(&total.unit, "kg");
        let product = kilograms.over(&size).unwrap_or(Rational::ZERO).digits();
        let (quantity, mass) = (quantity.digits(), &total.unit);
        let in_kg = match size == Rational::ONE {
            true => String::new(),
            false => format!(" = {} kg CO2e", kilograms.digits()),
        };
        steps.push(format!(
            "{quantity} {unit} × {value} {mass} CO2e/{unit} = {product} {mass} CO2e{in_kg} (printed in {basis}; {why})"
        ));
    }

    /// What a printed gas is in CO2e of the printed basis, in the unit of the total: `0.44 × 3500`.
    fn weighed(&self, printed: &GasValue, unit: &str) -> String {
        let mut text = printed.value.clone();
        let basis = printed.gwp_basis.unwrap_or(self.factor.basis);
        let weighs = printed.repr == Repr::Mass && !printed.gas.is_equivalent();
        let potential = gwp(basis, printed.gas, printed.carbon, self.factor.boundary);
        let potential = potential.filter(|own| weighs && Rational::from(*own) != Rational::ONE);
        if let Some(potential) = potential {
            text.push_str(&format!(" × {potential}"));
        }
        let ratio = ratio(&printed.unit, unit);
        if ratio != Rational::ONE {
            text.push_str(&format!(" × {}", ratio.digits()));
        }
        text
    }

    fn gas_steps(&self, quantity: &Rational, steps: &mut Vec<String>) {
        let (unit, basis, gas) = (&self.choice.unit_path.to, self.part.basis, self.part.gas);
        let printed = self.factor.gases.iter().find(|value| value.gas == gas);
        let Some(printed) = printed else { return };
        let Some(value) = Rational::parse(&printed.value) else { return };
        let first = quantity.times(&value);
        let (quantity, value, mass_unit) = (quantity.digits(), &printed.value, &printed.unit);
        let mass = match printed.repr {
            Repr::Mass => {
                let product = first.digits();
                steps.push(format!(
                    "{quantity} {unit} × {value} {mass_unit} {gas}/{unit} = {product} {mass_unit} {gas}"
                ));
                Some(first)
            }
            Repr::Co2e => {
                steps.push(format!(
                    "{quantity} {unit} × {value} {mass_unit} CO2e of {gas}/{unit} = {} {mass_unit} CO2e ({basis})",
                    first.digits()
                ));
                self.unweigh(&first, mass_unit, steps)
            }
        };
        let asked = self.potential(self.set).filter(|_| self.set != GwpSet::Published);
        if let (Some(mass), Some(potential)) = (mass, asked) {
            let product = mass.times(&Rational::from(potential)).digits();
            let (mass, set) = (mass.digits(), self.set);
            steps.push(format!(
                "{mass} {mass_unit} {gas} × {potential} ({set}) = {product} {mass_unit} CO2e"
            ));
        }
    }

    /// From CO2e in the printed basis back to the mass of the gas.
    fn unweigh(&self, co2e: &Rational, unit: &str, steps: &mut Vec<String>) -> Option<Rational> {
        let (basis, gas) = (self.part.basis, self.part.gas);
        let potential = self.potential(basis)?;
        let mass = co2e.over(&Rational::from(potential))?;
        if gas != Gas::CO2 {
            let (co2e, exact) = (co2e.digits(), mass.digits());
            steps
                .push(format!("{co2e} {unit} CO2e ÷ {potential} ({basis}) = {exact} {unit} {gas}"));
        }
        Some(mass)
    }
}
