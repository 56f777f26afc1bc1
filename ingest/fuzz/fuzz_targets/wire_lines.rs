//! Lines on the queue, alerts' and people's: what is read is written again and says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{envelope, interaction};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = envelope::decode(bytes) {
        let mut alerts = Vec::new();
        for line in &envelope::encode(&read).expect("what was read can be written") {
            alerts.extend(envelope::decode(&line.bytes).expect("what was written can be read").into_owned().alerts);
        }
        assert_eq!(alerts, read.alerts);
    }
    if let Ok(read) = interaction::decode(bytes) {
        let written = interaction::encode(&read).expect("what was read can be written");
        assert_eq!(interaction::decode(&written).expect("what was written can be read"), read);
    }
});
