//! A channel may carry anything: no line and no body under the right key may make the reader panic, and what is read
//! must still pass its validator and read back from its own line.
#![no_main]

use moorline_model::announcement::{self, Endpoint};
use moorline_model::session_key::SessionKey;
use moorline_ssh_files::HostName;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(key) = "mlk1-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".parse::<SessionKey>() else { return };
    let (kid, mac) = (key.id(), key.announcement_key());
    let _ = announcement::open(&String::from_utf8_lossy(data), &kid, &mac);
    let line = announcement::seal_bytes(data, &kid, &mac);
    if let Ok(said) = announcement::open(&line, &kid, &mac) {
        for endpoint in &said.endpoints {
            if let Endpoint::Ngrok(place) | Endpoint::Direct(place) = endpoint {
                assert_eq!(place.host.as_str().parse::<HostName>().as_ref(), Ok(&place.host));
            }
        }
        let again = announcement::seal(&said, &kid, &mac);
        assert_eq!(announcement::open(&again, &kid, &mac), Ok(said));
    }
});
