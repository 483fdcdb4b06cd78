"""An npm registry served on this machine: versions of `@own/parcel`, and `weigher`, which its tests need."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from ssr.repository.listing import NpmSpec, PinnedRelease

RUNS = "echo ran > /tmp/ssr-npm-script-ran; exit 1"
PARCEL = {
    "index.js": b"'use strict';\n\nmodule.exports = function weigh(things) {\n\treturn things.length;\n};\n",
    "test/weigh.js": b"require('weigher')(require('../').call(null, [1, 2]), 2);\n",
    "windows.txt": b"one\r\ntwo\r\n",
}
WEIGHER = {
    "index.js": b"module.exports = function (a, b) { console.log(a === b ? 'ok' : 'not ok'); };\n",
    "cli.js": b"#!/usr/bin/env node\nconsole.log('weigher');\n",
}


@dataclass
class Registry:
    """What is served: archives by package and version, the digests it announces included."""

    address: str = ""
    versions: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    archives: dict[str, bytes] = field(default_factory=dict)

    def publish(self, name: str, version: str, files: Mapping[str, bytes], **about: object) -> bytes:
        """Pack and offer one version; its install scripts would leave a trace."""
        about |= {"name": name, "version": version, "scripts": dict.fromkeys(("prepare", "postinstall"), RUNS)}
        data = pack({**files, "package.json": json.dumps(about).encode()})
        file = f"{name.removeprefix('@').replace('/', '-')}-{version}.tgz"
        self.archives[file] = data
        dist = {"tarball": f"{self.address}/{file}", "integrity": integrity(data)}
        self.versions.setdefault(name, {})[version] = {**about, "dist": dist}
        return data

    def answer(self, path: str) -> bytes | None:
        name = unquote(path.lstrip("/"))
        if name in self.archives:
            return self.archives[name]
        if name not in self.versions:
            return None
        versions = self.versions[name]
        return json.dumps({"name": name, "dist-tags": {"latest": list(versions)[-1]}, "versions": versions}).encode()


def pack(files: Mapping[str, bytes]) -> bytes:
    """A tarball as npm makes them: everything below `package/`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)


def integrity(data: bytes) -> str:
    """The digest as npm writes it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"


@contextmanager
def served() -> Iterator[Registry]:
    """A registry that answers until the block ends."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = registry.answer(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        registry.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield registry
        server.shutdown()


@dataclass(frozen=True)
class Npm:
    """The registry, the folder of the list, and an entry with two versions."""

    registry: Registry
    list_folder: Path
    spec: NpmSpec

    def lock(self, **change: object) -> None:
        """Write the list's environment again, its one package changed."""
        data = self.registry.archives["weigher-1.0.0.tgz"]
        entry = {"version": "1.0.0", "integrity": integrity(data), "bin": {"weigher": "cli.js"}} | change
        packages = {"": {"dependencies": {"weigher": "1.0.0"}}, "node_modules/weigher": entry}
        self.write({"name": "environment", "lockfileVersion": 3, "requires": True, "packages": packages})

    def write(self, lock: object) -> None:
        """Write the list's environment."""
        (self.list_folder / "weigher.json").write_text(json.dumps(lock))

    @property
    def one(self) -> NpmSpec:
        """The entry with its first version alone."""
        return self.pinned(self.spec.releases[0])

    def pinned(self, *releases: PinnedRelease) -> NpmSpec:
        """The entry with other versions."""
        return self.spec.model_copy(update={"releases": releases})

    def release(self, version: str, files: Mapping[str, bytes]) -> PinnedRelease:
        """Publish one more version of the package, and pin it."""
        data = self.registry.publish("@own/parcel", version, files)
        return pinned(version, data)


def pinned(version: str, data: bytes) -> PinnedRelease:
    """A release of the package with the digest of its tarball."""
    return PinnedRelease(version=version, file=f"own-parcel-{version}.tgz", sha256=hashlib.sha256(data).hexdigest())


def npm_of(registry: Registry, list_folder: Path) -> Npm:
    """Two versions of `@own/parcel`, the second mended, and the lock that its tests need."""
    registry.publish("weigher", "1.0.0", WEIGHER, bin={"weigher": "cli.js"})
    better = PARCEL | {"index.js": PARCEL["index.js"].replace(b"things.length", b"things.length || 0")}
    both = [
        (version, registry.publish("@own/parcel", version, files))
        for version, files in (("1.0.0", PARCEL), ("1.1.0", better))
    ]
    spec = NpmSpec(
        name="parcel",
        kind="npm",
        licence="MIT",
        environment=Path("weigher.json"),
        package="@own/parcel",
        releases=tuple(pinned(version, data) for version, data in both),
    )
    npm = Npm(registry, list_folder, spec)
    npm.lock()
    return npm
