//! The short variant: programs call for a few seconds. `cargo xtask test --full` lets them call for ten minutes.

use justcall_auth_fault_tests::programs::Programs;
use justcall_auth_fault_tests::soak::{Load, check_planted, soak};
use justcall_auth_fault_tests::vectors::caller::Language;

const SECONDS: u64 = 7;

fn programs() -> Programs {
    Programs::find().expect("the programs are found")
}

#[test]
fn it_loses_no_memory_descriptor_or_thread() {
    let loads = [Language::C, Language::Python].map(|language| Load {
        language,
        threads: 4,
        clients: 100,
        plant: "none",
    });
    for soak in soak(&programs(), &loads, SECONDS).expect("the programs run") {
        assert_eq!(soak.broken(), Vec::<String>::new(), "{}", soak.table());
        assert!(soak.samples.last().is_some_and(|last| last.locked > 0), "the pair is in locked memory");
    }
}

#[test]
fn it_serves_a_thousand_threads_with_one_client_after_a_thousand_clients() {
    let load = Load { language: Language::C, threads: 1000, clients: 1000, plant: "none" };
    let crowd = soak(&programs(), &[load], SECONDS).expect("the program runs").remove(0);
    let (calls, failed) = crowd.total;
    assert_eq!(failed, 0, "{}", crowd.table());
    assert!(calls > 2000, "each client and each thread has made a call: {calls}");
    assert!(crowd.samples.iter().any(|sample| sample.threads >= 1000), "{}", crowd.table());
}

#[test]
fn it_notices_a_loss_of_memory_descriptors_or_threads() {
    assert_eq!(check_planted(&programs(), SECONDS).expect("each is noticed").len(), 3);
}
