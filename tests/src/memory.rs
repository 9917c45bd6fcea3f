//! What lies in other processes' memory.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};

use memchr::memmem;

/// The size of a page; on a machine with larger ones each is looked at in parts.
const PAGE: u64 = 4096;

/// Pages that are asked about at once.
const MOST: u64 = 2048;

/// Whether the writable memory of this process holds the text, as UTF-8 or as a JavaScript engine's UTF-16. `None` when it
/// cannot be read.
pub fn holds(process: u32, text: &str) -> Option<bool> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let needles = [memmem::Finder::new(text.as_bytes()), memmem::Finder::new(&wide)];
    let maps = fs::read_to_string(format!("/proc/{process}/smaps")).ok()?;
    let mut memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let mut pages = File::open(format!("/proc/{process}/pagemap")).ok()?;
    for (begin, end) in resident(&maps) {
        let mut kept: Vec<u8> = Vec::new();
        let mut at = begin;
        while at < end {
            let count = ((end - at) / PAGE).clamp(1, MOST);
            for (from, to) in present(&mut pages, at, count) {
                let mut piece = vec![0; usize::try_from(to - from).ok()?];
                // Pages of devices cannot be read, and hold no text.
                let read = memory.seek(SeekFrom::Start(from)).and_then(|_| memory.read_exact(&mut piece));
                if read.is_err() {
                    continue;
                }
                // What lies across two pieces is found, too.
                kept.extend_from_slice(&piece);
                if needles.iter().any(|needle| needle.find(&kept).is_some()) {
                    return Some(true);
                }
                kept.drain(..kept.len().saturating_sub(wide.len()));
            }
            at += count * PAGE;
        }
    }
    Some(false)
}

/// The writable mappings of which something is in memory (`/proc/PID/smaps`, proc(5)). A JavaScript engine reserves far
/// more than it uses.
fn resident(maps: &str) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut last = None;
    for line in maps.lines() {
        if let Some(range) = writable(line) {
            last = Some(range);
        } else if line.split_once(' ').is_some_and(|(range, _)| range.contains('-')) {
            last = None;
        } else if let Some(size) = line.strip_prefix("Rss:") {
            found.extend(last.take().filter(|_| size.trim() != "0 kB"));
        }
    }
    found
}

fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (begin, end) = range.split_once('-')?;
    let range = (u64::from_str_radix(begin, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    rest.starts_with("rw").then_some(range)
}

/// The runs of pages from `at` on that are in memory (`/proc/PID/pagemap`: bit 63 of each entry).
fn present(pages: &mut File, at: u64, count: u64) -> Vec<(u64, u64)> {
    let mut entries = vec![0; usize::try_from(count * 8).unwrap_or_default()];
    let there = pages.seek(SeekFrom::Start(at / PAGE * 8)).and_then(|_| pages.read_exact(&mut entries));
    if there.is_err() {
        return Vec::new();
    }
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for (page, entry) in (at..).step_by(4096).zip(entries.chunks_exact(8)) {
        if entry[7] & 0x80 == 0 {
            continue;
        }
        match runs.last_mut() {
            Some((_, end)) if *end == page => *end = page + PAGE,
            _ => runs.push((page, page + PAGE)),
        }
    }
    runs
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

    #[test]
    fn only_what_is_written_and_there_is_looked_at() {
        let maps = "1000-2000 rw-p 0 00:00 0 [heap]\nSize: 4 kB\nRss: 4 kB\n3000-4000 rw-p 0 00:00 0\nRss: 0 kB\n\
                    5000-6000 r-xp 0 00:00 0 /bin/x\nRss: 4 kB\n";
        assert_eq!(resident(maps), [(0x1000, 0x2000)]);
    }
}
