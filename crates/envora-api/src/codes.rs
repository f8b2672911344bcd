//! The catalogue of problem codes: never renamed, each with its status, its title and its page.

macro_rules! codes {
    ($($code:ident = $status:literal $title:literal, $text:literal, $remedy:literal;)*) => {
        /// A problem's code. Stable: clients branch on it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(non_camel_case_types, reason = "each is spelled as on the wire")]
        pub enum Code {$(
            #[doc = $text]
            $code,
        )*}

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// As on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// The HTTP status it always has.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$code => $status,)* }
            }

            /// The same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            /// What it means.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$code => $text,)* }
            }

            /// What to do.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$code => $remedy,)* }
            }
        }

        impl crate::problems::Problem {$(
            #[doc = concat!("`", stringify!($code), "`: ", $text)]
            #[must_use]
            pub fn $code(detail: impl Into<String>) -> Self {
                Self::new(Code::$code, detail.into())
            }
        )*}
    };
}

codes! {
    malformed_body = 400 "Malformed body", "The body cannot be read as what its type says.", "Send well-formed UTF-8 JSON without duplicate keys, or the format that Content-Type names.";
    unknown_parameter = 400 "Unknown or bad parameter", "A query parameter is unknown, repeated, missing, or its value cannot be used.", "Correct the parameter that the detail names.";
    invalid_cursor = 400 "Invalid cursor", "The cursor was not made by this collection, or it is older than 24 hours.", "Start again without a cursor.";
    cursor_filter_mismatch = 400 "Cursor of other filters", "The cursor was made with other filters.", "Keep the filters of the first page, or start again without a cursor.";
    idempotency_key_missing = 400 "Idempotency key missing", "This request must carry an idempotency key, so that sending it again can do no harm.", "Add X-Idempotency-Key with 8 to 255 visible ASCII characters, new for each intended effect.";
    idempotency_key_invalid = 400 "Idempotency key invalid", "The idempotency key is not 8 to 255 visible ASCII characters, is sent twice, or the two headers differ.", "Send one key in one header.";
    unauthenticated = 401 "Sign-in needed", "The request carries no valid token or session.", "Send Authorization: Bearer with a token of this organization, or sign in.";
    token_expired = 401 "Token expired", "The token or sign-in code is too old or was used before.", "Ask for a new one.";
    forbidden = 403 "Forbidden", "The credential may not do this.", "Use a credential that may, or ask an administrator.";
    wrong_environment = 403 "Wrong environment", "The token belongs to the other environment of the organization.", "Use a token of this environment.";
    not_found = 404 "Not found", "There is nothing here that this credential can see.", "Check the id and the organization in the path.";
    method_not_allowed = 405 "Method not allowed", "The resource does not answer to this method.", "Use a method that the Allow header lists.";
    not_acceptable = 406 "Not acceptable", "None of the types in Accept is given here.", "Accept application/vnd.env.v2+json or application/json.";
    request_timeout = 408 "Request timeout", "The body did not arrive in time.", "Send it again.";
    conflict = 409 "Conflict", "Something with this code or id is already there.", "Choose another code, or change the one that is there.";
    not_calculated = 409 "Not calculated yet", "The calculation has not come this far, so there are no results to tell.", "Wait as Retry-After says, then ask again.";
    idempotency_in_flight = 409 "Request still running", "A request with this idempotency key is still running.", "Wait as Retry-After says, then send it again.";
    external_id_conflict = 409 "External id in use", "An activity with this external id and other content is there already.", "Supersede the activity, or send the row under its own id.";
    already_superseded = 409 "Already superseded", "Another activity has superseded this one.", "Supersede the newest one.";
    length_required = 411 "Length required", "The body's length is not declared.", "Send Content-Length.";
    version_mismatch = 412 "Changed meanwhile", "If-Match names another version than the current one.", "Read the resource again, then change it.";
    payload_too_large = 413 "Body too large", "The body is above the limit of this route.", "Send it in parts.";
    too_many_rows = 413 "Too many rows", "The body holds more rows than one request may.", "Send it in parts, or as an import.";
    unsupported_media_type = 415 "Unsupported media type", "Content-Type is missing, or this route does not take it.", "Send one of the types that Accept lists.";
    unsupported_media_version = 415 "Unsupported version", "The vendor type names a version that is not served.", "Send application/vnd.env.v2+json.";
    unsupported_encoding = 415 "Unsupported encoding", "The body's Content-Encoding or charset is not taken.", "Send the body as it is, in UTF-8.";
    misdirected = 421 "Misdirected request", "No organization of this server has this host name.", "Use the host that the organization is registered under.";
    validation_failed = 422 "Validation failed", "Fields or rows do not hold what they should; errors lists them.", "Correct each of the errors and send it again.";
    idempotency_key_reused = 422 "Idempotency key reused", "The key was used for another request within 24 hours.", "Use a new key for a new request.";
    unit_mismatch = 422 "Unit of another kind", "The unit measures something else than is due.", "Send a unit of the dimension that the detail names.";
    unknown_unit = 422 "Unknown unit", "The unit is not known.", "Use a UCUM code such as kW.h, kg or m3.";
    factor_missing = 422 "Factor missing", "No active pack has a factor for this.", "Activate a pack that covers it.";
    scope_not_allowed = 422 "Scope not allowed", "The activity type does not book to this scope.", "Leave the scope out, or use the type's own.";
    ambiguous_format = 422 "Ambiguous format", "The format of the file cannot be told for certain.", "Name it in the mapping.";
    reading_mismatch = 422 "Reading mismatch", "Meter readings and quantity do not agree.", "Send one of the two, or correct them.";
    rebase_without_gas_split = 422 "Cannot be rebased", "The publisher prints no gases for this factor, so it exists in its own GWP basis only.", "Ask for the set published.";
    precondition_required = 428 "If-Match needed", "A change must say which version it changes.", "Send If-Match with the version as it was read, such as \"v7\".";
    rate_limited = 429 "Too many requests", "The limit of requests is used up.", "Wait as Retry-After says.";
    quota_exhausted = 429 "Quota used up", "The quota of the plan is used up.", "Wait for the next period, or change the plan.";
    overloaded = 429 "Overloaded", "More work is waiting than can be held.", "Wait as Retry-After says, then send it again.";
    internal_error = 500 "Internal error", "Something went wrong on the server. Nothing was half stored.", "Send it again; when it stays, report the request id.";
    feature_not_built = 501 "Not built yet", "This part of the interface is described but not built.", "Use another way, or a later version.";
    key_unavailable = 503 "Key unavailable", "The organization's key cannot be used at the moment.", "Restore the key's provider, then send it again.";
    read_only = 503 "Read-only", "The organization's data cannot be written at the moment, for lack of space or as an operator chose.", "Free space; writing resumes by itself.";
    other_rules = 409 "Made by other rules", "The figure was made by factors, methods or rules that this program does not have, so that it cannot be worked out again.", "Read the figure of the current run instead, or ask the program that made it.";
    data_integrity = 503 "Data integrity", "Stored data is not what it should be; nothing more is read from it or written to it.", "Run envora doctor, then restore from a backup.";
    draining = 503 "Shutting down", "The server is shutting down.", "Send it again in a moment.";
    gateway_timeout = 504 "Took too long", "The request took longer than the server waits.", "Ask for less at once, then send it again.";
}

