//! A runtime that announces itself: how soon plain ssh gets there by its alias.

use anyhow::Result;

use super::table::{ROUNDS, Table};
use crate::{Scene, Watching};

/// Measures, for each channel that pushes, from the moment when the channel has the announcement until
/// `ssh colab true` has run, less what ssh itself takes for that.
#[expect(clippy::unnecessary_wraps, reason = "it has the shape of all parts")]
pub fn measure(table: &mut Table) -> Result<()> {
    let (scene, watching) = Scene::online(&["ntfy", "folder"]);
    over(table, &["ntfy", "folder"], scene, watching);
    let (scene, watching) = Scene::online_behind_relay(&["ntfy", "relay"]);
    over(table, &["relay"], scene, watching);
    Ok(())
}

fn over(table: &mut Table, channels: &[&str], mut scene: Scene, mut watching: Watching) {
    for channel in channels {
        let (mut more, mut plain) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            let (took, alone) = scene.another_is_followed(&mut watching, channel);
            more.push(took.saturating_sub(alone));
            plain.push(alone);
        }
        table.times(&format!("announced over {channel} to `ssh colab true`"), more, "ms", Some(1000.0));
        table.times("  ssh itself, besides", plain, "ms", None);
    }
}
