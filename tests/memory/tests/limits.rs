//! Without the right to lock memory: the library works, says so, and refuses only where it was told to.
#![cfg(target_os = "linux")]

use justcall_auth_memory_tests::pair::Pair;
use justcall_auth_memory_tests::programs::{Kind, Programs};
use justcall_auth_memory_tests::rights::{ensure_limited, limited};
use justcall_auth_memory_tests::sandbox::Sandbox;
use justcall_auth_memory_tests::target::Target;

struct Bench {
    programs: Programs,
    sandbox: Sandbox,
    pair: Pair,
}

impl Bench {
    fn set_up() -> Self {
        let programs = Programs::find().expect("what is tested is there");
        let sandbox = Sandbox::start(&programs.sandbox()).expect("a sandbox");
        let pair = Pair::make(&sandbox).expect("a pair");
        Self { programs, sandbox, pair }
    }

    /// A program that may lock so many bytes, `None` as many as this one may, with a client of a level.
    fn start(&self, kind: Kind, limit: Option<u32>, level: u8) -> Target {
        let mut command = self.programs.command(kind).expect("it is there");
        command.arg(self.pair.file()).args([self.sandbox.url(), self.sandbox.ca_file()]);
        if let Some(bytes) = limit {
            command = limited(&command, bytes);
        }
        let mut target = Target::start(command).expect("it starts");
        target.must(&format!("level {level}"), "ok").expect("a level");
        target.must("client", "ok").expect("a client");
        if let Some(bytes) = limit {
            ensure_limited(target.pid(), bytes).expect("the limit bites");
        }
        target
    }
}

const AUTO: u8 = 0;
const STRICT: u8 = 1;

#[test]
fn it_authenticates_without_the_right_to_lock_memory_and_says_where_the_pair_is() {
    let bench = Bench::set_up();
    for kind in [Kind::C, Kind::Python] {
        let mut target = bench.start(kind, Some(0), AUTO);
        target.must("load", "heap").expect("it says so");
        target.must("verify 1 1", "ok").expect("it authenticates");
        let seen = target.scan(&bench.pair.needles).expect("its memory");
        assert!(!seen.hits.is_empty(), "the control: the pair is on the heap, so it is seen");
    }
}

#[test]
fn it_keeps_the_pair_locked_where_an_ordinary_user_may_lock_little() {
    let bench = Bench::set_up();
    for kind in [Kind::C, Kind::Python] {
        let mut target = bench.start(kind, Some(64 * 1024), STRICT);
        target.must("load", "locked").expect("64 KiB, the smallest usual limit, are enough");
        target.must("verify 1 1", "ok").expect("it authenticates");
        let seen = target.scan(&bench.pair.needles).expect("its memory");
        assert!(seen.hits.is_empty(), "{seen:?}");
    }
}

#[test]
fn it_refuses_less_than_it_was_told_to_demand() {
    let bench = Bench::set_up();
    let mut target = bench.start(Kind::C, Some(0), STRICT);
    target.must("load", "memory_protection").expect("it is refused");
    target.must("verify 1 1", "memory_protection").expect("no call is made");
    let mut target = bench.start(Kind::C, None, STRICT);
    target.must("load", "locked").expect("the control: with the right it is not");
}
