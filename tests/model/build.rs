//! Sets `cfg(shuttle)`, with which the protocol crate uses the model checker's locks.

fn main() {
    println!("cargo::rustc-cfg=shuttle");
}
