//! Reading single lines as `ssh_config(5)` has them: a keyword, blanks or one `=`, then words that may be quoted.

/// The patterns of a `Host` line; nothing for every other line.
pub(super) fn host_patterns(line: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    words(argument(line, "host").unwrap_or_default()).into_iter()
}

/// The files that an `Include` line names, as they stand there; nothing for every other line.
pub(super) fn included(line: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    words(argument(line, "include").unwrap_or_default()).into_iter()
}

/// What follows `wanted` in a line of that keyword; `None` for every other line.
pub(super) fn argument<'l>(line: &'l [u8], wanted: &str) -> Option<&'l [u8]> {
    let (keyword, rest) = keyword(line);
    keyword.eq_ignore_ascii_case(wanted.as_bytes()).then_some(rest)
}

/// Whether the line opens a new section.
pub(super) fn opens_section(line: &[u8]) -> bool {
    let (keyword, _) = keyword(line);
    keyword.eq_ignore_ascii_case(b"host") || keyword.eq_ignore_ascii_case(b"match")
}

/// Whether the line says anything at all.
pub(super) fn is_option(line: &[u8]) -> bool {
    !matches!(keyword(line).0.first(), None | Some(b'#'))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

fn keyword(line: &[u8]) -> (&[u8], &[u8]) {
    let line = crate::text::trim(line);
    // A keyword may itself stand in double quotes.
    if let Some((word, rest)) = line
        .strip_prefix(b"\"")
        .and_then(|l| l.iter().position(|b| *b == b'"').map(|n| (&l[..n], &l[n + 1..])))
    {
        return (word, after_separator(rest));
    }
    let end = line.iter().position(|b| is_blank(*b) || *b == b'=').unwrap_or(line.len());
    (&line[..end], after_separator(&line[end..]))
}

fn after_separator(rest: &[u8]) -> &[u8] {
    let rest = crate::text::trim(rest);
    rest.strip_prefix(b"=").map_or(rest, crate::text::trim)
}

/// Splits as OpenSSH's configuration reader does: single and double quotes, a backslash before a quote, a
/// backslash or (outside quotes) a space, and `#` at the start of a word ending the line.
pub(super) fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut bytes = text.iter().copied().peekable();
    loop {
        while bytes.next_if(|b| is_blank(*b)).is_some() {}
        match bytes.peek() {
            None | Some(b'#') => return found,
            Some(_) => {}
        }
        let mut word = Vec::new();
        let mut quote = None;
        while let Some(byte) = bytes.next() {
            match (byte, quote) {
                (b'\\', _) => {
                    let escaped = bytes
                        .next_if(|n| matches!(n, b'"' | b'\'' | b'\\') || (quote.is_none() && *n == b' '));
                    word.push(escaped.unwrap_or(b'\\'));
                }
                (_, None) if is_blank(byte) => break,
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if byte == open => quote = None,
                _ => word.push(byte),
            }
        }
        found.push(word);
    }
}
