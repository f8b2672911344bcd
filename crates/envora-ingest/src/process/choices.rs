//! Choices: the method and factors of each distinct question, chosen once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use envora_domain::activities::problems::{Effect, RowCode};
use envora_domain::activities::validate::validate;
use envora_domain::activities::{Activity, Common};
use envora_domain::choice::{Brings, Policy, Question, Why, choose};
use envora_domain::decimal::{Decimal, Mass};
use envora_domain::factors::Library;
use envora_domain::gwp::GwpSet;
use envora_domain::hash::Digest;
use envora_domain::lines::{Calculator, Line, LinesError};
use envora_domain::time::Day;
use envora_domain::units::{AliasSet, lookup};

/// The most that one line of a row may come to: 10^15 kg, above a decade of the world's emissions.
/// Sums of 10^11 such rows are still exact.
const LIKELY_MAX: Mass = Mass::from_units(10_i128.pow(27));

/// Why a row is in no total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: RowCode,
    /// The word at fault, or empty.
    pub(crate) word: String,
    pub(crate) remedy: String,
}

/// What is asked, as far as the answer depends on it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    kind: String,
    unit: String,
    qualifiers: BTreeMap<String, String>,
    region: String,
    scope: Option<u8>,
    category: Option<u8>,
    /// Names and units of the inputs; how much of them changes no choice.
    inputs: Vec<(String, String)>,
    supplier: Option<String>,
    item: Option<(String, Option<String>)>,
    instruments: bool,
    price_year: Option<i32>,
    span: (i32, i32),
}

/// What the masses of a row depend on: its choice, in the sets of its run or in another alone, its
/// quantity, and the inputs that its choice takes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Amount {
    why: u32,
    set: Option<GwpSet>,
    quantity: Decimal,
    inputs: Box<[Option<Decimal>]>,
}

/// The masses of the row that was asked for last: it is asked for twice, to be judged and to be added
/// up.
#[derive(Default)]
struct Worked {
    amount: Option<Amount>,
    masses: Vec<Mass>,
}

/// What a row asks for besides its own words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) region: Option<&'a str>,
    /// The codes of the supplier that it names, today's first, a bar between.
    pub(crate) supplier: Option<&'a str>,
    pub(crate) first: Day,
    pub(crate) last: Day,
}

/// A choice with its number in the run.
pub(crate) struct Chosen {
    pub(crate) why: Why,
    pub(crate) json: String,
    pub(crate) calculator: Arc<Calculator>,
    /// The same in the one set that lines carry, where they are asked to.
    carried: Option<Arc<Calculator>>,
}

type Answer = Result<u32, Arc<Reason>>;

/// The distinct masses of a row, and what makes lines of them.
type Masses<'m> = (&'m Arc<Calculator>, &'m [Mass]);

/// All choices of a run so far, by number from 1.
pub(crate) struct Choices {
    library: Arc<Library>,
    policy: Policy,
    /// First days of all editions, ascending: between two of them every day has the same answer.
    editions: Vec<Day>,
    chosen: Vec<Chosen>,
    by_digest: HashMap<Digest, u32>,
    answers: HashMap<Key, Answer>,
    last: Option<(Arc<Common>, Key, Answer)>,
    worked: Worked,
    /// The set that lines carry in the place of `published`, when one is asked for that cells do not
    /// keep.
    set: Option<GwpSet>,
}

impl Choices {
    /// Begins with the choices that are stored, in the order of their numbers.
    pub(crate) fn new(
        library: Arc<Library>,
        policy: Policy,
        stored: Vec<String>,
    ) -> anyhow::Result<Self> {
        let editions = library.borders();
        let mut choices = Self {
            library,
            policy,
            editions,
            chosen: Vec::new(),
            by_digest: HashMap::new(),
            answers: HashMap::new(),
            last: None,
            worked: Worked::default(),
            set: None,
        };
        for json in stored {
            choices.add(Why::from_json(&json)?, json)?;
        }
        Ok(choices)
    }

    /// The factors that are chosen from.
    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    /// How many there are: their numbers are 1 up to this.
    pub(crate) fn count(&self) -> usize {
        self.chosen.len()
    }

    /// Those after the first so many.
    pub(crate) fn after(&self, count: usize) -> impl Iterator<Item = &Chosen> {
        self.chosen.iter().skip(count)
    }

