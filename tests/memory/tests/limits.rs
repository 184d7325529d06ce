//! Without the right to lock memory, the library works and reports the heap. It refuses only at level strict.
#![cfg(target_os = "linux")]

use justcall_auth_memory_tests::pair::TestPair;
use justcall_auth_memory_tests::programs::{ProgramKind, TestPrograms};
use justcall_auth_memory_tests::rights::{ensure_limited, limited};
use justcall_auth_memory_tests::sandbox::SandboxProcess;
use justcall_auth_memory_tests::target::TargetProcess;

struct Fixture {
    programs: TestPrograms,
    sandbox: SandboxProcess,
    pair: TestPair,
}

impl Fixture {
    fn set_up() -> Self {
        let programs = TestPrograms::find().expect("the programs are found");
        let sandbox = SandboxProcess::start(&programs.sandbox()).expect("the sandbox starts");
        let pair = TestPair::create(&sandbox).expect("the sandbox registers a pair");
        Self { programs, sandbox, pair }
    }

    /// Starts a program with a client at `level`. It may lock `limit` bytes, or as many as this process if `None`.
    fn start(&self, kind: ProgramKind, limit: Option<u32>, level: u8) -> TargetProcess {
        let mut command = self.programs.command(kind).expect("the program is found");
        command.arg(self.pair.file()).args([self.sandbox.url(), self.sandbox.ca_file()]);
        if let Some(bytes) = limit {
            command = limited(&command, bytes);
        }
        let mut target = TargetProcess::start(command).expect("the target starts");
        target.must(&format!("level {level}"), "ok").expect("the level is set");
        target.must("client", "ok").expect("a client is created");
        if let Some(bytes) = limit {
            ensure_limited(target.pid(), bytes).expect("the limit applies");
        }
        target
    }
}

const AUTO: u8 = 0;
const STRICT: u8 = 1;

#[test]
fn it_authenticates_without_the_right_to_lock_memory_and_reports_the_heap() {
    let fixture = Fixture::set_up();
    for kind in [ProgramKind::C, ProgramKind::Python] {
        let mut target = fixture.start(kind, Some(0), AUTO);
        target.must("load", "heap").expect("the heap is reported");
        target.must("verify 1 1", "ok").expect("the pair is verified");
        let seen = target.scan(&fixture.pair.needles).expect("the target's memory is scanned");
        assert!(!seen.hits.is_empty(), "control: the pair is on the heap, so the scan must find it");
    }
}

#[test]
fn it_locks_the_pair_within_the_smallest_usual_limit() {
    let fixture = Fixture::set_up();
    for kind in [ProgramKind::C, ProgramKind::Python] {
        let mut target = fixture.start(kind, Some(64 * 1024), STRICT);
        target.must("load", "locked").expect("64 KiB, the smallest usual limit, suffice");
        target.must("verify 1 1", "ok").expect("the pair is verified");
        let seen = target.scan(&fixture.pair.needles).expect("the target's memory is scanned");
        assert!(seen.hits.is_empty(), "{seen:?}");
    }
}

#[test]
fn it_refuses_less_protection_than_level_strict_demands() {
    let fixture = Fixture::set_up();
    let mut target = fixture.start(ProgramKind::C, Some(0), STRICT);
    target.must("load", "memory_protection").expect("loading is refused");
    target.must("verify 1 1", "memory_protection").expect("no call is made");
    let mut target = fixture.start(ProgramKind::C, None, STRICT);
    target.must("load", "locked").expect("control: loading succeeds with the right to lock memory");
}
