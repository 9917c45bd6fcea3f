//! What lies in other processes' memory.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use memchr::memmem;

/// More than this of one mapping is not looked through at once.
const PIECE: usize = 8 * 1024 * 1024;

/// Whether the writable memory of this process holds the text, as UTF-8 or as a JavaScript engine's UTF-16. `None` when it
/// cannot be read.
pub fn holds(process: u32, text: &str) -> Option<bool> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let needles = [text.as_bytes(), &wide];
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut memory = File::open(format!("/proc/{process}/mem")).ok()?;
    for (begin, end) in maps.lines().filter_map(writable) {
        if memory.seek(SeekFrom::Start(begin)).is_err() {
            continue;
        }
        let mut left = usize::try_from(end - begin).unwrap_or(usize::MAX);
        let mut kept = Vec::new();
        while left > 0 {
            let mut piece = vec![0; left.min(PIECE)];
            // Pages of devices cannot be read, and hold no text.
            let Ok(read) = memory.read(&mut piece) else { break };
            if read == 0 {
                break;
            }
            left -= read;
            // What lies across two pieces is found, too.
            kept.extend_from_slice(&piece[..read]);
            if needles.iter().any(|needle| memmem::find(&kept, needle).is_some()) {
                return Some(true);
            }
            kept.drain(..kept.len().saturating_sub(wide.len()));
        }
    }
    Some(false)
}

/// The range of a mapping that can be written (`/proc/PID/maps`, proc(5)).
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    if !rest.starts_with("rw") || rest.contains("[vvar]") || rest.contains("[vsyscall]") {
        return None;
    }
    let (begin, end) = range.split_once('-')?;
    Some((u64::from_str_radix(begin, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_memory_is_found_in_both_spellings() {
        let word = |part: &str| format!("seen-{}-{part}", std::process::id());
        let (plain, wide) = (word("plain"), word("wide"));
        let kept: Vec<u16> = wide.encode_utf16().collect();
        assert_eq!(holds(std::process::id(), &plain), Some(true));
        assert_eq!(holds(std::process::id(), &wide), Some(true));
        drop(kept);
    }
}
