//! The server: the data folder, the HTTP interface, the pages, and the tasks of each tenant.
//!
//! Handlers are thin: what is stored and calculated is decided below, in `envora-ingest` and
//! `envora-store`. The environment is read by `envora` alone; everything comes in as parameters.
#![forbid(unsafe_code)]

pub mod access;
pub mod admin;
pub mod answers;
pub mod app;
pub mod bodies;
mod connections;
pub mod cursors;
pub mod decoding;
pub mod edge;
pub mod endpoints;
pub mod fields;
pub mod folder;
mod forms;
pub mod gate;
pub mod gauges;
pub mod hosts;
pub mod idempotency;
mod lingering;
pub mod listing;
pub mod metrics;
pub mod openapi;
mod pace;
pub mod pages;
pub mod params;
pub mod processing;
pub mod queries;
pub mod refusals;
pub mod routes;
pub mod rows;
pub mod serving;
pub mod tenants;
