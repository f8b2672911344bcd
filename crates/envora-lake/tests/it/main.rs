//! The lake on disks that crash and fail, and on the real one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod durability;
mod faults;
mod objects;
mod os_disk;
mod packing;
mod world;
