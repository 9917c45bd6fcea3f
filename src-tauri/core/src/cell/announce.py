import base64, getpass, glob, hmac, json, os, re, time, urllib.request


# @include keys


# @include wire


def secret(name):
    try:
        from google.colab import userdata
        return userdata.get(name)
    except Exception:
        return os.environ.get(name) or getpass.getpass(name + ": ")


def find_endpoint(given):
    """The one that is given (`host:port`, or a tunnel's host name), else what an agent on this machine says."""
    place = re.fullmatch(r"(?:tcp://|https://)?([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?/?", given or "")
    if place and place[2]:
        kind = "ngrok" if re.search(r"\.ngrok(-[a-z]+)?\.[a-z]+$", place[1]) else "direct"
        return {"link": kind, "host": place[1], "port": int(place[2])}
    if place:
        return {"link": "cloudflare", "host": place[1]}
    if settings["listen"]:
        return {"link": "relay", "port": settings["listen"]}
    for _ in range(60):
        for port in range(20241, 20246):
            found = cloudflare_endpoint(port)
            if found:
                return found
        found = ngrok_endpoint(4040)
        if found:
            return found
        time.sleep(1)
    raise SystemExit("Neither ngrok nor a quick tunnel runs here: say where, as in endpoint=\"host:port\".")


def host_keys():
    """What sshd shows, which the desktop is to pin: these are not derived from the session key."""
    found = []
    for path in sorted(glob.glob("/etc/ssh/ssh_host_*_key.pub")):
        with open(path) as file:
            found.append(" ".join(file.read().split()[:2]))
    if not found:
        raise SystemExit("There is no host key in /etc/ssh: run this after your own cell has started sshd.")
    return found


def announce(given):
    key, generation = read_session_key(secret(settings["secret"]))
    if plain64(derive(key, generation, "key-id", 9)) != settings["key_id"]:
        raise SystemExit(settings["secret"] + " is another session's key, or an older one.")
    home = os.path.join(os.path.expanduser("~"), ".moorline", settings["session"])
    os.makedirs(home, mode=0o700, exist_ok=True)
    endpoint, now = find_endpoint(given), int(time.time())
    body = {"v": 1, "kind": "up", **next_of_runtime(os.path.join(home, "runtime.json"), now), "at": now,
            "endpoints": [endpoint], "user": getpass.getuser(), "host_keys": host_keys()}
    line = seal(derive(key, generation, "announcement-mac", 32), settings["key_id"], body)
    for channel in settings["channels"]:
        try:
            if channel == "ntfy":
                topic = "ml-" + plain64(derive(key, generation, "ntfy-topic", 18))
                post_to_ntfy(settings["ntfy_server"], topic, line, 15)
            elif channel == "folder":
                put_into_folder(settings["folder"], settings["key_id"], line)
        except OSError as error:
            print("Not announced by " + channel + ": " + str(error))
    print("To paste into Moorline, if it did not hear:\n" + line)


announce(endpoint)
