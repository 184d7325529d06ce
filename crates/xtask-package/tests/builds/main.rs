//! Whole builds of the product: `cargo xtask install`, and a second build of the packages in another folder.

mod debian;
mod install;
mod panic;
mod reproducible;
