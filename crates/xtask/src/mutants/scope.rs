//! What is mutated, and which tests must detect it.

use super::Mutant;

/// The mutants of one package.
pub struct Scope {
    pub name: &'static str,
    pub about: &'static str,
    pub package: &'static str,
    /// How many of the mutants are tested; without a number, all.
    pub sample: Option<usize>,
    /// The share of the mutants that compile which the tests must detect, in per cent.
    pub required: usize,
    pub phases: &'static [Phase],
}

/// Tests that run together.
pub struct Phase {
    pub about: &'static str,
    pub package: &'static str,
    /// The programs of tests, as arguments of cargo.
    pub programs: &'static [&'static str],
    /// The arguments of the programs.
    pub arguments: &'static [&'static str],
    /// The random cases of a property, in place of the usual number.
    pub cases: Option<&'static str>,
}

/// The control: the unit tests are built, and none of them runs.
pub const NO_TEST: Phase = Phase {
    about: "no test",
    package: "",
    programs: &["--lib"],
    arguments: &["--exact", "no such test"],
    cases: None,
};

const PROTOCOL: &str = "justcall-auth-protocol";
const SECRET: &str = "justcall-auth-secret";
const CLIENT: &str = "justcall-auth";
const FFI: &str = "justcall-auth-ffi";

pub const SCOPES: &[Scope] = &[
    Scope {
        name: "secret",
        about: "Mutants of protected memory",
        package: SECRET,
        sample: None,
        required: 97,
        phases: &[Phase {
            about: "its own tests",
            package: SECRET,
            programs: &["--lib", "--tests"],
            arguments: &[],
            cases: None,
        }],
    },
    Scope {
        name: "protocol",
        about: "Mutants of the rules of a call",
        package: PROTOCOL,
        sample: None,
        required: 97,
        phases: &[
            Phase {
                about: "unit tests",
                package: PROTOCOL,
                programs: &["--lib"],
                // All that take longer than the others together.
                arguments: &[
                    "--skip=it_takes_linear_time",
                    "--skip=it_takes_the_same_time",
                    "--skip=it_limits_the_number_of_stored_rejections",
                    "--skip=it_reports_no_spike_after",
                    "--skip=it_treats_a_lasting_increase_as_usual",
                    "--skip=it_accepts_the_current_pair_then_the_candidate",
                ],
                cases: Some("40"),
            },
            Phase {
                about: "quick tests",
                package: PROTOCOL,
                programs: &[
                    "--test=delivery",
                    "--test=driver",
                    "--test=exchange",
                    "--test=fingerprints",
                    "--test=rotation",
                    "--test=usage",
                    "--test=webhook_results",
                ],
                arguments: &[
                    "--skip=it_lets_calls_wait_for_the_whole_wait",
                    "--skip=it_ends_the_wait_on_time",
                ],
                cases: Some("40"),
            },
            Phase {
                about: "all tests",
                package: PROTOCOL,
                programs: &["--lib", "--tests"],
                arguments: &[],
                cases: None,
            },
            Phase {
                about: "the vectors",
                package: CLIENT,
                programs: &["--test=vectors", "--test=canary", "--test=scrub"],
                arguments: &[],
                cases: None,
            },
        ],
    },
    Scope {
        name: "client",
        about: "Mutants of sources and the network",
        package: CLIENT,
        sample: Some(300),
        required: 92,
        phases: &[
            Phase {
                about: "unit tests",
                package: CLIENT,
                programs: &["--lib"],
                // Those that take seconds.
                arguments: &[
                    "--skip=it_never_combines_an_old_key_with_a_new_secret",
                    "--skip=it_reads_a_whole_pair_although_its_version_is_removed",
                    "--skip=it_never_uses_the_pair_of_a_program_that_failed_or_printed_half_of_it",
                ],
                cases: Some("40"),
            },
            Phase {
                about: "quick tests",
                package: CLIENT,
                programs: &[
                    "--test=canary",
                    "--test=connection_settings",
                    "--test=delivery",
                    "--test=encodings",
                    "--test=events",
                    "--test=hostile_requests",
                    "--test=methods",
                    "--test=rewriting",
                    "--test=scrub",
                    "--test=vectors",
                    "--test=webhook_secrets",
                ],
                arguments: &[],
                cases: Some("40"),
            },
            Phase {
                about: "all tests",
                package: CLIENT,
                // Without a choice, cargo also builds the examples, which some tests run.
                programs: &[],
                arguments: &[],
                cases: None,
            },
        ],
    },
    Scope {
        name: "ffi",
        about: "Mutants of the C library",
        package: FFI,
        sample: Some(300),
        required: 92,
        phases: &[
            Phase {
                about: "the programs in C that call every function",
                package: FFI,
                programs: &["--test=abi"],
                arguments: &[
                    "it_keeps_the_promises_of_its_comments",
                    "it_survives_hostile_arguments",
                    "it_survives_a_panic",
                ],
                cases: None,
            },
            Phase { about: "unit tests", package: FFI, programs: &["--lib"], arguments: &[], cases: None },
            Phase {
                about: "all tests in C",
                package: FFI,
                programs: &["--test=abi"],
                arguments: &[],
                cases: None,
            },
            Phase {
                about: "the tests in C++",
                package: FFI,
                programs: &["--test=cpp"],
                arguments: &[],
                cases: None,
            },
        ],
    },
];

/// The names of the scopes.
pub fn names() -> Vec<&'static str> {
    SCOPES.iter().map(|scope| scope.name).collect()
}

impl Scope {
    /// Returns all of `mutants` in their order, or a sample that `seed` chooses.
    pub fn choose(&self, mut mutants: Vec<Mutant>, seed: u64) -> Vec<Mutant> {
        if let Some(sample) = self.sample {
            fastrand::Rng::with_seed(seed).shuffle(&mut mutants);
            mutants.truncate(sample);
            mutants.sort_by(|one, other| one.name.cmp(&other.name));
        }
        mutants
    }
}
