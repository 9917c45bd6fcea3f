//! `moorline-proxy NAME`: what config entries name as `ProxyCommand`. The same as `moorline proxy NAME`, in a program
//! that holds nothing else: ssh runs one for each connection, and all of its pages count.

use std::process::ExitCode;

mod proxied;
mod steps;

fn main() -> ExitCode {
    proxied::main()
}