macro_rules! row_codes {
    ($($code:literal $outcome:literal, $text:literal, $remedy:literal;)*) => {
        /// The codes of rows: code, outcome, what it means, what to do.
        pub const ROW_CODES: &[RowCodePage] =
            &[$(RowCodePage { code: $code, outcome: $outcome, text: $text, remedy: $remedy }),*];
    };
}

/// What the page of a row's code says.
#[derive(Clone, Copy, Debug)]
pub struct RowCodePage {
    /// As on the wire.
    pub code: &'static str,
    /// `rejected`, `quarantined`, `unresolved` or `flag`.
    pub outcome: &'static str,
    /// What it means.
    pub text: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

row_codes! {
    "malformed_row" "rejected", "The row cannot be read: a quote stays open, or it has more or fewer cells than the header.", "Mend the row's quotes and separators.";
    "unknown_field" "rejected", "The row has a field that activities do not have.", "Use the field the hint names, or put it under tags.";
    "missing_field" "rejected", "A field that the activity needs is absent or blank.", "Fill it in, or name the column in the mapping.";
    "wrong_type" "rejected", "The field holds another kind of value than is due.", "Send a text where a text is due, a number as a decimal text.";
    "not_a_number" "rejected", "The quantity is no plain decimal.", "Write digits with at most one point; say in the mapping when the comma is the decimal sign, and which words stand for none.";
    "too_many_digits" "rejected", "More digits than are kept exactly: 20 before the point, 18 after it; instants to the microsecond.", "Send fewer digits; nothing is ever rounded on the way in.";
    "unit_ambiguous" "rejected", "The unit has several meanings, such as gross or net calorific value, or a US and a UK gallon.", "Say which: a full unit code, or alias_set in the mapping.";
    "unit_mismatch" "rejected", "The unit measures something else than the activity type needs.", "Send a unit of the right dimension.";
    "unknown_type" "rejected", "There is no such activity type.", "Use the type the hint names.";
    "period_reversed" "rejected", "The period ends before it starts, or where it starts.", "Exchange start and end, or send an instant as occurred_at.";
    "local_time_missing" "rejected", "The local time does not exist: clocks went forward over it.", "Send the instant with its offset, or correct the zone.";
    "local_time_ambiguous" "rejected", "The local time happened twice, as clocks went back.", "Send the instant with its offset.";
    "negative_not_allowed" "rejected", "The activity type takes no quantity below zero.", "Use the type for the other direction, such as electricity.exported.";
    "shares_not_100" "rejected", "Shares do not add up to 100.", "Correct the shares.";
    "source_mismatch" "rejected", "The row's source stands at another facility than the row says, or is declared for another kind of activity.", "Correct the row, or the source.";
    "external_id_conflict" "rejected", "An activity with this external id and other content is there already.", "Supersede it, or use another id.";
    "already_superseded" "rejected", "Another activity has superseded the one named.", "Supersede the newest one.";
    "reading_mismatch" "rejected", "Meter readings and quantity do not agree.", "Correct one of them.";
    "looks_like_total" "rejected", "The row looks like a total of the rows above.", "Leave it out, or list it under footer in the mapping.";
    "scope_not_allowed" "rejected", "The activity type does not book to this scope or category.", "Leave it out, or use the type's own.";
    "line_too_long" "rejected", "The line is longer than 1 MiB.", "Check for a quote that stays open.";
    "invalid_utf8" "rejected", "The line holds bytes that are not UTF-8.", "Save the file as UTF-8, or name its encoding in the mapping.";
    "duplicate_key" "rejected", "The same key stands twice in one object.", "Send it once.";
    "unknown_unit" "quarantined", "The unit is not known.", "Use a UCUM code such as kW.h, or map the word in the mapping.";
    "unknown_facility" "quarantined", "No facility has this code.", "Add the facility: the row counts from then on.";
    "unknown_source" "quarantined", "No source has this code.", "Add the source: the row counts from then on.";
    "unknown_supplier" "quarantined", "No supplier has this code.", "Add the supplier: the row counts from then on.";
    "unknown_entity" "quarantined", "No entity has this code.", "Add the entity: the row counts from then on.";
    "unknown_currency" "quarantined", "No currency has this code.", "Use an ISO 4217 code.";
    "unknown_item" "quarantined", "The item is not in its scheme.", "Use a code of the scheme.";
    "factor_missing" "unresolved", "No active pack has a factor that fits.", "Activate a pack that covers the place, the year and the unit.";
    "ambiguous_factor" "unresolved", "Several factors fit equally well.", "Narrow it with a qualifier.";
    "price_year_mismatch" "unresolved", "The factor stands on prices of another year and no index is there.", "Activate a price index.";
    "fx_missing" "unresolved", "No exchange rate is there for the day.", "Activate a set of rates.";
    "outside_facility_life" "unresolved", "The period lies before the facility opened or after it closed.", "Correct the period, or the facility's days.";
    "outlier" "unresolved", "The value is far from its neighbours and waits for a look.", "Confirm or supersede it.";
    "float_artifact" "flag", "The digits look like a rounding fault of binary floats.", "Send the number as it was measured.";
    "no_external_id" "flag", "The row has no id of its own; only the idempotency key guards against sending it twice.", "Send external_id.";
    "possible_duplicate" "flag", "Another row says the same for the same source and period.", "Supersede one of them if they are the same.";
    "period_fallback" "flag", "No edition covers the period; the nearest one was used.", "Activate the edition of the year.";
    "region_fallback" "flag", "No factor covers the place; a wider one was used.", "Activate a pack of the place.";
    "stale_factor" "flag", "The newest edition is older than the period.", "Activate the edition of the year.";
    "native_gwp_basis" "flag", "The publisher prints no gases: the value stays in the basis it was printed in.", "Nothing, if the basis suits; else use a factor with gases.";
    "gwp_missing" "flag", "The set has no value for the gas.", "Ask for another set.";
    "low_tier" "flag", "A method of low quality was used.", "Send what a better method needs.";
    "no_residual_mix" "flag", "No residual mix is there: the market-based figure uses the grid average.", "Activate a residual mix.";
    "derived_factor_missing" "flag", "A derived slot (WTT, losses) has no factor; the others count.", "Activate a pack that has it.";
    "price_year_assumed" "flag", "The price year is assumed.", "Send the price year.";
    "zero_run" "flag", "A long run of zeros that may mean missing data.", "Set zero_run_missing in the mapping if they mean gaps.";
    "estimate" "flag", "The quantity is an estimate.", "Supersede it when the measurement is there.";
    "unverified" "flag", "The factor was not verified by its publisher.", "Use a published factor where one is there.";
}

#[cfg(test)]
mod tests {
    use super::{Code, ROW_CODES};

    #[test]
    fn every_code_is_written_once_and_says_what_to_do() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
            assert!((400..600).contains(&code.status()));
            assert!(code.text().ends_with('.') && code.remedy().ends_with('.'));
        }
        let mut rows = std::collections::BTreeSet::new();
        for page in ROW_CODES {
            assert!(rows.insert(page.code), "{} twice", page.code);
            assert!(page.text.ends_with('.') && page.remedy.ends_with('.'), "{}", page.code);
        }
    }
}
