//! The pages people look at: sign-in, footprint, trace.
//!
//! Each page is made from wire types by one pure function and an askama template; nothing needs a
//! script, nothing comes from elsewhere, and the content policy says so. What is shown, the API
//! answers too: a page knows no SQL and no rule of accounting.

mod assets;
mod charts;
mod footprint;
mod problem;
mod shell;
mod sign_in;
mod trace;
mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod looks;
