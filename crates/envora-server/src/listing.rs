//! What every list and reading takes in the same way: `fields`, `include=total`, `as_of`, `expand`.

use envora_api::listing::Page;
use envora_api::problems::Problem;
use envora_api::spelling::did_you_mean;
use envora_domain::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::answers::{Answer, Reply};
use crate::params::{Params, refused, shown};
use crate::routes::Parameter;

/// How an answer is cut: to some fields, with or without the number of all items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    fields: Vec<String>,
    /// Whether the number of all items is asked for.
    pub total: bool,
}

/// How many items all pages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How many were counted.
    pub items: u64,
    /// Whether that is all; counting ends somewhere.
    pub is_exact: bool,
}

impl Cut {
    /// What `fields` and `include` ask for of items of this type.
    ///
    /// # Errors
    /// 400 for a field that the type has not, and for anything but `total` to include.
    pub fn of<T: PartialSchema>(params: &Params) -> Result<Self, Problem> {
        Self::besides::<T>(params, &[])
    }

    /// [`Cut::of`] of a type that has these fields besides those that its schema names.
    ///
    /// # Errors
    /// 400 for a field that is none of either.
    pub fn besides<T: PartialSchema>(params: &Params, others: &[&str]) -> Result<Self, Problem> {
        let asked = params.many("fields").flat_map(|words| words.split(','));
        let fields: Vec<String> = asked.map(|word| word.trim().to_owned()).collect();
        let known = known(&T::schema());
        let known: Vec<&str> =
            known.iter().map(String::as_str).chain(others.iter().copied()).collect();
        let strange = fields.iter().find(|field| !known.contains(&field.as_str()));
        if let (Some(field), false) = (strange, known.is_empty()) {
            let hint = did_you_mean(field, &known).map_or_else(
                || format!("The fields are {}.", known.join(", ")),
                |near| format!("Did you mean {near}?"),
            );
            return Err(refused("fields", format!("There is no field {}. {hint}", shown(field))));
        }
        let total = params.read("include", "total", |text| (text == "total").then_some(()))?;
        Ok(Self { fields, total: total.is_some() })
    }

    /// One item.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn one<T: Serialize>(&self, item: &T) -> Answer {
        if self.fields.is_empty() {
            return Reply::ok(item);
        }
        let mut value = serde_json::to_value(item).map_err(anyhow::Error::from)?;
        self.trim(&mut value);
        Reply::ok(&value)
    }

    /// A page, with the number of all items when it was asked for.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn page<T: Serialize>(&self, page: &Page<T>, total: Option<u64>) -> Answer {
        self.page_counted(page, total.map(|items| Total { items, is_exact: true }))
    }

    /// A page, with the number of all items, or how far they were counted.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn page_counted(&self, page: &impl Serialize, total: Option<Total>) -> Answer {
        let total = total.filter(|_| self.total);
        if self.fields.is_empty() && total.is_none() {
            return Reply::ok(page);
        }
        let mut value = serde_json::to_value(page).map_err(anyhow::Error::from)?;
        if let Some(items) = value.get_mut("data").and_then(Value::as_array_mut) {
            items.iter_mut().for_each(|item| self.trim(item));
        }
        if let (Some(object), Some(total)) = (value.as_object_mut(), total) {
            object.insert("total".to_owned(), total.items.into());
            if !total.is_exact {
                object.insert("total_is".to_owned(), "at_least".into());
            }
        }
        Reply::ok(&value)
    }

    fn trim(&self, item: &mut Value) {
        if let (Some(object), false) = (item.as_object_mut(), self.fields.is_empty()) {
            object.retain(|name, _| self.fields.contains(name));
        }
    }
}

/// What a list takes that is always told whole.
pub const WHOLE: &[Parameter] = &[
    ("fields", "Only these fields of each, separated by commas."),
    ("include", "`total`: say how many there are in all."),
];

/// How to answer a question for a list that is told whole, cut as it asks.
///
/// # Errors
/// 400.
pub fn whole<T: PartialSchema + Serialize>(
    params: &Params,
) -> Result<impl FnOnce(Vec<T>) -> Answer, Problem> {
    params.only(&["fields", "include"])?;
    let cut = Cut::of::<T>(params)?;
    Ok(move |data: Vec<T>| {
        let total = data.len() as u64;
        cut.page(&Page { data, next_cursor: None }, Some(total))
    })
}

/// The names of a type's fields; none where its schema names none.
fn known(schema: &RefOr<Schema>) -> Vec<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.properties.keys().cloned().collect(),
        RefOr::T(Schema::AllOf(all)) => all.items.iter().flat_map(known).collect(),
        RefOr::Ref(_) | RefOr::T(_) => Vec::new(),
    }
}

/// The instant of `as_of`, if it is there.
///
/// # Errors
/// 400.
pub fn as_of(params: &Params) -> Result<Option<Timestamp>, Problem> {
    params.read("as_of", "an instant such as 2022-03-01T00:00:00Z", |text| {
        Timestamp::parse(text).ok()
    })
}

/// Whether `expand` names this; it is the only one that can be expanded there.
///
/// # Errors
/// 400 for another word.
pub fn expands(params: &Params, word: &str) -> Result<bool, Problem> {
    let found = params.read("expand", word, |text| (text == word).then_some(()))?;
    Ok(found.is_some())
}

#[cfg(test)]
mod tests {
    use envora_api::listing::Page;
    use envora_api::suppliers::Supplier;
    use serde_json::json;

    use super::Cut;
    use crate::params::Params;

    fn params(query: &str) -> Params {
        Params::of(&format!("/x?{query}").parse().expect("a URI")).expect("a query")
    }

    #[test]
    fn fields_are_those_of_the_type() {
        let wrong = Cut::of::<Supplier>(&params("fields=cod")).expect_err("no such field");
        assert_eq!(wrong.errors[0].parameter.as_deref(), Some("fields"));
        assert!(wrong.detail.contains("Did you mean code?"), "{}", wrong.detail);
        assert!(Cut::of::<Supplier>(&params("include=all")).is_err());
        let cut = Cut::of::<Supplier>(&params("fields=code,name&include=total")).expect("fine");
        let page =
            Page { data: vec![json!({"code": "a", "name": "b", "version": 1})], next_cursor: None };
        let reply = cut.page(&page, Some(1)).expect("written");
        let text = format!("{reply:?}");
        assert!(!text.contains("version\": 1"), "{text}");
    }
}
