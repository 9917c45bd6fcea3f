#!/usr/bin/env python3
"""Draws what `moorline demo` prints as docs/demo.svg.

usage: scripts/demo-picture.py PROGRAM > docs/demo.svg
The run is a real one, with colour; only its middle part (restart, refusal, repair) is drawn.
"""
import html
import os
import re
import subprocess
import sys

COLOURS = {"32": "#3fb950", "31": "#f85149", "33": "#d29922", "2": "#8b949e", "1": "#ffffff"}
TEXT, BACK, WIDE, HIGH = "#c9d1d9", "#0d1117", 8.43, 19


def main():
    env = {**os.environ, "CLICOLOR_FORCE": "1"}
    done = subprocess.run([sys.argv[1], "demo"], env=env, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    first = next(i for i, line in enumerate(lines) if "3. It restarts" in line)
    last = next(i for i, line in enumerate(lines) if "4. moorline forget" in line)
    home = re.search(r"(/\S*moorline-demo-\w+)", done.stdout).group(1)
    shown = [line.replace(home, "~") for line in lines[first:last]]
    # ssh's long warning is known to everybody who would read this.
    cut = [i for i, line in enumerate(shown) if "IT IS POSSIBLE" in line or "Host key for colab" in line]
    shown[cut[0] : cut[1]] = ["\x1b[2m  …\x1b[0m"]
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown]
    width = min(120, max(len(line) for line in plain))
    rows = [row for line in shown for row in wrap(line, width)]
    total_w, total_h = int(width * WIDE) + 40, len(rows) * HIGH + 64
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_w}" height="{total_h}" viewBox="0 0 {total_w} {total_h}"'
        ' role="img" aria-label="Output of moorline demo: ssh refuses the new host key, moorline repair re-pins it">',
        f'<rect width="100%" height="100%" rx="10" fill="{BACK}"/>',
    ]
    for n, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        out.append(f'<circle cx="{24 + 20 * n}" cy="22" r="6" fill="{colour}"/>')
    out.append(
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14"'
        ' xml:space="preserve">'
    )
    for n, row in enumerate(rows):
        out.append(f'<text x="20" y="{58 + n * HIGH}">{"".join(spans(row))}</text>')
    out.append("</g></svg>")
    print("\n".join(out))


def wrap(line, width):
    """Rows of (style, text) runs, at most `width` characters each."""
    rows, row, used, style = [], [], 0, ""
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if code:
            style = "" if code.group(1) in ("", "0") else code.group(1)
            continue
        while piece:
            take = piece[: width - used]
            row.append((style, take))
            used += len(take)
            piece = piece[len(take) :]
            if piece:
                rows.append(row)
                row, used = [], 0
    return rows + [row]


def spans(row):
    for style, text in row:
        weight = ' font-weight="bold"' if style == "1" else ""
        yield f'<tspan fill="{COLOURS.get(style, TEXT)}"{weight}>{html.escape(text)}</tspan>'


main()
