//! Any text may be pasted: reading it must not panic, and what it found must still pass its validator.
#![no_main]

use moorline_ssh_files::names::{Alias, HostName, UserName};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let reading = moorline_paste::read(&text);
    if let Some(place) = reading.link.as_ref().and_then(moorline_paste::FoundLink::place) {
        assert_eq!(place.host.as_str().parse::<HostName>().as_ref(), Ok(&place.host));
    }
    if let Some(user) = &reading.user {
        assert_eq!(user.as_str().parse::<UserName>().as_ref(), Ok(user));
    }
    if let Some(alias) = &reading.suggested_name {
        assert_eq!(alias.as_str().parse::<Alias>().as_ref(), Ok(alias));
    }
    for told in
        reading.doubts.iter().map(ToString::to_string).chain(reading.notices.iter().map(ToString::to_string))
    {
        assert!(!told.chars().any(char::is_control), "a sentence for a person holds control characters");
    }
    let shown = moorline_paste::redacted(&text);
    assert!(moorline_paste::read(&shown).password.is_none(), "a password is shown");
    let _ = moorline_paste::read_all(&[&text, &shown]);
    let _ = moorline_paste::compare_answer(&text);
});
