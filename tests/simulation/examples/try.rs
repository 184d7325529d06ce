fn main() {
    let mut arguments = std::env::args().skip(1);
    let seed: u64 = arguments.next().map_or(1, |n| n.parse().unwrap());
    let episodes = arguments.next().map_or(1, |n| n.parse().unwrap());
    let plant = arguments.next().map(|name| justcall_auth_simulation::Plant::ALL.iter().find(|p| format!("{:?}", p.0) == name).unwrap().0);
    let tolerated = std::env::var("TOLERATE").unwrap_or_default().split(',').filter_map(|n| justcall_auth_simulation::Plant::ALL.iter().find(|p| format!("{:?}", p.1) == n).map(|p| p.1)).collect();
    let options = justcall_auth_simulation::Options { seed, episodes: Some(episodes), plant, tolerated, ..Default::default() };
    match justcall_auth_simulation::run(&options, |_| ()) {
        Ok(report) => { println!("{report}"); println!("missing {:?}", report.coverage.missing()); for s in justcall_auth_simulation::Seen::ALL { println!("{:>10} {}", report.coverage.count(*s), s.name()); } }
        Err(violation) => println!("{violation}"),
    }
}
