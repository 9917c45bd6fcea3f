//! What `moorline watch` learns of a runtime's accelerator, memory, disk and age, and what it warns of.
#![cfg(target_os = "linux")]

use std::time::SystemTime;

use moorline_tests::{Story, Watching};

/// The driver's tool works only with the library path of Colab's images.
const DRIVER: &str = "#!/bin/sh
case :$LD_LIBRARY_PATH: in *:/usr/lib64-nvidia:*) ;; *) echo 'NVIDIA-SMI could not find libnvidia-ml.so'; exit 12 ;; esac
case \"$*\" in *--query-gpu=name,memory.used,memory.total,utilization.gpu*--format=csv*) ;; *) exit 2 ;; esac
echo 'Tesla T4, 1024, 15360, 37'
";

/// The kernel of a machine that was started at another time than this computer.
fn born(seconds_ago: u64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let booted = now - seconds_ago;
    format!(
        "#!/bin/sh\ncase \"$*\" in *btime*) echo 'btime {booted}' ;; *) exec /usr/bin/grep \"$@\" ;; esac\n"
    )
}

#[test]
fn accelerator_memory_disk_and_age_are_known_and_warned_of() {
    let story = Story::begin();
    story.follow("colab", "127.0.0.1");
    story.runtime.machine().put_program("nvidia-smi", DRIVER);
    // Eleven hours and five minutes of twelve.
    story.runtime.machine().put_program("grep", &born(11 * 3600 + 300));
    let config = story.stage.text(".config/moorline/config.toml");
    story.stage.put(".config/moorline/config.toml", format!("{config}\n[settings]\ndisk_percent = 1\n"));
    let mut watching = Watching::start(&story.stage);
    let read = watching.event("a reading", |event| event["event"] == "vitals");
    let vitals = &read["vitals"];
    let gpu = &vitals["gpus"][0];
    assert_eq!((gpu["name"].as_str(), gpu["load"].as_u64()), (Some("Tesla T4"), Some(37)), "{read}");
    assert_eq!(gpu["memory"]["total"], 15_360_u64 * 1024 * 1024, "{read}");
    for amount in ["memory", "disk"] {
        assert!(vitals[amount]["total"].as_u64() > vitals[amount]["used"].as_u64(), "{amount}: {read}");
    }
    assert!(vitals["booted"].is_string() && vitals["machine"].is_string(), "{read}");
    let lifetime = watching.notice("lifetime");
    let title = lifetime["title"].as_str().unwrap_or_default();
    assert!(title.starts_with("colab: about 5") && title.ends_with(" min of 12 h left"), "{lifetime}");
    let disk = watching.notice("disk");
    assert!(disk["title"].as_str().is_some_and(|title| title.contains("% full")), "{disk}");
    story.stage.moorline(&["status", "colab"]).works("the agent is asked").says("T4 37 %");
}

#[test]
fn a_driver_that_hangs_takes_nothing_else_with_it() {
    let story = Story::begin();
    story.follow("colab", "127.0.0.1");
    story.runtime.machine().put_program("nvidia-smi", "#!/bin/sh\nexec sleep 1000\n");
    let mut watching = Watching::start(&story.stage);
    let read = watching.event("a reading", |event| event["event"] == "vitals");
    assert_eq!(read["vitals"]["gpus"].as_array().map_or(0, Vec::len), 0, "{read}");
    assert!(read["vitals"]["memory"]["used"].is_u64() && read["vitals"]["disk"]["used"].is_u64(), "{read}");
}
