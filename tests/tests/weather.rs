//! `moorline watch` on a network with weather: what each kind of failure is called, and what is no failure.
#![cfg(target_os = "linux")]

use std::time::Duration;

use moorline_tests::{Story, Watching, Weather, weather};

/// A runtime behind weather, followed while the weather is fair.
fn followed(weather: &Weather) -> Story {
    let story = Story::begin_on(weather);
    let (port, user) = (story.runtime.port(), story.runtime.user());
    let cell = format!("ssh -p {port} {user}@{}\npassword: {}\n", weather::RUNTIME, story.runtime.password());
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    story
}

#[test]
fn a_runtime_that_is_swallowed_is_lost_and_found() {
    let weather = Weather::fair();
    let story = followed(&weather);
    let mut watching = Watching::start(&story.stage);
    watching.health("colab", "online");
    weather.swallow(weather::RUNTIME);
    watching.health("colab", "suspect");
    let down = watching.health("colab", "down");
    assert_eq!(down["health"]["cause"]["kind"], "runtime-gone", "{down}");
    watching.notice("dropped");
    weather.spit_out();
    watching.notice("back");
    weather.set(Duration::ZERO, 0);
}
