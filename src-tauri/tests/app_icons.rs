//! The committed icon files are what the drawing `icons/app/moorline.svg` gives.
//!
//! After a change to the drawing: `MOORLINE_WRITE_ICONS=1 cargo test -p moorline-app --test app_icons`.
#![expect(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::fs;
use std::path::{Path, PathBuf};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

#[test]
fn the_icon_files_are_rendered_from_the_drawing() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../icons/app");
    let drawing = fs::read(folder.join("moorline.svg")).unwrap();
    let tree = Tree::from_data(&drawing, &Options::default()).unwrap();
    let files = [
        ("32x32.png", png(&tree, 32)),
        ("128x128.png", png(&tree, 128)),
        ("128x128@2x.png", png(&tree, 256)),
        ("icon.ico", ico(&tree)),
        ("icon.icns", icns(&tree)),
    ];
    for (name, wanted) in files {
        check(&folder.join(name), &wanted);
    }
}

fn check(path: &Path, wanted: &[u8]) {
    if std::env::var_os("MOORLINE_WRITE_ICONS").is_some() {
        fs::write(path, wanted).unwrap();
    }
    let there = fs::read(path).unwrap_or_default();
    assert!(there == wanted, "{} is not what the drawing gives: see the top of this test", path.display());
}

fn png(tree: &Tree, size: u16) -> Vec<u8> {
    let mut pixmap = Pixmap::new(size.into(), size.into()).unwrap();
    let scale = f32::from(size) / tree.size().width();
    resvg::render(tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().unwrap()
}

/// Windows' icon file: a directory of PNG images (ICONDIR and ICONDIRENTRY of the Win32 documentation).
fn ico(tree: &Tree) -> Vec<u8> {
    const SIZES: [u16; 5] = [16, 24, 32, 48, 256];
    let images: Vec<Vec<u8>> = SIZES.iter().map(|size| png(tree, *size)).collect();
    let mut file = Vec::from([0, 0, 1, 0, 5, 0]);
    let mut offset = 6 + 16 * u32::try_from(SIZES.len()).unwrap();
    for (size, image) in SIZES.iter().zip(&images) {
        // 0 stands for 256.
        let side = u8::try_from(*size).unwrap_or(0);
        let length = u32::try_from(image.len()).unwrap();
        file.extend([side, side, 0, 0, 1, 0, 32, 0]);
        file.extend(length.to_le_bytes());
        file.extend(offset.to_le_bytes());
        offset += length;
    }
    file.extend(images.concat());
    file
}

/// Apple's icon file: tagged PNG images in big-endian chunks.
fn icns(tree: &Tree) -> Vec<u8> {
    const KINDS: [(&[u8; 4], u16); 4] = [(b"ic11", 32), (b"ic07", 128), (b"ic08", 256), (b"ic09", 512)];
    let mut body = Vec::new();
    for (kind, size) in KINDS {
        let image = png(tree, size);
        body.extend(kind);
        body.extend((u32::try_from(image.len()).unwrap() + 8).to_be_bytes());
        body.extend(image);
    }
    let mut file = Vec::from(*b"icns");
    file.extend((u32::try_from(body.len()).unwrap() + 8).to_be_bytes());
    file.extend(body);
    file
}
