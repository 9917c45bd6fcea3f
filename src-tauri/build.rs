//! Renders the tray's drawings to pixels, and lets Tauri prepare the window.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use resvg::tiny_skia::{Pixmap, PremultipliedColorU8, Transform};
use resvg::usvg::{Options, Tree};

const STATES: [&str; 4] = ["idle", "online", "attention", "offline"];
const PANELS: [&str; 2] = ["dark", "light"];
/// Square sides in pixels: a panel takes the one that fits and scales it if none does.
const SIZES: [u32; 4] = [16, 22, 32, 48];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("..");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for state in STATES {
        for panel in PANELS {
            let name = format!("{state}-on-{panel}");
            let drawing = root.join("icons/tray").join(format!("{name}.svg"));
            println!("cargo::rerun-if-changed={}", drawing.display());
            let tree = Tree::from_data(&fs::read(&drawing)?, &Options::default())?;
            for size in SIZES {
                fs::write(out.join(format!("{name}-{size}.rgba")), rendered(&tree, size)?)?;
            }
        }
    }
    let drawing = root.join("icons/app/moorline.svg");
    println!("cargo::rerun-if-changed={}", drawing.display());
    let tree = Tree::from_data(&fs::read(&drawing)?, &Options::default())?;
    fs::write(out.join("moorline-48.rgba"), rendered(&tree, 48)?)?;
    ensure_page(&root.join("ui/dist"))?;
    let commands = tauri_build::AppManifest::new().commands(&[
        "shown",
        "show",
        "compare",
        "check",
        "approve",
        "repair",
        "forget",
        "adding_begin",
        "adding_say",
        "adding_wait",
        "adding_end",
        "open",
        "first_look",
        "make_cell",
        "copy_cell",
    ]);
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands))?;
    Ok(())
}

/// Straight (not premultiplied) RGBA, row by row.
fn rendered(tree: &Tree, size: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut pixmap = Pixmap::new(size, size).ok_or("a pixmap has a size")?;
    let scale = f64::from(size) / f64::from(tree.size().width());
    #[expect(clippy::cast_possible_truncation, reason = "a factor near 1")]
    let scale = scale as f32;
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    Ok(pixmap
        .pixels()
        .iter()
        .map(PremultipliedColorU8::demultiply)
        .flat_map(|c| [c.red(), c.green(), c.blue(), c.alpha()])
        .collect())
}

/// Rust alone must build and test without Node; the page then says what is missing.
fn ensure_page(dist: &Path) -> Result<(), Box<dyn Error>> {
    let page = dist.join("index.html");
    if !page.exists() {
        fs::create_dir_all(dist)?;
        fs::write(
            page,
            "<!doctype html><title>Moorline</title><p>This build has no page: run npm ci && npm run build in ui, then build again.",
        )?;
    }
    println!("cargo::rerun-if-changed={}", dist.display());
    Ok(())
}
