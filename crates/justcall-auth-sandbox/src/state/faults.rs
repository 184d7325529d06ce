//! The faults in force, and the choice of the one that strikes.

use serde_json::{Value, json};

use super::fault::{Fault, Filter};
use crate::random;

/// The faults in force, oldest first. The first that fits a request strikes, and no other.
#[derive(Default)]
pub(super) struct Faults {
    last_id: u64,
    live: Vec<Live>,
}

struct Live {
    id: u64,
    fault: Fault,
    struck: u64,
}

impl Faults {
    /// Adds a fault. Returns its number.
    pub(super) fn add(&mut self, fault: Fault) -> u64 {
        self.last_id += 1;
        self.live.push(Live { id: self.last_id, fault, struck: 0 });
        self.last_id
    }

    /// Clears all faults. Returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        let count = self.live.len();
        self.live.clear();
        count
    }

    /// Clears one fault. Returns false if it is not in force.
    pub(super) fn remove(&mut self, id: u64) -> bool {
        let before = self.live.len();
        self.live.retain(|live| live.id != id);
        self.live.len() < before
    }

    /// Returns the faults in force, each with its number, its kind, and how often it struck and will strike.
    pub(super) fn list(&self) -> Value {
        let one = |live: &Live| {
            json!({
                "id": live.id,
                "fault": live.fault.name,
                "struck": live.struck,
                "skip": live.fault.filter.skip,
                "times": live.fault.filter.times,
            })
        };
        self.live.iter().map(one).collect()
    }

    /// Returns the fault that strikes a new connection, if any.
    pub(super) fn strike_connection(&mut self) -> Option<Fault> {
        self.strike(|fault| fault.kind.is_for_connections())
    }

    /// Returns the fault that strikes a request, if any.
    pub(super) fn strike_request(
        &mut self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
    ) -> Option<Fault> {
        self.strike(|fault| {
            !fault.kind.is_for_connections() && fault.filter.meets(method, path, authorization)
        })
    }

    fn strike(&mut self, fits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let index = self.live.iter_mut().position(|live| fits(&live.fault) && due(&mut live.fault.filter))?;
        let live = &mut self.live[index];
        live.struck += 1;
        let fault = live.fault.clone();
        if live.fault.filter.times == Some(0) {
            self.live.remove(index);
        }
        Some(fault)
    }
}

/// Counts a request that fits. Returns true if the fault strikes it.
fn due(filter: &mut Filter) -> bool {
    if filter.skip > 0 {
        filter.skip -= 1;
        return false;
    }
    if !random::chance(filter.rate) {
        return false;
    }
    filter.times = filter.times.map(|left| left - 1);
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fault, Faults};

    fn fault(value: Value) -> Fault {
        let Value::Object(object) = value else { panic!("an object") };
        Fault::from_json(object).unwrap()
    }

    fn strikes(faults: &mut Faults, method: &str, path: &str) -> Option<String> {
        faults.strike_request(method, path, Some("key:secret")).map(|fault| fault.name)
    }

    #[test]
    fn it_lets_the_first_requests_pass_and_ends_after_the_last() {
        let mut faults = Faults::default();
        faults.add(fault(json!({"fault": "hang", "skip": 1, "times": 2})));
        let hits: Vec<bool> = (0..5).map(|_| strikes(&mut faults, "GET", "/").is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.list(), json!([]));
    }

    #[test]
    fn it_strikes_only_the_requests_that_are_meant() {
        let mut faults = Faults::default();
        faults.add(fault(json!({"fault": "hang", "path": "/a", "method": "post", "api_key": "key"})));
        assert_eq!(strikes(&mut faults, "POST", "/a").as_deref(), Some("hang"));
        assert_eq!(strikes(&mut faults, "GET", "/a"), None);
        assert_eq!(strikes(&mut faults, "POST", "/a/"), None);
        assert!(faults.strike_request("POST", "/a", Some("yek:secret")).is_none());
        assert!(faults.strike_request("POST", "/a", None).is_none());
        assert!(faults.strike_connection().is_none());
    }

    #[test]
    fn it_lets_the_oldest_fault_strike_alone_and_the_next_after_it() {
        let mut faults = Faults::default();
        faults.add(fault(json!({"fault": "hang", "times": 1})));
        faults.add(fault(json!({"fault": "delay", "ms": 1})));
        assert_eq!(strikes(&mut faults, "GET", "/").as_deref(), Some("hang"));
        assert_eq!(strikes(&mut faults, "GET", "/").as_deref(), Some("delay"));
    }

    #[test]
    fn it_never_strikes_at_a_rate_of_zero() {
        let mut faults = Faults::default();
        faults.add(fault(json!({"fault": "hang", "rate": 0.0})));
        assert!((0..200).all(|_| strikes(&mut faults, "GET", "/").is_none()));
    }
}
