//! The catalogue of problem codes: never renamed, each with its status, its title and its page.

macro_rules! codes {
    ($($code:ident = $status:literal $title:literal, $text:literal, $remedy:literal,
        $cause:literal, $example:literal;)*) => {
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

            /// How one mostly comes by it.
            #[must_use]
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$code => $cause,)* }
            }

            /// The detail of one occurrence.
            #[must_use]
            pub const fn example(self) -> &'static str {
                match self { $(Self::$code => $example,)* }
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
    malformed_body = 400 "Malformed body", "The body cannot be read as what its type says.", "Send well-formed UTF-8 JSON without duplicate keys, or the format that Content-Type names.",
        "A trailing comma, a key that stands twice, a file in Latin-1, or an empty body.", "The body is no JSON: expected a comma or a brace at line 3, column 5.";
    repeated_header = 400 "Header sent twice", "A header that is sent once at most stands in the request twice, so that it is not certain which one is meant.", "Send the header that the detail names once.",
        "A proxy or a client library that adds a header beside the one that is there already.", "The request has 2 headers authorization. Send one, so that it is certain which is meant.";
    unknown_parameter = 400 "Unknown or bad parameter", "A query parameter is unknown, repeated, missing, or its value cannot be used.", "Correct the parameter that the detail names.",
        "A slip of the pen, a day written 31/01/2022, or a limit above 1000.", "There is no parameter limt. Did you mean limit?";
    invalid_cursor = 400 "Invalid cursor", "The cursor was not made by this collection, or it is older than 24 hours.", "Start again without a cursor.",
        "A cursor kept since yesterday, cut when it was copied, or taken from another list or organization.", "This is no cursor of this collection. Start again without one.";
    cursor_filter_mismatch = 400 "Cursor of other filters", "The cursor was made with other filters.", "Keep the filters of the first page, or start again without a cursor.",
        "A filter was added, dropped or changed between two pages.", "The cursor was made with other filters. Keep those of the first page, or start again.";
    idempotency_key_missing = 400 "Idempotency key missing", "This request must carry an idempotency key, so that sending it again can do no harm.", "Add X-Idempotency-Key with 8 to 255 visible ASCII characters, new for each intended effect.",
        "A POST of rows without external_id, or of a file, without the header.", "Send X-Idempotency-Key with 8 to 255 visible characters, so that sending the request again can do no harm.";
    idempotency_key_invalid = 400 "Idempotency key invalid", "The idempotency key is not 8 to 255 visible ASCII characters, is sent twice, or the two headers differ.", "Send one key in one header.",
        "A short counter as key, a blank within it, or X-Idempotency-Key and Idempotency-Key with different values.", "The idempotency key is not 8 to 255 visible ASCII characters.";
    query_invalid = 400 "No such question", "The question is no SQL that can be answered here: it cannot be read, names what is not there, or would do more than read.", "Correct it where the detail says; SHOW TABLES and DESCRIBE activities tell what there is.",
        "A slip of the pen in a column's name, INSERT or SET, or a division by zero.", "There is no column quantty (line 1, column 8). Did you mean quantity?";
    unauthenticated = 401 "Sign-in needed", "The request carries no valid token or session.", "Send Authorization: Bearer with a token of this organization, or sign in.",
        "No Authorization header, a token cut when it was copied, or one of another organization.", "The token is not known here, or it was revoked.";
    token_expired = 401 "Token expired", "The token or sign-in code is too old or was used before.", "Ask for a new one.",
        "The single-use address that a demo printed was opened twice, or after ten minutes.", "The code was used before, or it is older than ten minutes.";
    forbidden = 403 "Forbidden", "The credential may not do this.", "Use a credential that may, or ask an administrator.",
        "The credential was made for less than this route does.", "This credential may not do factor_packs:activate.";
    wrong_environment = 403 "Wrong environment", "The token belongs to the other environment of the organization.", "Use a token of this environment.",
        "A token of live sent to the host of test, or the other way round.", "This is the test environment; the token belongs to the other one.";
    not_found = 404 "Not found", "There is nothing here that this credential can see.", "Check the id and the organization in the path.",
        "An id of another organization, one letter off, or a path that does not exist.", "There is nothing here that this credential can see.";
    method_not_allowed = 405 "Method not allowed", "The resource does not answer to this method.", "Use a method that the Allow header lists.",
        "PUT or DELETE of an activity: those are superseded, never changed.", "The resource does not answer to this method; Allow lists those it does.";
    not_acceptable = 406 "Not acceptable", "None of the types in Accept is given here.", "Accept application/vnd.env.v2+json or application/json.",
        "Accept: text/html or application/xml on a route of the API.", "Answers come as application/vnd.env.v2+json or application/json; errors as application/problem+json.";
    request_timeout = 408 "Request timeout", "The body did not arrive in time.", "Send it again.",
        "A connection that stalls in the middle of an upload.", "The body did not arrive in time.";
    conflict = 409 "Conflict", "Something with this code or id is already there.", "Choose another code, or change the one that is there.",
        "Adding a facility under a code that another one has, with other fields.", "Another facility has the code b24 and says something else. Change that one, or choose another code.";
    not_calculated = 409 "Not calculated yet", "The calculation has not come this far, so there are no results to tell.", "Wait as Retry-After says, then ask again.",
        "Asking for the footprint in the first moments after a start, or right after a write.", "The first calculation has not ended yet, so there are no figures to tell. Ask again in a moment.";
    idempotency_in_flight = 409 "Request still running", "A request with this idempotency key is still running.", "Wait as Retry-After says, then send it again.",
        "A client that gave up waiting and sent the request again while the first one is still at work.", "A request with this idempotency key is still running.";
    external_id_conflict = 409 "External id in use", "An activity with this external id and other content is there already.", "Supersede the activity, or send the row under its own id.",
        "A corrected reading sent under the id of the first one.", "An activity with this external id and other content is there already.";
    already_superseded = 409 "Already superseded", "Another activity has superseded this one.", "Supersede the newest one.",
        "Two corrections of the same activity, both naming the first one.", "Another activity has superseded this one.";
    length_required = 411 "Length required", "The body's length is not declared.", "Send Content-Length.",
        "A body sent in chunks to a route that must know its length beforehand.", "Send Content-Length.";
    version_mismatch = 412 "Changed meanwhile", "If-Match names another version than the current one.", "Read the resource again, then change it.",
        "Somebody else changed it between reading and changing it.", "It was changed meanwhile: the current version is \"v8\". Read it again, then change it.";
    payload_too_large = 413 "Body too large", "The body is above the limit of this route.", "Send it in parts.",
        "JSON above 16 MiB, or a file above 64 MiB.", "The body is above the limit of this route.";
    too_many_rows = 413 "Too many rows", "The body holds more rows than one request may.", "Send it in parts, or as an import.",
        "More than 100,000 rows in one JSON body.", "The body holds more than 100,000 rows. Send it in parts, or as NDJSON to imports.";
    unsupported_media_type = 415 "Unsupported media type", "Content-Type is missing, or this route does not take it.", "Send one of the types that Accept lists.",
        "No Content-Type, or text/plain for JSON.", "text/plain is not taken here. This route takes application/vnd.env.v2+json, application/json.";
    unsupported_media_version = 415 "Unsupported version", "The vendor type names a version that is not served.", "Send application/vnd.env.v2+json.",
        "A client written for another version of the interface.", "application/vnd.env.v3+json is not served; this is version 2, application/vnd.env.v2+json.";
    unsupported_encoding = 415 "Unsupported encoding", "The body's Content-Encoding or charset is not taken.", "Send the body as gzip, as zstd, or as it is, in UTF-8.",
        "A body compressed with gzip, or charset=latin1.", "Content-Encoding is not taken here: send the body as it is.";
    misdirected = 421 "Misdirected request", "No organization of this server has this host name.", "Use the host that the organization is registered under.",
        "An address by IP or by a name that no organization is registered under.", "No organization of this server has this host name.";
    validation_failed = 422 "Validation failed", "Fields or rows do not hold what they should; errors lists them.", "Correct each of the errors and send it again.",
        "A required field left out, an unknown one, or a value of the wrong kind.", "1 field is wrong: country must be two capital letters such as GB.";
    idempotency_key_reused = 422 "Idempotency key reused", "The key was used for another request within 24 hours.", "Use a new key for a new request.",
        "A constant, or a counter that starts anew with each run, as idempotency key.", "This idempotency key was used for another request. Use a new key for a new request.";
    query_too_large = 422 "Question too large", "Answering would take more memory than one question may, or the answer would have more bytes than one may.", "Ask for fewer columns, for sums, or of fewer days; files of any size come from activities/export.",
        "A join of all rows with all rows, or every column of ten thousand rows.", "Answering needs more than 128 MiB of memory. Ask for fewer columns, for sums, or of fewer days.";
    query_too_long = 422 "Question too long at work", "The question was worked on for as long as one may be, and was ended.", "Ask of fewer days, or of one type or facility: rows of others are then not read.",
        "A question over all rows of many years, or a join of all rows with all rows.", "The question was not answered within 10 seconds, and was ended.";
    unit_mismatch = 422 "Unit of another kind", "The unit measures something else than is due.", "Send a unit of the dimension that the detail names.",
        "Converting kilograms into kilowatt-hours.", "kg is a mass, kW.h an energy: convert within one kind.";
    unknown_unit = 422 "Unknown unit", "The unit is not known.", "Use a UCUM code such as kW.h, kg or m3.",
        "KWH, kWh or litres where a UCUM code is due.", "kilowatts is no unit. Did you mean kW.h?";
    factor_missing = 422 "Factor missing", "No active pack has a factor for this.", "Activate a pack that covers it.",
        "A year or a country that no active pack covers.", "No active pack has a factor for this.";
    scope_not_allowed = 422 "Scope not allowed", "The activity type does not book to this scope.", "Leave the scope out, or use the type's own.",
        "Purchased electricity claimed for scope 1.", "electricity.purchased books to scope 2, not to 1.";
    ambiguous_format = 422 "Ambiguous format", "The format of the file cannot be told for certain.", "Name it in the mapping.",
        "A file whose numbers can be read in two ways.", "1,234 may be a thousand or a fraction: say decimal in the mapping.";
    reading_mismatch = 422 "Reading mismatch", "Meter readings and quantity do not agree.", "Send one of the two, or correct them.",
        "A meter was exchanged, or the readings are of another period than the quantity.", "The readings differ by 120, the quantity says 100.";
    rebase_without_gas_split = 422 "Cannot be rebased", "The publisher prints no gases for this factor, so it exists in its own GWP basis only.", "Ask for the set published.",
        "Asking for a single factor in AR6 that is printed as one CO2e number only.", "The publisher prints no gases for this factor, so it exists in its own GWP basis only.";
    precondition_required = 428 "If-Match needed", "A change must say which version it changes.", "Send If-Match with the version as it was read, such as \"v7\".",
        "A PATCH or DELETE without If-Match.", "Send If-Match with the version that you read; the current one is \"v7\".";
    rate_limited = 429 "Too many requests", "The limit of requests is used up.", "Wait as Retry-After says.",
        "A loop without a pause.", "The limit of requests is used up.";
    quota_exhausted = 429 "Quota used up", "The quota of the plan is used up.", "Wait for the next period, or change the plan.",
        "More rows in a period than the plan holds.", "The quota of the plan is used up.";
    overloaded = 429 "Overloaded", "More work is waiting than can be held.", "Wait as Retry-After says, then send it again.",
        "Many large uploads or exports at the same moment.", "As many large bodies are on their way as can be held at once. Send it again in a moment.";
    internal_error = 500 "Internal error", "Something went wrong on the server. Nothing was half stored.", "Send it again; when it stays, report the request id.",
        "A fault of ours. Its cause stands in the server's log under the request id.", "Something went wrong on the server, and nothing was half stored. Report the request id if it happens again.";
    feature_not_built = 501 "Not built yet", "This part of the interface is described but not built.", "Use another way, or a later version.",
        "A method or a format that is planned only.", "This way of reading a file is not built yet. Send it as CSV through a mapping.";
    key_unavailable = 503 "Key unavailable", "The organization's key cannot be used at the moment.", "Restore the key's provider, then send it again.",
        "The key's provider cannot be reached, or the key is disabled.", "The organization's key cannot be used at the moment.";
    read_only = 503 "Read-only", "The organization's data cannot be written at the moment, for lack of space or as an operator chose.", "Free space; writing resumes by itself.",
        "The disk is full.", "The disk is full, so nothing was stored; reading goes on, and writing resumes when there is room.";
    other_rules = 409 "Made by other rules", "The figure was made by factors, methods or rules that this program does not have, so that it cannot be worked out again.", "Read the figure of the current run instead, or ask the program that made it.",
        "A figure of a newer version of the program, opened after going back to an older one.", "The figure was made by other rules. Read the figure of the current run instead; the program that made this one still works it out.";
    data_integrity = 503 "Data integrity", "Stored data is not what it should be; nothing more is read from it or written to it.", "Run envora doctor, then restore from a backup.",
        "A failing disk, or a file that was changed behind the server's back.", "Stored bytes are not what was stored. Nothing is answered from them; run envora doctor.";
    draining = 503 "Shutting down", "The server is shutting down.", "Send it again in a moment.",
        "The server was told to stop, for an update for instance.", "The server is shutting down.";
    gateway_timeout = 504 "Took too long", "The request took longer than the server waits.", "Ask for less at once, then send it again.",
        "A question over very many rows on a busy machine.", "The request took longer than five minutes. Ask for less at once.";
}

