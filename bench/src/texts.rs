//! The texts of the report.

/// What each peer does for a request.
pub const PEERS: &str = "\
Every peer sends the same headers (`Authorization`, `Accept`, `Content-Type`), uses one connection, has a timeout of
30 s, trusts only the bench's CA file, reads the whole body and checks the status. An unexpected response ends the
measurement.

- **justcall-auth, C**: one client with every default. It checks the JSON, reads the account from it, and holds the pair
  in memory that is wiped, so it does more than the libcurl peer.
- **raw OpenSSL socket, C**: a request that is prepared once, and a search for the end of the response. It has no timeout.
- **libcurl, C**: easy interface, one reused handle, no signals. It does not parse the JSON.
- **justcall-auth, Python**: one `Client`, which returns the account as an object.
- **requests**: one `Session` with its defaults, `raise_for_status()`, `.json()`.
- **httpx**: one `Client` with an `ssl` context, `raise_for_status()`, `.json()`.
- **pycurl**: one reused `Curl`, a comparison of the status, `json.loads`.
- **curl**, the command: `--silent --fail --max-time 30 --cacert`.
";

/// How everything was measured.
pub const METHOD: &str = "\
The measured library and command are those that ship (`cargo xtask package`). The protection level of the pair is
`locked`, the default, unless a row names another.

The service is one nginx with one worker on loopback, with TLS 1.3 and unlimited keep-alive. It responds 401 if the pair
is wrong. Clients and nginx share one processor, so times include those of nginx. CPU is the client's alone
(`getrusage`). Each peer is a process that connects once and then makes its requests on command. Every round runs all
peers, in a new order. Figures are medians over the rounds. A ratio is taken within a round, and its median has a 95 %
interval (bootstrap over rounds, fixed seed). Ratios are stable between machines; times are not.

The secret work of a call is measured in Rust with the functions of the transport, a hundred at a time. The header
through the C ABI is measured a hundred at a time, too. Whole calls at each level are made by the same C program, in
turns, and by the same program on a build without the wiping allocator. The difference between the two builds is the
cost of wiping all freed memory.

A webhook is verified from its headers and body to its event, 2,000 at a time; the secret is read from protected memory
each time. ring's bare HMAC is `Key::new` and `verify` of the prepared message. The check of the signature beside it
gets the secret as a parameter.

Instructions are counted by valgrind's callgrind in user space, allocations by an allocator that is preloaded. A count is
the difference between a run with 400 requests and one with 100, so the start and the handshake do not count. Valgrind
offers the program fewer processor features than the machine has. `cargo xtask test` compares the counts with
bench/counts.json and fails above 3 % more.

Workers with threads use all processors, and nginx one of them. `free` threads start the next call at once, `paced` ones
start a call every 20 ms, and threads in `bursts` start together. Each thread of the libcurl peer has its own handle; all
threads of justcall-auth use one client.

The phases are those of a program in C. The load is the time from its start to `main`. The first call contains the
look-up of the name, the connection and the handshake. The roots of the system are those of Debian's ca-certificates.

The interval shows the uncertainty of this run. Between runs on a shared machine a ratio varies by up to 0.03 more.
";

/// Why goals are missed, as the profile shows.
pub const WHY: &str = "\
- **Instructions.** The table of crates above shows where they are spent. The crates of justcall-auth take a fifth. The rest
  is ureq with http and httparse, TLS, and allocating and copying in the C library. Most crates are built for size
  (`opt-level = \"s\"`), because the library must stay below 2.4 MiB. `Cargo.toml` states what that costs.
- **Headers of a response.** ureq copies each header into a map that grows, and the response copies them into one block.
- **Time.** A verification has a fixed part that no client avoids: the row of the raw socket. Both processes share one
  processor, so the time also contains nginx.
- **Python.** The call in the core takes five sixths of a verification, and the rest is the conversion of arguments and
  results.
";
