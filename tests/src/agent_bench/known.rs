//! A new endpoint: how soon plain ssh gets there by its alias.

use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::table::{ROUNDS, Table, timed};
use crate::Story;
use crate::stage::feed;

/// Measures from the moment when the endpoint and its key are handed over until `ssh colab true` has run, beside
/// what ssh itself takes to that very machine.
pub fn measure(table: &mut Table) -> Result<()> {
    let mut story = Story::begin();
    story.follow("colab", "127.0.0.1");
    let (mut ours, mut plain, mut more) = (vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        story.runtime.restart();
        story.cell_authorises_login_key();
        let bare = timed(|| plain_ssh(&story));
        let whole = ssh_by_alias(&story)?;
        more.push(whole.saturating_sub(bare));
        ours.push(whole);
        plain.push(bare);
    }
    table.times("endpoint known to `ssh colab true` done", ours, "ms", None);
    table.times("  ssh itself, without Moorline", plain, "ms", None);
    table.times("  the difference", more, "ms", Some(300.0));
    Ok(())
}

fn plain_ssh(story: &Story) {
    let port = story.runtime.port().to_string();
    let place = format!("{}@127.0.0.1", story.runtime.user());
    let key = story.stage.home_inside().join(".ssh/moorline_ed25519").display().to_string();
    let mut arguments = vec!["-F", "none", "-i", &key, "-p", &port];
    for option in ["IdentitiesOnly=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"] {
        arguments.extend(["-o", option]);
    }
    story.stage.run("ssh", &[&arguments[..], &[&place, "true"]].concat()).works("the machine lets us in");
}

/// From the paste until ssh has been there.
fn ssh_by_alias(story: &Story) -> Result<Duration> {
    let begun = Instant::now();
    let port = format!("Port {}\n", story.runtime.port());
    let fingerprint = story.runtime.host_key().fingerprint();
    let mut command = story.stage.command("moorline");
    command.args(["add", "colab", "--from", "-", "--yes", "--fingerprint", &fingerprint]);
    let cell = format!("ssh -p {} {}@127.0.0.1\n", story.runtime.port(), story.runtime.user());
    let pasting = thread::spawn(move || feed(command, "moorline add", &cell));
    while !story.stage.text(".ssh/config").contains(&port) {
        sleep(Duration::from_millis(1));
    }
    story.stage.run("ssh", &["colab", "true"]).works("the alias leads there");
    let took = begun.elapsed();
    let Ok(pasted) = pasting.join() else { bail!("the paste broke off") };
    pasted.works("the paste was taken");
    Ok(took)
}
