//! The config editor: foreign bytes stay, a second run writes nothing, forgetting restores.
#![no_main]

use moorline_ssh_files::config::{self, BEGIN, END};
use moorline_ssh_files::{Alias, HostEntry, ProxyCommand, UserName};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let alias: Alias = "colab".parse().unwrap();
    let direct = HostEntry {
        alias: alias.clone(),
        host_name: "h.example".parse().unwrap(),
        port: Some("7423".parse().unwrap()),
        user: UserName::root(),
        identity_file: "~/.ssh/moorline_ed25519".parse().unwrap(),
        known_hosts_file: "~/.ssh/known_hosts".parse().unwrap(),
        proxy_command: None,
    };
    let proxied = HostEntry {
        host_name: alias.to_host_name(),
        port: None,
        proxy_command: Some(ProxyCommand::from_argv(["moorline", "proxy", "colab"]).unwrap()),
        ..direct.clone()
    };
    let _ = config::foreign_entry(data, &alias);
    let _ = config::foreign_pattern(data, &alias);
    let _ = config::included_files(data);
    let _ = config::scope_changed_by_removal(data);
    let back = config::bring_back(data, &alias);
    assert_eq!(config::bring_back(&back, &alias), back, "a second run changes nothing");
    if let Ok(commented) = config::comment_out(data, &alias) {
        assert!(config::loose_entries(&commented).iter().all(|entry| entry.alias != alias));
        assert_eq!(config::comment_out(&commented, &alias).unwrap(), commented);
        if !data.windows(10).any(|part| part == b"#moorline ") {
            assert_eq!(config::bring_back(&commented, &alias), data);
        }
    }
    let Ok(added) = config::apply(data, &[direct.clone()]) else {
        assert!(config::check(data).is_err());
        assert!(config::apply(data, &[]).is_err());
        return;
    };
    assert_eq!(config::apply(&added, &[direct]).unwrap(), added);
    let updated = config::apply(&added, &[proxied]).unwrap();
    let forgotten = config::apply(&updated, &[]).unwrap();
    match config::block_of(data).unwrap() {
        None => assert_eq!(forgotten, data),
        Some(block) => {
            let start = block.as_ptr() as usize - data.as_ptr() as usize;
            let end = start + block.len();
            assert_eq!(forgotten, [&data[..start], &data[end..]].concat());
            let text = String::from_utf8_lossy(block);
            assert!(text.contains(BEGIN) && text.contains(END));
        }
    }
    assert_eq!(config::foreign_entry(&added, &alias).is_some(), config::foreign_entry(&forgotten, &alias).is_some());
});
