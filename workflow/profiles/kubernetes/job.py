#!/usr/bin/env python3
"""One Kubernetes job for each job of the graph: `job.py submit SCRIPT`, `job.py status NAME`, `job.py cancel NAME...`.

The generic executor calls it, from a pod of the cluster or anywhere with a kubeconfig. A job's pod runs what snakemake
wrote into SCRIPT, in the same folder of the same volume, with the variables that envs/shell set.
"""

import argparse
import json
import os
import re
import uuid
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.rest import ApiException

VARIABLES = [
    *("PATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONHASHSEED", "PYTHONNOUSERSITE", "LC_ALL", "TZ", "OMP_NUM_THREADS"),
    *("TOKENIZERS_PARALLELISM", "HF_HUB_DISABLE_TELEMETRY"),
]
KEPT_S = 86_400
"""Seconds for which the cluster keeps a finished job: snakemake may ask for it again after it was killed."""


def specification(script: str, options: argparse.Namespace) -> dict[str, Any]:
    """A job of the batch API that runs a jobscript; its first lines hold rule and resources as JSON.

    Requests are limits, too: without limits the API refuses a request for GPUs.
    """
    found = re.search(r"^# properties = (.*)$", script, re.MULTILINE)
    assert found, "no jobscript of snakemake"
    properties = json.loads(found[1])
    rule, resources = properties.get("rule") or properties["groupid"], properties["resources"]
    claim, _, path = options.volume.partition(":")
    limits = {"cpu": str(properties["threads"]), "memory": f"{resources['mem_mb']}M"}
    if resources.get("gpu"):
        limits["nvidia.com/gpu"] = str(resources["gpu"])
    container = {
        "name": "job",
        "image": options.image,
        "command": ["/bin/bash", "-c", script],
        "workingDir": os.getcwd(),
        "env": [{"name": name, "value": os.environ[name]} for name in VARIABLES if name in os.environ],
        "resources": {"requests": limits, "limits": limits},
        "securityContext": {"privileged": options.privileged},
        "volumeMounts": [{"name": "shared", "mountPath": path}],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "shared", "persistentVolumeClaim": {"claimName": claim}}],
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }
    labels = {"app": "ssr", "rule": rule}
    name = f"ssr-{rule.replace('_', '-')[:40]}-{uuid.uuid4().hex[:8]}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": KEPT_S,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def submit(api: client.BatchV1Api, options: argparse.Namespace) -> None:
    """Start a job and print its name."""
    job = specification(Path(options.script).read_text(), options)
    api.create_namespaced_job(options.namespace, job)
    print(job["metadata"]["name"])


def status(api: client.BatchV1Api, options: argparse.Namespace) -> None:
    """Print `running`, `success` or `failed`; a job that is gone has failed."""
    try:
        found = api.read_namespaced_job_status(options.name, options.namespace).status
    except ApiException as error:
        if error.status != 404:
            raise
        print("failed")
    else:
        print("success" if found.succeeded else "failed" if found.failed else "running")


def cancel(api: client.BatchV1Api, options: argparse.Namespace) -> None:
    """Delete jobs and their pods."""
    for name in options.names:
        api.delete_namespaced_job(name, options.namespace, propagation_policy="Background")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", default="ssr")
    commands = parser.add_subparsers(required=True)
    submitting = commands.add_parser("submit")
    submitting.add_argument("--image", required=True)
    submitting.add_argument("--volume", required=True, help="CLAIM:PATH, mounted in each pod")
    submitting.add_argument("--privileged", action="store_true", help="for sandboxes of bubblewrap")
    submitting.add_argument("script")
    submitting.set_defaults(do=submit)
    asking = commands.add_parser("status")
    asking.add_argument("name")
    asking.set_defaults(do=status)
    cancelling = commands.add_parser("cancel")
    cancelling.add_argument("names", nargs="+")
    cancelling.set_defaults(do=cancel)
    options = parser.parse_args()
    config.load_config()
    options.do(client.BatchV1Api(), options)


if __name__ == "__main__":
    main()
