class Programs:
    """cloudflared and ngrok: what is here, else their makers' own builds."""

    # Pinned: address, and SHA-256 where it could be looked up.
    CLOUDFLARED = "https://github.com/cloudflare/cloudflared/releases/download/2026.8.2/cloudflared-linux-"
    NGROK = "https://bin.ngrok.com/a/"
    BUILDS = {
        ("cloudflare", "x86_64"): (
            CLOUDFLARED + "amd64", "fcfb02b575a52ca1af2e3267af4e1517bcdeb30ac48c834c69abaed3c0576ad2"
        ),
        # No checksum of this one was found: that it comes from its maker, only HTTPS vouches for.
        ("cloudflare", "aarch64"): (CLOUDFLARED + "arm64", None),
        ("ngrok", "x86_64"): (
            NGROK + "jhBAuesrzKn/ngrok-v3-3.39.10-linux-amd64",
            "b475c31b409ed3426091bde78b60fae27edee470c2320cb3065743c159b9b27b",
        ),
        ("ngrok", "aarch64"): (
            NGROK + "55PuHLixvyF/ngrok-v3-3.39.10-linux-arm64",
            "a2d1d4d8daebcdae054153befba96f0fabc7859f049f6d166ef2526ef6620abe",
        ),
    }

    def __init__(self, home):
        self.home = home

    def program(self, kind):
        name = {"cloudflare": "cloudflared", "ngrok": "ngrok"}[kind]
        found, own = self.home.find(name), self.home.path(name)
        if found or os.access(own, os.X_OK):
            return found or own
        if (kind, platform.machine()) not in self.BUILDS:
            raise SystemExit(f"{name} is not installed, and its maker has no build for {platform.machine()}.")
        address, checksum = self.BUILDS[kind, platform.machine()]
        print(f"Fetching {address} ...")
        content = self.fetch(address)
        if checksum and hashlib.sha256(content).hexdigest() != checksum:
            raise SystemExit(f"{address} is not the file that it was (its checksum differs); nothing was installed.")
        replace_file(own, content, 0o755)
        return own

    def fetch(self, address):
        for wait in (1, 4, None):
            try:
                with urllib.request.urlopen(address, timeout=60) as answer:
                    return answer.read()
            # What ends too early is no OSError.
            except (OSError, http.client.HTTPException) as error:
                if wait is None:
                    raise SystemExit(f"{address} could not be fetched ({error}); run this cell again.") from None
                time.sleep(wait)
