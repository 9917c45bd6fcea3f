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


def replace_file(path, content, mode):
    """Replaces a file in one step. Others may write to its folder: what they put there is neither followed nor written
    to, under whatever name, and nobody can guess the one that this takes meanwhile."""
    folder, name = os.path.split(path)
    fresh = os.path.join(folder, f".{name}.{os.urandom(12).hex()}")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with open(number, "wb") as file:
            file.write(content)
        os.replace(fresh, path)
    except BaseException:
        # A disk that is full has taken half of it, which would keep it full.
        try:
            os.unlink(fresh)
        except OSError:
            pass
        raise


def write_private(path, text):
    """As `replace_file`; nobody else may read it."""
    replace_file(path, text.encode(), 0o600)
