//! Amounts: what a choice multiplies by its factor, worked out exactly for one activity.

use std::collections::BTreeMap;

use super::LinesError;
use crate::activities::{Activity, Input};
use crate::choice::{Operand, Term};
use crate::decimal::Decimal;
use crate::rational::Rational;

/// The numbers of one activity.
#[derive(Clone, Copy, Debug)]
pub struct Amounts<'a> {
    /// Its quantity.
    pub quantity: Decimal,
    /// Its named inputs.
    pub inputs: &'a BTreeMap<String, Input>,
}

impl From<Decimal> for Amounts<'static> {
    fn from(quantity: Decimal) -> Self {
        static NONE: BTreeMap<String, Input> = BTreeMap::new();
        Self { quantity, inputs: &NONE }
    }
}

impl<'a> From<&'a Activity> for Amounts<'a> {
    fn from(activity: &'a Activity) -> Self {
        Self { quantity: activity.quantity, inputs: &activity.inputs }
    }
}

impl Amounts<'_> {
    /// The number of an operand's name, as sent.
    pub(super) fn sent(&self, name: &str) -> Option<Decimal> {
        match name {
            "quantity" => Some(self.quantity),
            _ => self.inputs.get(name).map(|input| input.quantity),
        }
    }
}

/// A number of the row in a product.
#[derive(Clone, Debug)]
struct Variable {
    name: String,
    over: bool,
}

/// A term with its constants multiplied out.
#[derive(Clone, Debug)]
struct Worked {
    constant: Rational,
    variables: Vec<Variable>,
}

/// The formula of an amount.
#[derive(Clone, Debug)]
pub(super) struct Formula {
    terms: Vec<Worked>,
}

/// What an operand multiplies by beside the row's number: its own, and its unit path.
fn constant(operand: &Operand) -> Option<Rational> {
    let number = operand.number.as_deref().map_or(Some(Rational::ONE), Rational::parse)?;
    let path = operand.path.as_ref().map_or(Some(Rational::ONE), |path| path.rational())?;
    let constant = number.times(&path);
    if operand.over { constant.recip() } else { Some(constant) }
}

impl Formula {
    /// The formula of these terms; none where a number cannot be read.
    pub(super) fn new(terms: &[Term]) -> Option<Self> {
        let term = |term: &Term| {
            let one = if term.minus { Rational::ONE.negated() } else { Rational::ONE };
            let constants = term.of.iter().map(constant);
            let constant =
                constants.into_iter().try_fold(one, |all, one| Some(all.times(&one?)))?;
            let rows = term.of.iter().filter(|operand| operand.number.is_none());
            let variables = rows
                .map(|operand| Variable { name: operand.name.clone(), over: operand.over })
                .collect();
            Some(Worked { constant, variables })
        };
        Some(Self { terms: terms.iter().map(term).collect::<Option<_>>()? })
    }

    /// The inputs that it takes, in the order of its terms.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &str> {
        let variables = self.terms.iter().flat_map(|term| &term.variables);
        variables.map(|variable| variable.name.as_str()).filter(|name| *name != "quantity")
    }

    /// The amount of one activity, exactly.
    pub(super) fn amount(&self, amounts: &Amounts<'_>) -> Result<Rational, LinesError> {
        let mut sum = Rational::ZERO;
        for term in &self.terms {
            let mut product = term.constant.clone();
            for variable in &term.variables {
                let lacks = || LinesError::Input(variable.name.clone());
                let number = Rational::from(amounts.sent(&variable.name).ok_or_else(lacks)?);
                product = if variable.over {
                    product.over(&number).ok_or_else(lacks)?
                } else {
                    product.times(&number)
                };
            }
            sum = sum.plus(&product);
        }
        Ok(sum)
    }
}
