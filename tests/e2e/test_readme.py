# SPDX-License-Identifier: Apache-2.0
"""The README's tour, typed as it stands."""

import os
import re
import pathlib
import subprocess
import sys

from conftest import ROOT, WEFT, clean_environment


def test_the_tour_works_as_written(tmp_path):
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    assert len(blocks) >= 6
    script = "set -e\n" + "\n".join(f"echo '== block {i}'\n{block}" for i, block in enumerate(blocks))
    environment = {**clean_environment(), "PATH": f"{WEFT.parent}:{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sections = done.stdout.split("== block ")
    assert "+ product orders" in sections[2]
    assert "accepted 2, quarantined 1" in sections[3]
    assert "country" in sections[3] or "country" in done.stderr
    assert re.search(r"CH\s+12.5", sections[4]) and re.search(r"DE\s+7.25", sections[4])
    assert "rows       2" in sections[5]
    assert "SequenceNumber" in sections[6] and re.search(r"CH\s+14.75", sections[6])
    reader, killed = sections[7], sections[8]
    assert "customer" not in reader.split("explain")[0].split("column")[0] and "denied" in reader
    assert re.search(r"^\s*3$", killed, re.M)
