//! The main thread belongs to the system's event loop, which the tray icon needs; everything else runs beside it.

use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::Context as _;
use moorline_app::app::{App, Doors, TrayFace};
use moorline_app::args::Args;
use moorline_app::notify::Notifications;
use moorline_app::tray::native::NativeTray;
use moorline_app::tray::{Done, Look};
use moorline_app::{feed, log, place};
use moorline_core::store::dirs::Dirs;
use tao::event::{Event, StartCause};
use tao::event_loop::{ControlFlow, EventLoopBuilder, EventLoopProxy};
use tokio::sync::mpsc;
use tray_icon::menu::{MenuEvent, MenuId};
use tray_icon::{MouseButton, MouseButtonState, TrayIconEvent};

/// What wakes the event loop.
enum Wake {
    Look(Box<Look>),
    Chose(MenuId),
    End(anyhow::Result<()>),
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let dirs = Dirs::from_env()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let Some(door) = runtime.block_on(place::take(&dirs, args.compare.as_ref()))? else { return Ok(()) };
    log::start(&dirs, "tray")?;
    let mut builder = EventLoopBuilder::<Wake>::with_user_event();
    #[cfg_attr(not(target_os = "macos"), expect(unused_mut, reason = "only macOS asks for more"))]
    let mut event_loop = builder.build();
    #[cfg(target_os = "macos")]
    tao::platform::macos::EventLoopExtMacOS::set_activation_policy(
        &mut event_loop,
        tao::platform::macos::ActivationPolicy::Accessory,
    );
    let (done, done_door) = mpsc::unbounded_channel();
    hear_clicks(&event_loop.create_proxy(), &done);
    let (first, first_look) = sync_channel(1);
    let proxy = event_loop.create_proxy();
    thread::Builder::new().name("agent".to_owned()).spawn(move || {
        let ended = runtime.block_on(async {
            let (pressed, pressed_door) = mpsc::unbounded_channel();
            let (_panel, panel_door) = mpsc::unbounded_channel();
            let (feed, snapshot, agent) = feed::start(&dirs, door)?;
            let notifications = Some(Notifications::start(pressed));
            let app = App::new(&dirs, &args, notifications, (feed, snapshot))?;
            let _ = first.send(Look::of(&app.snapshot, app.panel));
            let mut face = Face { proxy: proxy.clone(), look: None };
            app.run(&mut face, Doors { done: done_door, pressed: pressed_door, panel: panel_door }).await;
            agent.await.context("the agent broke off")
        });
        let _ = proxy.send_event(Wake::End(ended));
    })?;
    let mut tray = None;
    event_loop.run(move |event, _, flow| {
        *flow = ControlFlow::Wait;
        match event {
            Event::NewEvents(StartCause::Init) => {
                let look = first_look.recv().ok();
                match look.map(NativeTray::start) {
                    Some(Ok(made)) => tray = Some(made),
                    Some(Err(error)) => tracing::error!("{error:#}"),
                    None => {}
                }
                let _ = done.send(Done::Shown(tray.is_some()));
            }
            Event::UserEvent(Wake::Look(look)) => {
                if let Some(Err(error)) = tray.as_mut().map(|tray: &mut NativeTray| tray.apply(*look)) {
                    tracing::error!("{error:#}");
                }
            }
            Event::UserEvent(Wake::Chose(id)) => {
                if let Some(event) = tray.as_ref().and_then(|tray| tray.event(&id)) {
                    let _ = done.send(Done::Chose { event, activation: None });
                }
            }
            Event::UserEvent(Wake::End(ended)) => {
                if let Err(error) = &ended {
                    tracing::error!("{error:#}");
                }
                *flow = ControlFlow::ExitWithCode(i32::from(ended.is_err()));
            }
            _ => {}
        }
    })
}

/// The system's callbacks come at any time; they only hand on.
fn hear_clicks(proxy: &EventLoopProxy<Wake>, done: &mpsc::UnboundedSender<Done>) {
    let (proxy, done) = (proxy.clone(), done.clone());
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
        let _ = proxy.send_event(Wake::Chose(event.id));
    }));
    TrayIconEvent::set_event_handler(Some(move |event| {
        let left = MouseButton::Left;
        if matches!(event, TrayIconEvent::Click { button, button_state: MouseButtonState::Up, .. } if button == left)
            && !cfg!(target_os = "macos")
        {
            let _ = done.send(Done::Clicked { activation: None });
        }
    }));
}

struct Face {
    proxy: EventLoopProxy<Wake>,
    look: Option<Look>,
}

impl TrayFace for Face {
    async fn apply(&mut self, look: Look) {
        if self.look.as_ref() != Some(&look) {
            self.look = Some(look.clone());
            let _ = self.proxy.send_event(Wake::Look(Box::new(look)));
        }
    }
}
