//! The folder channel from the command line: nothing is set that could not be read again.
#![cfg(target_os = "linux")]

use moorline_tests::cells::Person;
use moorline_tests::person::passwd_entry;

const CONFIG: &str = ".config/moorline/config.toml";

#[test]
fn a_folder_channel_is_set_with_its_folders_or_not_at_all() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare"]);
    let stage = &person.stage;
    let before = stage.text(CONFIG);
    for half in [
        &["cell", "colab", "--channel", "folder"][..],
        &["cell", "colab", "--channel", "folder", "--folder", "/home/me/Drive"],
        &["cell", "colab", "--channel", "folder", "--runtime-folder", "/content/drive/MyDrive/x"],
        &["cell", "other", "--user", &passwd_entry().0, "--link", "cloudflare", "--channel", "folder"],
    ] {
        let refused = stage.moorline(half).fails_with(1, "a folder is missing");
        refused.says("--folder PATH").says("--runtime-folder PATH");
        assert_eq!(stage.text(CONFIG), before, "nothing is written, and no session made");
    }

    let drive = stage.home_inside().join("Drive");
    let folders = ["--folder", &drive.display().to_string(), "--runtime-folder", "/content/drive/MyDrive/x"];
    let cell = stage.moorline(&[&["cell", "colab"][..], &folders].concat()).works("both are named");
    assert!(cell.stdout.contains("/content/drive/MyDrive/x"), "the cell announces itself there:\n{cell}");
    let config = stage.text(CONFIG);
    assert!(config.contains("channels = [\"ntfy\", \"folder\"]"), "beside what was there:\n{config}");
    assert!(config.contains(&format!("announce_folder = \"{}\"", drive.display())), "{config}");
    stage.moorline(&["cell", "colab"]).works("from now on");
}

#[test]
fn a_folder_channel_without_a_folder_harms_no_session() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare"]);
    let stage = &person.stage;
    let config = stage.text(CONFIG).replace("channels = [\"ntfy\"]", "channels = [\"ntfy\", \"folder\"]");
    assert!(config.contains("folder"), "{config}");
    stage.put(CONFIG, config);
    let next = "moorline cell colab --folder PATH --runtime-folder PATH";
    stage.moorline(&["status"]).works("the sessions are there").says(next);
    let json = stage.moorline(&["status", "--json"]).works("for machines, too");
    let said: serde_json::Value = serde_json::from_str(&json.stdout).expect("one object");
    assert_eq!(said["sessions"][0]["missing_channels"], serde_json::json!(["folder"]), "{json}");
    stage.moorline(&["doctor"]).says("The folder channel of colab is not there").says(next);
    stage
        .moorline(&["cell", "colab"])
        .fails_with(1, "the cell could not announce itself")
        .says("--folder PATH");
    stage.moorline(&["cell", "colab", "--channel", "ntfy"]).works("and it is easily left out");
    let status = stage.moorline(&["status"]).works("nothing is missing");
    assert!(!status.stdout.contains("folder channel"), "{status}");
}
