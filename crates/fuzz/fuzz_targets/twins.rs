//! Every path of the core against an independent implementation; see the library of this crate.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| tokenfare_fuzz::compare(data));
