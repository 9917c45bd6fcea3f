//! A connection that is closed: how soon the icon, how soon the person is told, and when nobody is.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::table::{ROUNDS, Table, followed};
use crate::{Story, Watching, Weather, weather};

/// Longer than any notification of a drop may take.
const QUIET: Duration = Duration::from_secs(6);

/// Measures, each round with an agent that has seen no drop yet: one that breaks again and again is dialled slowly.
pub fn measure(table: &mut Table) -> Result<()> {
    let weather = Weather::fair();
    let mut story = followed(&weather);
    let (mut icon, mut told, mut told_of_silence, mut back) = (vec![], vec![], vec![], vec![]);
    for round in 0..ROUNDS * 2 {
        let mut watching = at_rest(&story);
        // Half of the time the port is closed afterwards, half of the time nothing answers any more.
        let silent = round % 2 == 1;
        if silent {
            weather.shut(weather::RUNTIME);
        }
        let closed = Instant::now();
        story.runtime.lose_sshd();
        watching.health("colab", "suspect");
        icon.push(closed.elapsed());
        watching.notice("dropped");
        if silent { &mut told_of_silence } else { &mut told }.push(closed.elapsed());
        weather.spit_out();
        story.runtime.serve_keys_of(0);
    }
    // The return from the last of them is still owed, and told by whoever watches next.
    at_rest(&story).notice("back");
    for _ in 0..ROUNDS {
        let mut watching = at_rest(&story);
        let closed = Instant::now();
        story.runtime.hang_up();
        watching.health("colab", "suspect");
        icon.push(closed.elapsed());
        watching.health("colab", "online");
        back.push(closed.elapsed());
        sleep(QUIET);
        let told = watching.told();
        ensure!(told.is_empty(), "nobody is told of a drop that was over at once: {told:?}");
    }
    table.times("closed connection to icon", icon, "ms", Some(150.0));
    table.times("closed connection to notification, port closed", told, "s", Some(5.0));
    table.times("closed connection to notification, then silence", told_of_silence, "s", Some(5.0));
    table.times("closed connection to online again, nobody told", back, "ms", None);
    Ok(())
}

/// An agent with nothing left to do.
fn at_rest(story: &Story) -> Watching {
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    watching.event("the first reading", |event| event["event"] == "vitals");
    watching
}
