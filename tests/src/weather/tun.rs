//! A network device whose packets this program reads and writes (Linux, Documentation/networking/tuntap.rst).

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

use nix::libc;

/// Makes a device of this name in the network namespace of this process; it lasts as long as the file. Each read
/// takes one IP packet, each write delivers one; neither waits.
pub fn device(name: &str) -> io::Result<File> {
    let file = File::options().read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/net/tun")?;
    attach(&file, name)?;
    Ok(file)
}

#[expect(unsafe_code, reason = "no crate in use wraps the request that makes a TUN device")]
#[expect(clippy::cast_possible_truncation, reason = "the flags fit, as the kernel's interface has it")]
#[expect(clippy::cast_possible_wrap, reason = "a device's name is ASCII")]
fn attach(file: &File, name: &str) -> io::Result<()> {
    let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags },
    };
    if name.len() >= libc::IFNAMSIZ {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    // SAFETY: the request is a whole `ifreq`, as TUNSETIFF asks for, and outlives the call.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw const request) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