    /// The choice of this number.
    pub(crate) fn get(&self, number: u32) -> Option<&Chosen> {
        self.chosen.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// From here on lines carry this set alone, as their first column.
    pub(crate) fn carry(&mut self, set: GwpSet) {
        self.set = Some(set);
        self.worked = Worked::default();
        self.chosen.iter_mut().for_each(|chosen| chosen.carried = None);
    }

    fn add(&mut self, why: Why, json: String) -> Result<u32, LinesError> {
        let digest = Digest::of(json.as_bytes());
        if let Some(known) = self.by_digest.get(&digest) {
            return Ok(*known);
        }
        let calculator = Arc::new(Calculator::new(&why, &self.library)?);
        self.chosen.push(Chosen { why, json, calculator, carried: None });
        let number = u32::try_from(self.chosen.len()).unwrap_or(u32::MAX);
        self.by_digest.insert(digest, number);
        Ok(number)
    }

    /// The number of the choice for a row, or why there is none.
    pub(crate) fn number(&mut self, activity: &Activity, place: Place<'_>) -> Answer {
        let span = self.span(place);
        if let Some((common, key, answer)) = &self.last
            && key.is((common, activity), place, span)
        {
            return answer.clone();
        }
        let key = Key::of(activity, place, span);
        let answer = match self.answers.get(&key) {
            Some(answer) => answer.clone(),
            None => {
                let answer = self.decide(activity, place).map_err(Arc::new);
                self.answers.insert(key.clone(), answer.clone());
                answer
            }
        };
        self.last = Some((Arc::clone(&activity.common), key, answer.clone()));
        answer
    }

    /// Days within one edition of every factor share their answers; others are asked by the day.
    fn span(&self, place: Place<'_>) -> (i32, i32) {
        let edition = |day: Day| self.editions.partition_point(|start| *start <= day);
        let (first, last) = (edition(place.first), edition(place.last));
        if first == last {
            (i32::try_from(first).unwrap_or(i32::MAX), i32::MIN)
        } else {
            (place.first.number(), place.last.number())
        }
    }

    fn decide(&mut self, activity: &Activity, place: Place<'_>) -> Result<u32, Reason> {
        // A word that intake could not know: rows wait for it under the code that intake told.
        let problems = validate(activity).into_iter();
        let mut unknown = problems.filter(|problem| problem.code.effect() == Effect::Quarantine);
        if let Some(problem) = unknown.next() {
            let remedy = problem.hint.unwrap_or(problem.detail);
            let word = problem.value.unwrap_or_default();
            return Err(Reason { code: problem.code, word, remedy });
        }
        let unit = lookup(&activity.unit, AliasSet::None).map_err(|error| Reason {
            code: RowCode::UnknownUnit,
            word: activity.unit.clone(),
            remedy: error.remedy(),
        })?;
        let question = Question {
            kind: &activity.kind,
            unit: &unit,
            qualifiers: &activity.qualifiers,
            region: place.region,
            first: place.first,
            last: place.last,
            scope: activity.scope,
            category: activity.category,
            brings: brings(activity, place),
        };
        let why = choose(&question, &self.library, &self.policy).map_err(|unresolved| Reason {
            code: RowCode::parse(unresolved.code.as_str()).unwrap_or(RowCode::FactorMissing),
            word: activity.kind.clone(),
            remedy: format!("{}: {}", unresolved.detail, unresolved.remedy),
        })?;
        let json = why.to_json();
        self.add(why, json).map_err(|error| Reason {
            code: RowCode::FactorMissing,
            word: activity.kind.clone(),
            remedy: error.to_string(),
        })
    }

    /// Whether the lines of a choice and a row are likely at all: above [`LIKELY_MAX`] the row waits,
    /// or one wrong unit would be larger than all other rows together and than what sums can hold.
    pub(crate) fn likely(&mut self, number: u32, activity: &Activity) -> Result<(), Reason> {
        let Some(chosen) = self.get(number) else { return Ok(()) };
        let calculator = Arc::clone(&chosen.calculator);
        let large = |mass: &Mass| mass.units().unsigned_abs() > LIKELY_MAX.units().unsigned_abs();
        let code = match self.worked.masses((number, None, &calculator), activity) {
            Ok(masses) if !masses.iter().any(large) => return Ok(()),
            Ok(_) | Err(LinesError::TooLarge) => RowCode::Outlier,
            Err(error) => {
                let (code, word) = (RowCode::FactorMissing, activity.kind.clone());
                return Err(Reason { code, word, remedy: error.to_string() });
            }
        };
        Err(Reason {
            code,
            word: format!("{} {}", activity.quantity, activity.unit),
            remedy: "it comes to more than 10^15 kg, a decade of the world's emissions: correct \
                     the quantity or its unit by a row that supersedes this one"
                .to_owned(),
        })
    }

    /// What the lines of a choice and a row's amounts are made of: its distinct masses, and what
    /// makes lines of them. Nothing where there is no such choice.
    pub(crate) fn masses(
        &mut self,
        number: u32,
        activity: &Activity,
    ) -> Result<Option<Masses<'_>>, LinesError> {
        let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let Some(chosen) = place.and_then(|place| self.chosen.get_mut(place)) else {
            return Ok(None);
        };
        let Some(set) = self.set else {
            let masses = self.worked.masses((number, None, &chosen.calculator), activity)?;
            return Ok(Some((&chosen.calculator, masses)));
        };
        if chosen.carried.is_none() {
            let sets = [Some(set), None, None, None];
            let carried = Calculator::in_sets(&chosen.why, &self.library, sets)?;
            chosen.carried = Some(Arc::new(carried));
        }
        let Some(carried) = &chosen.carried else { return Ok(None) };
        let masses = self.worked.masses((number, Some(set), carried), activity)?;
        Ok(Some((carried, masses)))
    }

