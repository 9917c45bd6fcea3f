//! Stand-ins for the edges of ngrok and Cloudflare, the only things here that are not real.

use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{io, thread};

use crate::stage::Stage;

/// A TCP endpoint as ngrok gives: another port, with the runtime's sshd behind it.
#[derive(Debug)]
pub struct Ngrok {
    port: u16,
    target: Arc<AtomicU16>,
}

impl Ngrok {
    /// Opens an endpoint on a free port of `127.0.0.1` that leads to this one. It lasts as long as the test.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let target = Arc::new(AtomicU16::new(target));
        let leads_to = Arc::clone(&target);
        thread::spawn(move || {
            for visitor in listener.incoming().flatten() {
                match TcpStream::connect((Ipv4Addr::LOCALHOST, leads_to.load(Ordering::Relaxed))) {
                    Ok(inner) => join(visitor, inner),
                    Err(_) => drop(visitor),
                }
            }
        });
        Self { port, target }
    }

    /// Where visitors connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same endpoint now leads elsewhere, as a reserved address does.
    pub fn lead_to(&self, target: u16) {
        self.target.store(target, Ordering::Relaxed);
    }
}

/// A program named `cloudflared` on the stage's path, which knows where each tunnel's host name leads.
#[derive(Debug)]
pub struct Cloudflare;

impl Cloudflare {
    /// Installs the program.
    pub fn install(stage: &Stage) -> Self {
        let program = stage.programs().join("cloudflared");
        let map = stage.programs().join("cloudflared.tunnels");
        let text = include_str!("../stand-ins/cloudflared").replace("@MAP@", &map.display().to_string());
        std::fs::write(&map, "").expect("the map is written");
        std::fs::write(&program, text).expect("the stand-in is written");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is a program");
        Self
    }

    /// From now on this host name, and no other, leads to this port of `127.0.0.1`.
    pub fn only_tunnel(&self, stage: &Stage, host: &str, port: u16) {
        let map = stage.programs().join("cloudflared.tunnels");
        std::fs::write(map, format!("{host} {port}\n")).expect("the map is written");
    }
}

fn join(outer: TcpStream, inner: TcpStream) {
    let halves = (outer.try_clone(), inner.try_clone());
    let (Ok(outer_again), Ok(inner_again)) = halves else { return };
    let pump = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            // Either side may vanish at any time; that ends the stream and nothing else.
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    };
    pump(outer, inner);
    pump(inner_again, outer_again);
}
