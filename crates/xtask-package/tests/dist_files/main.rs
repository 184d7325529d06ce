//! The files of `dist/` that programs are not linked with: the wheel, the sources, the bills of materials.

mod bills;
mod sources;
mod support;
mod verify;
mod wheel;
