//! Each check finds the bug that is planted for it.

use justcall_auth_simulation::{Check, Options, Plant, Violation, run};

/// Runs episodes with the bug until a promise is broken, 400 at most.
fn find(plant: Plant) -> Option<Box<Violation>> {
    let options = Options { seed: 1, episodes: Some(400), plant: Some(plant), ..Options::default() };
    run(&options, |_| ()).err()
}

macro_rules! planted {
    ($($name:ident: $plant:ident, $check:ident;)*) => {
        $(#[test]
        fn $name() {
            let violation = find(Plant::$plant).expect("the planted bug is found");
            assert_eq!(violation.check, Check::$check, "{violation}");
            let text = violation.to_string();
            let name = stringify!($plant);
            let again = format!("cargo xtask simulate --seed {} --episodes 1 --plant {name}", violation.seed);
            assert!(text.contains(&again) && text.contains(violation.check.promise()), "{text}");
            assert!(violation.trace.lines().any(|line| line.starts_with('>')), "{text}");
        })*

        #[test]
        fn it_plants_every_bug() {
            let here = [$((Plant::$plant, Check::$check)),*];
            assert_eq!(here.len(), Plant::ALL.len());
            assert!(Plant::ALL.iter().all(|planted| here.contains(planted)));
        }
    };
}

planted! {
    it_finds_a_source_that_hides_its_new_pair: BlindDetector, GoodPairWithinTheWait;
    it_finds_a_driver_that_hides_refusals: HiddenRefusals, KnownBadPair;
    it_finds_keyrings_that_do_not_share_rejections: SeparateRejections, OneRefusal;
    it_finds_a_connection_pool_that_sends_a_post_again: ResendingPool, PostTwice;
    it_finds_a_driver_that_denies_a_request_that_left: DeniedRequests, RequestSent;
    it_finds_a_driver_that_claims_a_request_that_did_not_leave: ClaimedRequests, RequestSent;
    it_finds_a_driver_that_forgets_a_call_that_waits: LostWakeup, EveryCallEnds;
    it_finds_an_account_page_that_comes_from_a_cache: CachedAccountPage, AnotherAccount;
    it_finds_a_proxy_that_turns_a_refusal_into_not_found: TurnedRefusals, GoodPairKept;
    it_finds_a_driver_that_reads_the_source_without_a_lease: EagerReader, OneReader;
    it_finds_a_driver_that_ignores_retry_after: HastyRetries, Attempts;
    it_finds_a_fleet_that_sends_its_held_calls_at_once: RushedRelease, SpreadRelease;
}
