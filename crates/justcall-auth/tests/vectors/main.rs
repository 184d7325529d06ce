//! Runs `tests/vectors/`, as the runners of the other languages do.

mod cases;
mod diagnose;
mod fault;
mod source;
mod verify;
mod webhook;
