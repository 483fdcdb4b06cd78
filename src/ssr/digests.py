"""The file `sha256` of a folder: a digest of every file in it, so that what was damaged or changed is known."""

import hashlib
from pathlib import Path

DIGESTS = "sha256"


def write_digests(folder: Path) -> None:
    """Write the file `sha256`: one sorted "<hex>  <name>" line a file."""
    (folder / DIGESTS).write_text("".join(f"{digest}  {name}\n" for name, digest in _digests(folder).items()))


def wrong_files(folder: Path, deep: bool = True) -> list[str]:
    """Files that are missing, foreign, or of other bytes than the folder's `sha256` lists; in its folders if `deep`."""
    lines = (line.partition("  ") for line in (folder / DIGESTS).read_text().splitlines())
    listed = {name: digest for digest, _, name in lines if deep or "/" not in name}
    found = _digests(folder, deep)
    return sorted(name for name in listed | found if listed.get(name) != found.get(name))


def _digests(folder: Path, deep: bool = True) -> dict[str, str]:
    files = sorted(path for path in folder.glob("**/*" if deep else "*") if path.is_file() and path != folder / DIGESTS)
    digests = {}
    for path in files:
        with path.open("rb") as file:
            digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests
