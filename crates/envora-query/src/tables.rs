//! The tables there are, column by column.

pub mod activities;
pub mod emissions;
pub mod rejected;