macro_rules! row_codes {
    ($($code:literal $outcome:literal, $text:literal, $remedy:literal,
        $cause:literal, $example:literal;)*) => {
        /// The codes of rows: code, outcome, what it means, what to do, how it comes about, an example.
        pub const ROW_CODES: &[RowCodePage] =
            &[$(RowCodePage { code: $code, outcome: $outcome, text: $text, remedy: $remedy, cause: $cause, example: $example }),*];
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
    /// How one mostly comes by it.
    pub cause: &'static str,
    /// A row, or what stands in it.
    pub example: &'static str,
}

row_codes! {
    "malformed_row" "rejected", "The row cannot be read: a quote stays open, it has more or fewer cells than the header, or it needs merged or hidden cells of a spreadsheet.", "Mend the row's quotes and separators; unmerge and show its cells.",
        "A comma inside a cell that is not in quotes, or a quote that is never closed.", "2022-01-01,Building 24, annex,5 under a header of three columns";
    "unknown_field" "rejected", "The row has a field that activities do not have.", "Use the field the hint names, or put it under tags.",
        "A slip of the pen, or a column of your own in a file without a mapping.", "\"quantitiy\": \"5\" – did you mean quantity?";
    "missing_field" "rejected", "A field that the activity needs is absent or blank.", "Fill it in, or name the column in the mapping.",
        "An empty cell, or a column that the mapping does not name.", "2022-01-01,,kW.h: the quantity is blank";
    "wrong_type" "rejected", "The field holds another kind of value than is due.", "Send a text where a text is due, a number as a decimal text.",
        "A JSON number where a decimal text is due, or a list where one word is.", "\"facility_code\": 24 instead of \"24\"";
    "not_a_number" "rejected", "The quantity is no plain decimal.", "Write digits with at most one point; say in the mapping when the comma is the decimal sign, and which words stand for none.",
        "A thousands separator, a decimal comma, or a word such as n/a.", "1.234,5 without decimal = \",\" in the mapping";
    "too_many_digits" "rejected", "More digits than are kept exactly: 20 before the point, 18 after it; instants to the microsecond.", "Send fewer digits; nothing is ever rounded on the way in.",
        "A quotient exported with all digits of a binary float.", "0.3333333333333333333 has 19 digits after the point";
    "unit_ambiguous" "rejected", "The unit has several meanings, such as gross or net calorific value, or a US and a UK gallon.", "Say which: a full unit code, or alias_set in the mapping.",
        "A unit as people say it, whose meaning depends on country or trade.", "kWh of gas: gross (kW.h.x:gross) or net (kW.h.x:net)?";
    "unit_mismatch" "rejected", "The unit measures something else than the activity type needs.", "Send a unit of the right dimension.",
        "A column of kilograms mapped to an activity that is counted in energy.", "electricity.purchased with the unit kg";
    "unknown_type" "rejected", "There is no such activity type.", "Use the type the hint names.",
        "A word of your own instead of a type of the catalogue.", "\"type\": \"electricity\" – did you mean electricity.purchased?";
    "period_reversed" "rejected", "The period ends before it starts, or where it starts.", "Exchange start and end, or send an instant as occurred_at.",
        "Start and end exchanged, or the same instant in both.", "start 2022-02-01, end 2022-01-31";
    "local_time_missing" "rejected", "The local time does not exist: clocks went forward over it.", "Send the instant with its offset, or correct the zone.",
        "Half-hourly data written in winter time all year.", "2022-03-27 01:30 in Europe/London";
    "local_time_ambiguous" "rejected", "The local time happened twice, as clocks went back.", "Send the instant with its offset.",
        "Half-hourly data in local time without an offset.", "2022-10-30 01:30 in Europe/London";
    "negative_not_allowed" "rejected", "The activity type takes no quantity below zero.", "Use the type for the other direction, such as electricity.exported.",
        "A credit note, or feed-in booked as negative consumption.", "electricity.purchased with the quantity -12.5";
    "shares_not_100" "rejected", "Shares do not add up to 100.", "Correct the shares.",
        "Rounded percentages.", "33, 33 and 33 make 99";
    "source_mismatch" "rejected", "The row's source stands at another facility than the row says, or is declared for another kind of activity.", "Correct the row, or the source.",
        "A meter that was moved, or the wrong meter number.", "source b24-gas with the type electricity.purchased";
    "external_id_conflict" "rejected", "An activity with this external id and other content is there already.", "Supersede it, or use another id.",
        "A corrected reading sent under the id of the first one.", "external_id r-1 with the quantity 6, stored with 5";
    "already_superseded" "rejected", "Another activity has superseded the one named.", "Supersede the newest one.",
        "Two corrections that both name the first activity.", "supersedes act_… which act_… has superseded";
    "reading_mismatch" "rejected", "Meter readings and quantity do not agree.", "Correct one of them.",
        "A meter was exchanged within the period, or a digit is wrong.", "readings 100 and 220 with the quantity 100";
    "looks_like_total" "rejected", "The row looks like a total of the rows above.", "Leave it out, or list it under footer in the mapping.",
        "A spreadsheet with a line of sums at its foot.", "Total,,123456";
    "scope_not_allowed" "rejected", "The activity type does not book to this scope or category.", "Leave it out, or use the type's own.",
        "A scope column filled by hand.", "electricity.purchased with the scope 1";
    "line_too_long" "rejected", "The line is longer than 1 MiB.", "Check for a quote that stays open.",
        "A quote that stays open swallows the rest of the file.", "\"Building 24,5,kW.h …";
    "invalid_utf8" "rejected", "The line holds bytes that are not UTF-8.", "Save the file as UTF-8, or name its encoding in the mapping.",
        "A file saved by an old spreadsheet in Windows-1252.", "Zürich with the byte 0xFC";
    "duplicate_key" "rejected", "The same key stands twice in one object.", "Send it once.",
        "An object put together by hand.", "{\"quantity\": \"5\", \"quantity\": \"6\"}";
    "unknown_word" "rejected", "The cell of a table of factors holds no word of its column.", "Use the word the hint names.",
        "A word of your own, or a slip of the pen.", "boundary cradle-to-gate instead of cradle_to_gate";
    "boundary_mismatch" "rejected", "No method takes a factor of this part of the supply chain for the activity type.", "Use a boundary the hint names, or ask for the number that is due.",
        "A life-cycle rate where the rate of generation is due.", "electricity.purchased with the boundary life_cycle";
    "gas_sum" "rejected", "The gases of a factor do not add up to its total within one per cent.", "Give the mass of each gas, or the total alone.",
        "A gas that is in CO2 equivalents already, or another GWP set than the document's.", "co2e 1.9 with gas.CO2 1.5 and gas.CH4 0.01";
    "biogenic_co2" "rejected", "CO2 of what grew stands where it would count, or a memo holds something else.", "Give it in a row of its own with memo = biogenic_co2, and methane and nitrous oxide in one without.",
        "A fuel of wood whose CO2 is given like that of coal.", "wood_pellets with gas.CO2 1800";
    "validity_overlap" "rejected", "Two factors of one key hold on the same day.", "End the earlier one where the later one begins, or give one of them a key of its own.",
        "A new year's row whose predecessor was left open.", "steel-sheet until 2025-12-31 and from 2025-12-01";
    "key_reused" "rejected", "Two factors of one key mean different things.", "Give what differs a key of its own.",
        "A copied row whose key was left as it was.", "steel-sheet for two items";
    "unknown_unit" "quarantined", "The unit is not known.", "Use a UCUM code such as kW.h, or map the word in the mapping.",
        "A word for a unit that only your file uses.", "5 Ltr";
    "unknown_facility" "quarantined", "No facility has this code.", "Add the facility: the row counts from then on.",
        "Data of a building that was not added yet.", "facility_code b99";
    "unknown_source" "quarantined", "No source has this code.", "Add the source: the row counts from then on.",
        "A new meter.", "source_code b24-electricity-2";
    "unknown_supplier" "quarantined", "No supplier has this code.", "Add the supplier: the row counts from then on.",
        "A new supplier, or a name where its code is due.", "supplier_code acme-gas";
    "unknown_entity" "quarantined", "No entity has this code.", "Add the entity: the row counts from then on.",
        "A company that was not added yet.", "entity_code acme-fr";
    "unknown_currency" "quarantined", "No currency has this code.", "Use an ISO 4217 code.",
        "A sign, or a word, instead of a code.", "£ instead of GBP";
    "unknown_item" "quarantined", "The item is not in its scheme.", "Use a code of the scheme.",
        "A code of another edition of the scheme, or one that lost its leading zero.", "item 1001 instead of 01001";
    "factor_missing" "unresolved", "No active pack has a factor that fits.", "Activate a pack that covers the place, the year and the unit.",
        "A year, a place or a fuel that no active pack covers.", "natural gas in Brazil with UK packs only";
    "ambiguous_factor" "unresolved", "Several factors fit equally well.", "Narrow it with a qualifier.",
        "A word that several rows of the publisher's table have.", "a van, without its class or fuel";
    "price_year_mismatch" "unresolved", "The factor stands on prices of another year and no index is there.", "Activate a price index.",
        "Spend of 2024 with a factor on prices of 2021.", "1000 GBP of 2024";
    "fx_missing" "unresolved", "No exchange rate is there for the day.", "Activate a set of rates.",
        "Spend in a currency without a rate of that day.", "1000 SEK on 2022-05-01";
    "outside_facility_life" "unresolved", "The period lies before the facility opened or after it closed.", "Correct the period, or the facility's days.",
        "The opening day of a building is wrong, or a meter ran on after the sale.", "a reading of 2021 at a facility opened 2022-01-01";
    "outlier" "unresolved", "The value is far from its neighbours and waits for a look.", "Confirm or supersede it.",
        "A decimal point lost, or a real peak.", "98,000 kW.h in an hour, between 95 and 101";
    "float_artifact" "flag", "The digits look like a rounding fault of binary floats.", "Send the number as it was measured.",
        "An export by a program that calculates in binary.", "0.30000000000000004";
    "no_external_id" "flag", "The row has no id of its own; only the idempotency key guards against sending it twice.", "Send external_id.",
        "A file without a column of ids and without a natural key.", "a list of payments without numbers";
    "possible_duplicate" "flag", "Another row says the same for the same source and period.", "Supersede one of them if they are the same.",
        "The same month sent in two files.", "b24-electricity, January 2022, twice";
    "names_archived" "flag", "The row names a facility, source, entity or supplier that was archived when it came; it counts all the same.", "Nothing, if that is meant; else correct the code, or bring it back by PATCH with {\"archived\": false}.",
        "A late bill for a building that was sold.", "facility_code=b24, archived in May";
    "negative_balance" "flag", "The balance of the gas is below zero: it counts as it is, and lowers the total.", "Check the stocks, purchases and capacities of the year, and supersede the row if one is wrong.",
        "Stock at the beginning and at the end were swapped, or a purchase is missing.", "bought 1 kg, stock from 5 kg to 8 kg";
    "period_fallback" "flag", "No edition covers the period; the nearest one was used.", "Activate the edition of the year.",
        "A period that lies before the first edition or between two.", "2019 with packs from 2021 on";
    "region_fallback" "flag", "No factor covers the place; a wider one was used.", "Activate a pack of the place.",
        "A place for which only the country or the world is printed.", "a factor of GB for Scotland";
    "stale_factor" "flag", "The newest edition is older than the period.", "Activate the edition of the year.",
        "A new year before its factors are published.", "2026 with factors of 2025";
    "native_gwp_basis" "flag", "The publisher prints no gases: the value stays in the basis it was printed in.", "Nothing, if the basis suits; else use a factor with gases.",
        "A factor that is printed as one CO2e number only.", "a CO2e factor in AR4 in a total in AR6";
    "gwp_missing" "flag", "The set has no value for the gas.", "Ask for another set.",
        "A rare refrigerant in an old set.", "a species that only the TAR lists, asked for in AR5";
    "low_tier" "flag", "A method of low quality was used.", "Send what a better method needs.",
        "Spend instead of amounts, or an average instead of a measurement.", "freight by money";
    "no_residual_mix" "flag", "No residual mix is there: the market-based figure uses the grid average.", "Activate a residual mix.",
        "A country without a published residual mix among the active packs.", "purchased electricity in GB without a certificate";
    "derived_factor_missing" "flag", "A derived slot (WTT, losses) has no factor; the others count.", "Activate a pack that has it.",
        "A publisher that prints the fuel but not its supply.", "combustion counted, its well-to-tank part not";
    "price_year_assumed" "flag", "The price year is assumed.", "Send the price year.",
        "Spend without a price year.", "1000 GBP with a day but no price_year";
    "zero_run" "flag", "A long run of zeros that may mean missing data.", "Set zero_run_missing in the mapping if they mean gaps.",
        "A logger that failed and writes zeros.", "0 for three days in an hourly series";
    "estimate" "flag", "The quantity is an estimate.", "Supersede it when the measurement is there.",
        "A bill on an estimated reading.", "quality estimated";
    "unverified" "flag", "The factor was not verified by its publisher.", "Use a published factor where one is there.",
        "A factor of your own.", "a factor from a supplier's letter";
}

/// What a row's code means, in a sentence; empty for a code that is none.
#[must_use]
pub fn row_text(code: &str) -> &'static str {
    ROW_CODES.iter().find(|page| page.code == code).map_or("", |page| page.text)
}

/// What to do about a row's code; empty for a code that is none.
#[must_use]
pub fn row_remedy(code: &str) -> &'static str {
    ROW_CODES.iter().find(|page| page.code == code).map_or("", |page| page.remedy)
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
            assert!(code.cause().ends_with('.') && code.example().ends_with(['.', '?']));
        }
        let mut rows = std::collections::BTreeSet::new();
        for page in ROW_CODES {
            assert!(rows.insert(page.code), "{} twice", page.code);
            assert!(page.text.ends_with('.') && page.remedy.ends_with('.'), "{}", page.code);
            assert!(page.cause.ends_with('.') && !page.example.is_empty(), "{}", page.code);
        }
    }
}
