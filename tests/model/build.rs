//! Compiles the protocol crate with the model checker's locks.

fn main() {
    println!("cargo::rustc-cfg=shuttle");
}
