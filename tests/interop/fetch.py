# SPDX-License-Identifier: Apache-2.0
"""Fetches outside clients on first use, by the machine's own tools, into .deps/interop."""

import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
STORE = HERE.parents[1] / ".deps" / "interop"
CLASSPATH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"


class Skip(Exception):
    """A part cannot run on this machine."""


def tool(name):
    found = shutil.which(name)
    if found is None:
        raise Skip(f"{name} is not on this machine")
    return found


def _made_from(*files):
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _run(command, what):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{what}: {done.stdout[-2000:]}")


def java(name):
    """The command that runs the program of java/NAME, without its arguments."""
    source = HERE / "java" / name
    command, compiler, maven = tool("java"), tool("javac"), tool("mvn")
    (program,) = source.glob("*.java")
    made_from, built = _made_from(source / "pom.xml", program), STORE / name
    stamp, classpath = built / "made-from", built / "classpath"
    if not stamp.exists() or stamp.read_text() != made_from:
        shutil.rmtree(built, ignore_errors=True)
        built.mkdir(parents=True)
        print(f"interop: fetching {name}", file=sys.stderr, flush=True)
        _run(
            [maven, "-B", "-q", "-f", source / "pom.xml", f"-Dmaven.repo.local={STORE / 'maven'}", CLASSPATH,
             f"-Dmdep.outputFile={classpath}"],
            f"the jars of {name}",
        )
        _run([compiler, "-nowarn", "-d", built / "classes", "-cp", classpath.read_text(), program], f"{program.name}")
        stamp.write_text(made_from)
    return [command, "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
            f"{built / 'classes'}:{classpath.read_text()}", program.stem]


def moto():
    """The command of moto's server."""
    wanted, folder = HERE / "requirements.txt", STORE / "python"
    stamp, python = folder / "made-from", folder / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != _made_from(wanted):
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        print("interop: fetching moto", file=sys.stderr, flush=True)
        _run([sys.executable, "-m", "venv", folder], "a Python environment")
        _run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", wanted], "moto")
        stamp.write_text(_made_from(wanted))
    return [str(python), "-m", "moto.server"]
