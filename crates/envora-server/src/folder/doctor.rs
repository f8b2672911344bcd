//! `doctor`: what is well with a folder and what is not, without changing anything.
