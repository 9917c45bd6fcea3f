//! Whether the panel that the icon lies on is dark or light.

/// The brightness of what the icon lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panel {
    /// Dark, as most desktops' panels are.
    Dark,
    /// Light.
    Light,
}

impl Panel {
    /// From the `color-scheme` of the desktop portal's `org.freedesktop.appearance` settings: 0 no preference,
    /// 1 prefer dark, 2 prefer light. Only an outspoken wish for light makes a panel light: GNOME's stays dark
    /// whatever its windows are.
    pub fn from_color_scheme(scheme: u32) -> Self {
        if scheme == 2 { Self::Light } else { Self::Dark }
    }
}

#[cfg(target_os = "linux")]
pub use portal::watch_panel;

#[cfg(target_os = "linux")]
mod portal {
    use tokio::sync::mpsc;
    use zbus::zvariant::OwnedValue;
    use zbus::{Connection, MatchRule, MessageStream, Proxy};

    use super::Panel;
    use crate::bus::next;

    const PORTAL: &str = "org.freedesktop.portal.Desktop";
    const PATH: &str = "/org/freedesktop/portal/desktop";
    const SETTINGS: &str = "org.freedesktop.portal.Settings";
    const NAMESPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    /// Tells what the panel is, now and whenever the person changes it; ends at once where there is no portal.
    pub async fn watch_panel(bus: Connection, tell: mpsc::UnboundedSender<Panel>) {
        if let Err(error) = watch(&bus, &tell).await {
            tracing::debug!(%error, "the desktop does not say whether it is dark");
        }
    }

    async fn watch(bus: &Connection, tell: &mpsc::UnboundedSender<Panel>) -> zbus::Result<()> {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface(SETTINGS)?
            .member("SettingChanged")?
            .build();
        let mut changes = MessageStream::for_match_rule(rule, bus, None).await?;
        let settings = Proxy::new(bus, PORTAL, PATH, SETTINGS).await?;
        let now: OwnedValue = settings.call("ReadOne", &(NAMESPACE, KEY)).await?;
        let mut scheme = u32::try_from(&now).ok();
        loop {
            if let Some(scheme) = scheme {
                let _ = tell.send(Panel::from_color_scheme(scheme));
            }
            let Some(change) = next(&mut changes).await else { return Ok(()) };
            let change = change?;
            let body = change.body();
            let (namespace, key, value) = body.deserialize::<(String, String, OwnedValue)>()?;
            scheme = (namespace == NAMESPACE && key == KEY).then(|| u32::try_from(&value).ok()).flatten();
        }
    }
}
