#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    cupo_providers::fuzzing::caldav_multistatus(bytes);
});
