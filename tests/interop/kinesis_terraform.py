# SPDX-License-Identifier: Apache-2.0
"""Terraform's AWS provider makes, keeps, changes and destroys streams and a consumer."""

import glob
import json
import os
import pathlib
import shutil
import subprocess

import fetch
from conftest import Server
from kinesis_client import Boto

FIRST = {"shards": 2, "retention": 24, "stage": "test", "encryption": "NONE", "metrics": []}
THEN = {"shards": 4, "retention": 48, "stage": "live", "encryption": "KMS", "metrics": ["IncomingBytes"]}
LAST = {"shards": 3, "retention": 24, "stage": "live", "encryption": "NONE", "metrics": []}

# Where Terraform itself looks for providers without being told, and where packages put them.
MIRRORS = ["~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "/usr/*/terraform/plugins",
           "/usr/local/share/terraform/plugins", "/opt/*"]


def mirror():
    for pattern in MIRRORS:
        for found in glob.glob(os.path.expanduser(pattern) + "/*/hashicorp/aws/*/*/terraform-provider-aws*"):
            return pathlib.Path(found).parents[5]
    raise fetch.Skip("the AWS provider of Terraform is not on this machine")


class Terraform:
    def __init__(self, folder, server, plugins):
        self.folder, self.command = folder, fetch.tool("terraform")
        self.environment = {**server.environment(), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        self.environment.pop("AWS_ENDPOINT_URL")
        self.environment.pop("TF_CLI_CONFIG_FILE", None)
        self.endpoint = server.endpoint
        self.run("init", f"-plugin-dir={plugins}")

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run(
            [self.command, *arguments, "-no-color"], cwd=self.folder, env=self.environment, capture_output=True, text=True,
            timeout=600,
        )
        assert done.returncode in codes, f"terraform {arguments[0]}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done

    def call(self, what, variables, *arguments):
        given = [f"-var={k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in variables.items()]
        return self.run(what, "-input=false", f"-var=endpoint={self.endpoint}", *given, *arguments, codes=(0, 2))

    def reach(self, variables):
        applied = self.call("apply", variables, "-auto-approve")
        assert applied.returncode == 0, applied.stdout[-2000:] + applied.stderr[-2000:]
        planned = self.call("plan", variables, "-detailed-exitcode")
        assert planned.returncode == 0, "the plan after apply is not empty: " + planned.stdout[-2000:]


def check(api, wanted):
    summary = api.DescribeStreamSummary(StreamName="clicks")["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == wanted["shards"] and summary["RetentionPeriodHours"] == wanted["retention"]
    assert summary["EncryptionType"] == wanted["encryption"]
    assert summary["EnhancedMonitoring"] == [{"ShardLevelMetrics": wanted["metrics"]}]
    assert api.ListTagsForStream(StreamName="clicks")["Tags"] == [{"Key": "stage", "Value": wanted["stage"]}]


def run(folder):
    plugins = mirror()
    shutil.copytree(fetch.HERE / "terraform", folder / "plan")
    server = Server(folder / "data").start()
    try:
        api = Boto(server.endpoint, json.loads((server.folder / "client.json").read_text()))
        terraform = Terraform(folder / "plan", server, plugins)
        for wanted in (FIRST, THEN, LAST):
            terraform.reach(wanted)
            check(api, wanted)
        consumers = api.ListStreamConsumers(StreamARN=api.arn("demand"))["Consumers"]
        assert [c["ConsumerName"] for c in consumers] == ["fan"]
        assert "222222222222" in api.GetResourcePolicy(ResourceARN=api.arn("clicks"))["Policy"]
        destroyed = terraform.call("destroy", LAST, "-auto-approve")
        assert destroyed.returncode == 0, destroyed.stderr[-2000:]
        assert api.ListStreams()["StreamNames"] == []
        return "2 streams, a consumer and a policy: applied, changed twice, destroyed; each plan then empty"
    finally:
        server.stop()
