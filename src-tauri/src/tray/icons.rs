//! The tray's icons as pixels, rendered at build time from the drawings in `icons/tray`.

use moorline_model::health::Light;

use super::Panel;

/// A square picture.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Side in pixels.
    pub size: u32,
    /// Straight RGBA, row by row.
    pub rgba: &'static [u8],
}

macro_rules! drawing {
    ($name:literal) => {
        &[
            Picture { size: 16, rgba: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "-16.rgba")) },
            Picture { size: 22, rgba: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "-22.rgba")) },
            Picture { size: 32, rgba: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "-32.rgba")) },
            Picture { size: 48, rgba: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, "-48.rgba")) },
        ]
    };
}

/// The app's own icon.
pub const APP: Picture =
    Picture { size: 48, rgba: include_bytes!(concat!(env!("OUT_DIR"), "/moorline-48.rgba")) };

/// The icon in its sizes, smallest first.
pub fn icon(light: Light, panel: Panel) -> &'static [Picture; 4] {
    match (light, panel) {
        (Light::Idle, Panel::Dark) => drawing!("idle-on-dark"),
        (Light::Idle, Panel::Light) => drawing!("idle-on-light"),
        (Light::Online, Panel::Dark) => drawing!("online-on-dark"),
        (Light::Online, Panel::Light) => drawing!("online-on-light"),
        (Light::Attention, Panel::Dark) => drawing!("attention-on-dark"),
        (Light::Attention, Panel::Light) => drawing!("attention-on-light"),
        (Light::Offline, Panel::Dark) => drawing!("offline-on-dark"),
        (Light::Offline, Panel::Light) => drawing!("offline-on-light"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_icon_is_square_drawn_and_unlike_the_others() {
        let lights = [Light::Idle, Light::Online, Light::Attention, Light::Offline];
        let all = lights.into_iter().flat_map(|light| [icon(light, Panel::Dark), icon(light, Panel::Light)]);
        let all: Vec<_> = all.collect();
        for (n, pictures) in all.iter().enumerate() {
            for picture in *pictures {
                let pixels = (picture.size * picture.size) as usize;
                assert_eq!(picture.rgba.len(), pixels * 4, "four bytes a pixel");
                let painted = picture.rgba.chunks(4).filter(|pixel| pixel[3] > 128).count();
                assert!(painted * 10 > pixels, "something is to be seen at {} px", picture.size);
            }
            let twins = all.iter().filter(|other| other[0].rgba == pictures[0].rgba).count();
            assert_eq!(twins, 1, "icon {n} can be told from the others even at 16 px");
        }
    }
}
