def read_session_key(text):
    """The 32 bytes and the generation of `mlk1-<generation>-<43 characters of base64url>`."""
    parts = re.fullmatch(r"mlk1-([1-9][0-9]{0,8})-([A-Za-z0-9_-]{43})", (text or "").strip())
    if not parts:
        raise SystemExit("This is no session key: it begins with mlk1- and is made by `moorline cell`.")
    return base64.urlsafe_b64decode(parts[2] + "="), int(parts[1])


def derive(key, generation, purpose, length):
    """HKDF-SHA256 (RFC 5869) without salt; whatever is derived here fits into its first block."""
    secret = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(secret, f"moorline/1/{generation}/{purpose}".encode() + b"\x01", "sha256")[:length]


def plain64(data):
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
