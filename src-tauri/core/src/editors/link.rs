//! Links: encoding what goes into them, and the program that opens them.

use std::ffi::OsString;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::programs::{Os, SearchEnv, find_program};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path with each segment encoded and its slashes kept.
pub(crate) fn encode_path(path: &str) -> String {
    path.split('/').map(encode_all).collect::<Vec<_>>().join("/")
}

/// A value with every reserved character encoded, slashes too.
pub(super) fn encode_all(value: &str) -> String {
    utf8_percent_encode(value, RESERVED).to_string()
}

/// The command that hands `url` to whatever the desktop has registered for its scheme, or `None` where nothing can.
pub fn opener_argv(url: &str, search: &SearchEnv) -> Option<Vec<OsString>> {
    match search.os {
        Os::Linux => {
            if let Some(program) = ["xdg-open", "wslview"].iter().find_map(|name| find_program(name, search))
            {
                return Some(vec![program.into(), url.into()]);
            }
            let gio = find_program("gio", search)?;
            Some(vec![gio.into(), "open".into(), url.into()])
        }
        Os::MacOs => Some(vec!["/usr/bin/open".into(), url.into()]),
        Os::Windows => Some(vec!["rundll32.exe".into(), "url.dll,FileProtocolHandler".into(), url.into()]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::Machine;
    use super::*;

    #[test]
    fn what_a_link_could_misread_is_encoded() {
        for (path, encoded) in [
            ("/content", "/content"),
            ("/content/my project", "/content/my%20project"),
            ("/content/a#b?c%20d", "/content/a%23b%3Fc%2520d"),
            ("/content/ä日", "/content/%C3%A4%E6%97%A5"),
            ("/a&b=c;d+e", "/a%26b%3Dc%3Bd%2Be"),
            ("/it's \"so\"\\$(x)", "/it%27s%20%22so%22%5C%24%28x%29"),
            ("/x/", "/x/"),
            ("/", "/"),
            ("/a.b_c-d~e", "/a.b_c-d~e"),
        ] {
            assert_eq!(encode_path(path), encoded);
        }
        assert_eq!(encode_all("/content/x y"), "%2Fcontent%2Fx%20y");
    }

    #[test]
    fn each_desktop_has_its_opener() {
        let linux = Machine::new(Os::Linux);
        assert_eq!(opener_argv("vscode://x", &linux.search), None, "nothing is installed");
        let gio = linux.program("usr/bin/gio");
        let argv = opener_argv("vscode://x", &linux.search).unwrap();
        assert_eq!(argv, [gio.as_os_str(), "open".as_ref(), "vscode://x".as_ref()]);
        let xdg = linux.program("usr/bin/xdg-open");
        let argv = opener_argv("vscode://x", &linux.search).unwrap();
        assert_eq!(argv, [xdg.as_os_str(), "vscode://x".as_ref()]);

        let mac = Machine::new(Os::MacOs);
        assert_eq!(opener_argv("vscode://x", &mac.search).unwrap(), ["/usr/bin/open", "vscode://x"]);
        let windows = Machine::new(Os::Windows);
        assert_eq!(
            opener_argv("vscode://x?a=1&b=2", &windows.search).unwrap(),
            ["rundll32.exe", "url.dll,FileProtocolHandler", "vscode://x?a=1&b=2"]
        );
    }
}
