def read_text(path):
    """A file's text; empty where there is none."""
    try:
        with open(path) as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def read_json(path):
    """A file's JSON object; empty where there is none."""
    try:
        found = json.loads(read_text(path))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def write_private(path, text):
    """Replaces a file in one step; nobody else may read it."""
    fresh = f"{path}.{os.getpid()}"
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        os.replace(fresh, path)
    except OSError:
        # A disk that is full has taken half of it, which would keep it full.
        if os.path.exists(fresh):
            os.unlink(fresh)
        raise
