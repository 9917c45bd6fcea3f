//! A connection that falls silent, beside OpenSSH with the entry that Moorline wrote for it.

use std::fs::File;
use std::process::Stdio;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::table::{ROUNDS, Table, followed};
use crate::processes::{Program, until};
use crate::{Stage, Watching, Weather, weather};

/// OpenSSH gives up after a minute with our entry.
const LONGEST: Duration = Duration::from_secs(150);

/// Measures, each round on a network of its own and all at once: most of it is waiting.
pub fn measure(table: &mut Table) -> Result<()> {
    let clean: Vec<_> = (0..ROUNDS).map(|_| thread::spawn(|| round(false))).collect();
    let lossy: Vec<_> = (0..ROUNDS).map(|_| thread::spawn(|| round(true))).collect();
    for (rounds, link, limit) in [(clean, "a clean link", 12.0), (lossy, "300 ms and 20 % loss", 30.0)] {
        let (mut ours, mut theirs) = (vec![], vec![]);
        for round in rounds {
            let Ok(measured) = round.join() else { anyhow::bail!("a round broke off; see above") };
            let (agent, ssh) = measured?;
            ours.push(agent);
            theirs.push(ssh);
        }
        table.times(&format!("silent loss on {link}"), ours, "s", Some(limit));
        table.times("  the same seen by ssh with our entry", theirs, "s", None);
    }
    Ok(())
}

/// How long the agent and ssh took to notice.
fn round(lossy: bool) -> Result<(Duration, Duration)> {
    let weather = Weather::fair();
    let story = followed(&weather);
    let mut watching = Watching::start(&story.stage);
    watching.event("the first reading", |event| event["event"] == "vitals");
    let mut ssh = logged_in(&story.stage);
    if lossy {
        weather.set(Duration::from_millis(300), 20);
        // The agent learns what the link is like.
        sleep(Duration::from_secs(60));
    }
    let suspects = |watching: &Watching| {
        watching.lines().iter().filter(|event| event["health"]["state"] == "suspect").count()
    };
    ensure!(suspects(&watching) == 0 && ssh.is_running(), "nothing was lost so far");
    weather.swallow(weather::RUNTIME);
    let (begun, mut seen, mut ended) = (Instant::now(), None, None);
    while (seen.is_none() || ended.is_none()) && begun.elapsed() < LONGEST {
        sleep(Duration::from_millis(20));
        if suspects(&watching) > 0 {
            seen.get_or_insert(begun.elapsed());
        }
        if !ssh.is_running() {
            ended.get_or_insert(begun.elapsed());
        }
    }
    Ok((seen.unwrap_or(LONGEST), ended.unwrap_or(LONGEST)))
}

fn logged_in(stage: &Stage) -> Program {
    let place = stage.runtime_dir().join("ssh.out");
    let mut command = stage.command("ssh");
    command.args(["-T", "colab", "echo in; sleep 1000"]);
    command.stdout(File::create(&place).expect("a place for its output")).stderr(Stdio::null());
    let ssh = Program::start(command);
    until("ssh to be logged in", || std::fs::read_to_string(&place).is_ok_and(|said| said == "in\n"));
    ssh
}
