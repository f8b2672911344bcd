//! The server as clients meet it: in this process, with real databases in a folder of its own.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test that uses it")]

mod access;
mod activities;
mod archiving;
mod browser;
mod calculation;
mod collections;
mod conventions;
mod damage;
mod docs;
mod doctor;
mod emissions;
mod exports;
mod facilities;
mod folder;
mod footprints;
mod golden;
mod house;
mod imports;
mod lingering;
mod lists;
mod metrics;
mod openapi;
mod p20;
mod p21;
mod packed;
mod pages;
mod pages_denied;
mod postgres;
mod problems;
mod quality;
mod reasons;
mod reverse;
mod segments;
mod skipped;
mod types;
