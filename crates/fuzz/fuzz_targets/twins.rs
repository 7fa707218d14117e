//! Every path of the core against an independent implementation; see the library of this crate.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The first comparison builds the reference: on a busy machine that alone can take longer than
// one text may.
fuzz_target!(init: tokenfare_fuzz::compare(&[0]), |data: &[u8]| tokenfare_fuzz::compare(data));
