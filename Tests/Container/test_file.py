"""The `hermes-init` stage of the Dockerfile: what `COPY --from` takes."""

import os
import subprocess
from pathlib import Path

from conftest import FILE_ONLY, podman


def test_the_stage_contains_exactly_one_file(images):
    tree = Path(podman("image", "mount", FILE_ONLY, check=True).stdout.strip())
    try:
        found = [str(Path(folder, name).relative_to(tree)) for folder, folders, files in os.walk(tree)
                 for name in files + folders]
        assert found == ["hermes-init"]
        assert os.access(tree / "hermes-init", os.X_OK) and (tree / "hermes-init").stat().st_size <= 1_135_000
    finally:
        podman("image", "umount", FILE_ONLY)


def test_the_file_runs_with_nothing_beside_it(images):
    result = subprocess.run(["podman", "run", "--rm", "--entrypoint", "/hermes-init", FILE_ONLY, "--version"],
                            capture_output=True, text=True)
    assert result.returncode == 0 and "hermes-init" in result.stdout, result


def test_copying_the_file_into_an_image_is_all_there_is_to_it(images, tmp_path):
    # What README.md tells: two lines in a Dockerfile, and service files.
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "clock.toml").write_text(
        'script = \'echo tick; touch /tmp/ticked; exec sleep infinity\'\n')
    (tmp_path / "Dockerfile").write_text(
        f"FROM {FILE_ONLY} AS hermes-init\nFROM debian:13-slim\n"
        "COPY --from=hermes-init /hermes-init /usr/local/bin/\n"
        "COPY services/ /etc/hermes-init.d/\n"
        'ENTRYPOINT ["hermes-init", "--"]\nCMD ["sh", "-c", "until [ -e /tmp/ticked ]; do sleep 0.05; done; exit 3"]\n')
    podman("build", "--pull=never", "--tag", "localhost/hermes-init-test:copied", str(tmp_path), check=True)
    result = podman("run", "--rm", "localhost/hermes-init-test:copied")
    assert result.returncode == 3 and "[clock] tick" in result.stdout + result.stderr, result