    /// The lines of a choice and a row's amounts.
    pub(crate) fn lines(
        &mut self,
        number: u32,
        activity: &Activity,
    ) -> Result<Vec<Line>, LinesError> {
        let Some((calculator, masses)) = self.masses(number, activity)? else {
            return Ok(Vec::new());
        };
        Ok((0..calculator.count()).filter_map(|line| calculator.line(line, masses)).collect())
    }
}

impl Worked {
    fn masses(
        &mut self,
        (why, set, calculator): (u32, Option<GwpSet>, &Calculator),
        activity: &Activity,
    ) -> Result<&[Mass], LinesError> {
        let inputs = calculator.inputs(activity);
        let amount = Amount { why, set, quantity: activity.quantity, inputs };
        if self.amount.as_ref() != Some(&amount) {
            self.amount = None;
            calculator.masses(activity, &mut self.masses)?;
            self.amount = Some(amount);
        }
        Ok(&self.masses)
    }
}

/// What a row brings besides its quantity and qualifiers.
fn brings<'a>(activity: &'a Activity, place: Place<'a>) -> Brings<'a> {
    let inputs = activity.inputs.iter();
    Brings {
        inputs: inputs.map(|(name, input)| (name.as_str(), input.unit.as_str())).collect(),
        supplier: place.supplier,
        item: activity.item.as_deref(),
        item_scheme: activity.item_scheme.as_deref(),
        instruments: !activity.instruments.is_empty(),
        price_year: price_year(activity, place),
    }
}

/// The year of the prices of money: as stated, else that of the first day.
fn price_year(activity: &Activity, place: Place<'_>) -> Option<i32> {
    if activity.kind != "spend.purchased" {
        return None;
    }
    let stated = activity.price.as_ref().map(|price| price.year);
    Some(stated.unwrap_or_else(|| i32::from(place.first.ymd().0)))
}

impl Key {
    fn of(activity: &Activity, place: Place<'_>, span: (i32, i32)) -> Self {
        Self {
            kind: activity.kind.clone(),
            unit: activity.unit.clone(),
            qualifiers: activity.qualifiers.clone(),
            region: place.region.unwrap_or_default().to_owned(),
            scope: activity.scope,
            category: activity.category,
            inputs: activity
                .inputs
                .iter()
                .map(|(name, input)| (name.clone(), input.unit.clone()))
                .collect(),
            supplier: place.supplier.map(str::to_owned),
            item: activity.item.clone().map(|item| (item, activity.item_scheme.clone())),
            instruments: !activity.instruments.is_empty(),
            price_year: price_year(activity, place),
            span,
        }
    }

    /// Whether this is what a row asks; `common` is that of the row that it was made of.
    fn is(
        &self,
        (common, activity): (&Arc<Common>, &Activity),
        place: Place<'_>,
        span: (i32, i32),
    ) -> bool {
        self.span == span
            && self.region == place.region.unwrap_or_default()
            && (Arc::ptr_eq(common, &activity.common) || self.says(activity))
            && self.inputs.len() == activity.inputs.len()
            && self
                .inputs
                .iter()
                .zip(&activity.inputs)
                .all(|((name, unit), (other, input))| name == other && *unit == input.unit)
            && self.supplier.as_deref() == place.supplier
            && self.price_year == price_year(activity, place)
    }

    /// Whether it says what a row says in common with others.
    fn says(&self, activity: &Activity) -> bool {
        self.kind == activity.kind
            && self.unit == activity.unit
            && self.scope == activity.scope
            && self.category == activity.category
            && self.qualifiers == activity.qualifiers
            && self.item.as_ref().map(|(item, _)| item) == activity.item.as_ref()
            && self.item.as_ref().and_then(|(_, scheme)| scheme.as_ref())
                == activity.item_scheme.as_ref().filter(|_| activity.item.is_some())
            && self.instruments != activity.instruments.is_empty()
    }
}
