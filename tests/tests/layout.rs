//! The order of the house: crates and rooms use only what stands above them, and no files use each other in a circle.

use std::fmt::Write;
use std::path::Path;

use moorline_tests::layout::{arrows, circles, place};

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn every_room_uses_only_rooms_above_it() {
    let arrows = arrows(workspace()).unwrap();
    let mut wrong = Vec::new();
    for (from, used) in &arrows {
        for (to, names) in used {
            let (Some(here), Some(there)) = (place(from), place(to)) else { continue };
            if there > here {
                wrong.push(format!("{from} uses {names:?} of {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(arrows.len() > 300, "only {} files were read", arrows.len());
    let core = "src-tauri/core/src/";
    let placed = |file: &String| place(file).is_some() || *file == format!("{core}lib.rs");
    let stray: Vec<&String> = arrows.keys().filter(|file| file.starts_with(core) && !placed(file)).collect();
    assert!(stray.is_empty(), "in no room: {stray:?}");
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let arrows = arrows(workspace()).unwrap();
    let circles = circles(&arrows);
    let mut told = String::new();
    for circle in &circles {
        told.push_str("a circle:\n");
        for from in circle {
            for (to, names) in arrows[from].iter().filter(|(to, _)| circle.contains(to)) {
                let _ = writeln!(told, "  {from} uses {names:?} of {to}");
            }
        }
    }
    assert!(circles.is_empty(), "{} circles\n{told}", circles.len());
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = arrows(workspace()).unwrap();
    let says = |file: &String| {
        let text = std::fs::read_to_string(workspace().join(file)).unwrap();
        text.starts_with("//! ")
    };
    let silent: Vec<&String> = files.keys().filter(|file| !says(file)).collect();
    assert!(silent.is_empty(), "without a line of purpose: {silent:?}");
}
