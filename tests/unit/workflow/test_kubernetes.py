"""The graph through the real executor for Kubernetes: each job's specification fits the API's schema, and runs."""

import pytest
import yaml
from graph_project import ROOT, Project
from kubernetes_api import Spec, cluster

validate = pytest.importorskip("kubernetes_validate", reason="needs the extras dev and kubernetes").validate
pytest.importorskip("snakemake_executor_plugin_cluster_generic", reason="needs the extras dev and kubernetes")

PROFILE = ROOT / "workflow" / "profiles" / "kubernetes"
VERSION = "1.34"
TARGET = "results/smoke/inject/ssr/s0/001/00/episodes.parquet"


@pytest.mark.parametrize(
    "document", list(yaml.safe_load_all((PROFILE / "cluster.yaml").read_text())), ids=lambda d: d["kind"]
)
def test_what_the_profile_needs_fits_the_schema(document: Spec) -> None:
    validate(document, VERSION, strict=True)


def submitted(project: Project, monkeypatch: pytest.MonkeyPatch, scale: str) -> list[Spec]:
    """Run a small part of a scale's graph; returns the specifications of its jobs in the order of their submission."""
    with cluster() as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(project.root / "kubeconfig")))
        profile = ["--profile", "workflow/profiles/kubernetes"]
        polling = ["--seconds-between-status-checks", "1", "--latency-wait", "5"]
        project.snakemake(TARGET, *profile, *polling, "--configfile", scale)
        failed = [name for name, code in api.exit_codes.items() if code != 0]
        assert [api.jobs[name]["metadata"]["labels"]["rule"] for name in failed] == ["inject"]
        return list(api.jobs.values())


@pytest.mark.slow
def test_jobs_fit_the_schema_and_name_volume_gpus_and_memory(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    scale = project.rewrite(
        "smoke",
        runs={"ssr": {}},
        model={"dtype": "bfloat16"},
        engine={"kind": "vllm", "vllm": {"tensor_parallel": 2}},
        selfplay={"shards": 1, "lag": 0},
    )
    stand_in = project.root / "bin" / "ssr"
    first, rest = stand_in.read_text().split("\n", 1)
    stand_in.write_text(f"{first}\n[[ $1 != inject || -e died ]] || {{ touch died; exit 1; }}\n{rest}")
    jobs = submitted(project, monkeypatch, scale)
    assert (project.root / TARGET).exists()
    for job in jobs:
        validate(job, VERSION, strict=True)
        pod = job["spec"]["template"]["spec"]
        assert pod["volumes"] == [{"name": "shared", "persistentVolumeClaim": {"claimName": "ssr"}}]
        assert pod["containers"][0]["volumeMounts"] == [{"name": "shared", "mountPath": "/work"}]
    asked = {job["metadata"]["labels"]["rule"]: limits_of(job) for job in jobs}
    assert asked.keys() == {"snapshot", "install", "inject"}
    gpus = {rule: limits["nvidia.com/gpu"] for rule, limits in asked.items() if "nvidia.com/gpu" in limits}
    assert gpus == {"inject": "2"}
    injecting = [limits_of(job)["memory"] for job in jobs if job["metadata"]["labels"]["rule"] == "inject"]
    assert injecting == ["8000M", "16000M"], "a job that failed is submitted again with more memory"


def limits_of(job: Spec) -> Spec:
    resources: Spec = job["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources["limits"] == resources["requests"]
    limits: Spec = resources["limits"]
    return limits
