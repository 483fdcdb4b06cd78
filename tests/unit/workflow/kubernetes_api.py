"""The few calls of a Kubernetes API that the executor makes; a job's container is a process of this machine."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Spec = dict[str, Any]


class Cluster(ThreadingHTTPServer):
    """Jobs as they were posted. A container sees no variables but those that its job names."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.jobs: dict[str, Spec] = {}
        self.exit_codes: dict[str, int] = {}

    def start(self, job: Spec) -> None:
        name = job["metadata"]["name"]
        self.jobs[name] = job
        container = job["spec"]["template"]["spec"]["containers"][0]
        environment = {variable["name"]: variable["value"] for variable in container["env"]}
        done = subprocess.run(container["command"], env=environment, cwd=container["workingDir"], capture_output=True)
        self.exit_codes[name] = done.returncode

    def kubeconfig(self, path: Path) -> Path:
        """Write what `KUBECONFIG` names."""
        named = [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{self.server_port}"}}]
        contexts = [{"name": "here", "context": {"cluster": "here", "user": "here"}}]
        users: list[Spec] = [{"name": "here", "user": {}}]
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "here"}
        path.write_text(json.dumps(config | {"clusters": named, "contexts": contexts, "users": users}))
        return path


class Handler(BaseHTTPRequestHandler):
    server: Cluster

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.start(body)
        self.reply(body)

    def do_GET(self) -> None:
        code = self.server.exit_codes[self.path.partition("?")[0].split("/")[-2]]
        self.reply({"status": {"succeeded": 1} if code == 0 else {"failed": 1}})

    def reply(self, body: Spec) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def cluster() -> Iterator[Cluster]:
    """An API that listens until the block ends."""
    with Cluster() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
