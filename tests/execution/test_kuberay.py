"""The Kubernetes example: its fields, and the versions that it shares with constraints.txt and docs/cluster.md."""

import re
import shlex
from typing import Any

import yaml
from made import REPOSITORY

PAGE = (REPOSITORY / "docs" / "cluster.md").read_text()
(PIN,) = re.findall(r"^ray==(.*)$", (REPOSITORY / "constraints.txt").read_text(), flags=re.MULTILINE)
INSTALL = 'python -m pip install -c constraints.txt -e ".[cluster]"'
PROJECT = (REPOSITORY / "pyproject.toml").read_text()


def job() -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load((REPOSITORY / "docs" / "kuberay.yaml").read_text())
    return value


def containers(group: dict[str, Any]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = group["template"]["spec"]["containers"]
    return listed


def test_the_example_is_a_ray_job_of_a_head_and_of_nodes() -> None:
    cluster = job()["spec"]["rayClusterSpec"]
    assert (job()["apiVersion"], job()["kind"]) == ("ray.io/v1", "RayJob")
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["authOptions"]["mode"] == "token"
    (nodes,) = cluster["workerGroupSpecs"]
    assert nodes["minReplicas"] <= nodes["replicas"] <= nodes["maxReplicas"]
    for group in (cluster["headGroupSpec"], nodes):
        (container,) = containers(group)
        assert {"cpu", "memory"} <= container["resources"]["limits"].keys()


def test_its_command_works_in_the_volume_of_the_head() -> None:
    head = job()["spec"]["rayClusterSpec"]["headGroupSpec"]
    (container,), (volume,) = containers(head), head["template"]["spec"]["volumes"]
    (mount,) = container["volumeMounts"]
    assert mount["name"] == volume["name"]
    words = shlex.split(job()["spec"]["entrypoint"])
    assert words[words.index("--runs") + 1].startswith(mount["mountPath"])
    assert words[words.index("--engine") + 1] == "ray"
    assert words[words.index("--address") + 1] == "$RAY_ADDRESS", "which Ray sets for the command of a job"


def test_its_images_have_the_ray_of_the_constraints_and_a_python_that_stockcast_runs_on() -> None:
    cluster = job()["spec"]["rayClusterSpec"]
    assert cluster["rayVersion"] == PIN
    groups = (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])
    images = {container["image"] for group in groups for container in containers(group)}
    (base,) = re.findall(r"FROM rayproject/ray:(.*)-(py\d+)$", PAGE, flags=re.MULTILINE)
    assert images == {f"registry.example/stockcast:ray{PIN}-{base[1]}"}
    assert base[0] == PIN
    (least, below) = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', PROJECT)[0]
    assert int(least) <= int(base[1].removeprefix("py3")) < int(below)


def test_the_page_gives_the_line_that_installs_the_extra() -> None:
    assert INSTALL in PAGE
    assert "cluster = [" in PROJECT
