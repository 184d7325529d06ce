#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| justcall_auth_fuzz::check("planted", data));
