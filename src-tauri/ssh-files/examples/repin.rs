//! Re-points one alias in a given directory: `repin DIR ALIAS HOST PORT 'ssh-ed25519 AAAA…'`.
//! Also what the benchmarks time.

use std::error::Error;

use moorline_ssh_files::{Alias, HostEntry, HostKey, KnownHostsEdit, KnownName, Place, SshDir, UserName};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, alias, host, port, key] = &arguments[..] else {
        return Err("usage: repin DIR ALIAS HOST PORT KEY".into());
    };
    let (alias, key): (Alias, HostKey) = (alias.parse()?, key.parse()?);
    let place = Place { host: host.parse()?, port: port.parse()? };
    let names = vec![KnownName::Alias(alias.clone()), KnownName::Place(place.clone())];
    let edit =
        KnownHostsEdit { drop: names.clone(), drop_pairs: Vec::new(), pin_names: names, pin_keys: vec![key] };
    let entry = HostEntry {
        alias,
        host_name: place.host,
        port: Some(place.port),
        user: UserName::root(),
        identity_file: "~/.ssh/moorline_ed25519".parse()?,
        known_hosts_file: "~/.ssh/known_hosts".parse()?,
        proxy_command: None,
    };
    SshDir::new(dir, format!("{dir}/backups")).write(&edit, &[entry])?;
    Ok(())
}
