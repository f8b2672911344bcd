//! The server.

mod pages;
