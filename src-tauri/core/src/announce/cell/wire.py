def next_of_runtime(path, now, last=None):
    """Who this runtime is, kept on its disk; the number in it rises with every announcement. `last` is what this process
    used before: it counts on from there, also where the disk takes nothing."""
    kept = last or read_json(path)
    if not isinstance(kept.get("runtime"), str) or not all(isinstance(kept.get(name), int) for name in ("born", "seq")):
        kept = {"runtime": base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode(), "born": now, "seq": 0}
    # At least its age in seconds: a count that could not be kept must not begin again lower.
    seq = max(kept["seq"] + 1, now - kept["born"])
    kept = {"runtime": kept["runtime"], "born": kept["born"], "seq": seq}
    try:
        write_private(path, json.dumps(kept))
    except OSError:
        if not last:
            raise
    return kept


def seal(mac_key, kid, body):
    """`ml1.<key id>.<body>.<MAC over all before it>`; what is too long goes without its extras."""
    for extras in ("", "info"):
        body.pop(extras, None)
        text = base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).rstrip(b"=").decode()
        signed = f"ml1.{kid}.{text}"
        mac = hmac.digest(mac_key, signed.encode(), "sha256")
        line = signed + "." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
        if len(line) <= 2048:
            return line
    raise ValueError(f"an announcement has at most 2048 bytes, and this one has {len(line)}")


def fetch_json(address):
    """The object that a program on this machine answers with; empty while it answers with none."""
    try:
        # Whatever proxy the environment names, this machine is not behind it.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(address, timeout=3) as answer:
            found = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return found if isinstance(found, dict) else {}


def ngrok_endpoint(port):
    """Where the ngrok agent with this local API leads (its /api/endpoints, or /api/tunnels of older ones)."""
    for kind, field in (("endpoints", "url"), ("tunnels", "public_url")):
        listed = fetch_json(f"http://127.0.0.1:{port}/api/{kind}").get(kind)
        for found in listed if isinstance(listed, list) else []:
            url = str(found.get(field)) if isinstance(found, dict) else ""
            place = re.fullmatch(r"tcp://([A-Za-z0-9.-]+):([0-9]{1,5})", url)
            if place:
                return {"link": "ngrok", "host": place[1], "port": int(place[2])}
    return None


def cloudflare_endpoint(port):
    """The name of the quick tunnel whose cloudflared serves its metrics here."""
    host = str(fetch_json(f"http://127.0.0.1:{port}/quicktunnel").get("hostname"))
    return {"link": "cloudflare", "host": host} if re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", host) else None


def cloudflare_ready(port):
    """Whether the cloudflared that serves its metrics here has a connection to Cloudflare."""
    count = fetch_json(f"http://127.0.0.1:{port}/ready").get("readyConnections")
    return isinstance(count, int) and count > 0
