# SPDX-License-Identifier: Apache-2.0
"""Who may call what: policies of users, of streams and of consumers, within an account and from another."""

import json
import re

import pytest
from conftest import Server, write_mesh
from kinesis_client import Boto, fails

MESH = """
mesh: people
accounts:
  owners: { id: "111111111111" }
  guests: { id: "222222222222" }
users:
  owner: { account: owners, policies: [all.json] }
  writer: { account: owners, policies: [write.json] }
  nobody: { account: owners }
  barred: { account: owners, policies: [all.json, barred.json] }
  guest: { account: guests, policies: [all.json] }
  lurker: { account: guests }
"""
STREAMS = "arn:aws:kinesis:us-east-1:111111111111:stream/"


def statement(effect, actions, resources, **more):
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


POLICIES = {
    "all.json": document(statement("Allow", "kinesis:*", "*")),
    "write.json": document(
        statement("Allow", ["kinesis:PutRecord", "kinesis:PutRecords"], STREAMS + "shared-*"),
        statement("Allow", "kinesis:ListStreams", "*"),
    ),
    "barred.json": document(statement("Deny", "kinesis:PutRecord", STREAMS + "*")),
}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("access")
    server = Server(folder / "data").start()
    server.weft("apply", write_mesh(folder / "mesh", MESH, **{k.replace("/", "__"): v for k, v in POLICIES.items()}))

    class People(dict):
        def __missing__(self, name):
            self[name] = Boto(server.endpoint, server.key(name))
            return self[name]

    yield People()
    server.stop()


@pytest.fixture
def shared(people, request):
    """A stream of the owners' account; its name."""
    name = "shared-" + re.sub(r"[^a-zA-Z0-9_.-]", "-", request.node.name)[:100]
    people["owner"].CreateStream(StreamName=name, ShardCount=1)
    people["owner"].wait_active(name)
    yield name
    people["owner"].DeleteStream(StreamName=name, EnforceConsumerDeletion=True)


def put(api, name, data=b"x"):
    return api.PutRecord(StreamARN=STREAMS + name, Data=data, PartitionKey="k")


def denied(user, action, resource, why, account="111111111111"):
    return fails(
        "AccessDeniedException",
        f"User: arn:aws:iam::{account}:user/{user} is not authorized to perform: {action} on resource: {resource} {why}",
    )


def no_identity(action):
    return f"because no identity-based policy allows the {action} action"


def no_resource(action):
    return f"because no resource-based policy allows the {action} action"


def share(people, name, who, actions=("kinesis:PutRecord",), effect="Allow", resource=None):
    resource = resource or STREAMS + name
    people["owner"].PutResourcePolicy(
        ResourceARN=resource, Policy=document(statement(effect, list(actions), resource, Principal=who))
    )


def test_policies_of_users_name_actions_and_streams(people, shared):
    arn = STREAMS + shared
    assert put(people["owner"], shared)["ShardId"] == "shardId-000000000000"
    put(people["writer"], shared)
    people["writer"].PutRecords(StreamName=shared, Records=[{"Data": b"x", "PartitionKey": "k"}])
    people["writer"].ListStreams()
    with denied("writer", "kinesis:GetShardIterator", arn, no_identity("kinesis:GetShardIterator")):
        people["writer"].iterator(shared, "shardId-000000000000")
    with denied("nobody", "kinesis:PutRecord", arn, no_identity("kinesis:PutRecord")):
        put(people["nobody"], shared)
    with denied("barred", "kinesis:PutRecord", arn, "with an explicit deny in an identity-based policy"):
        put(people["barred"], shared)
    people["owner"].CreateStream(StreamName="private", ShardCount=1)
    with denied("writer", "kinesis:PutRecord", STREAMS + "private", no_identity("kinesis:PutRecord")):
        put(people["writer"], "private")
    # Whoever may not, learns nothing of what there is.
    with denied("nobody", "kinesis:DescribeStream", STREAMS + "absent", no_identity("kinesis:DescribeStream")):
        people["nobody"].DescribeStream(StreamName="absent")


EVERY = [
    ("CreateStream", {"StreamName": "shared-new", "ShardCount": 1}),
    ("DescribeLimits", {}),
    ("DescribeAccountSettings", {}),
    ("ListStreams", {}),
    ("ListShards", {}),
    ("DescribeStream", {}),
    ("DescribeStreamSummary", {}),
    ("DeleteStream", {}),
    ("AddTagsToStream", {"Tags": {"a": "b"}}),
    ("ListTagsForStream", {}),
    ("RemoveTagsFromStream", {"TagKeys": ["a"]}),
    ("PutRecord", {"Data": b"x", "PartitionKey": "k"}),
    ("PutRecords", {"Records": [{"Data": b"x", "PartitionKey": "k"}]}),
    ("GetShardIterator", {"ShardId": "shardId-000000000000", "ShardIteratorType": "LATEST"}),
    ("IncreaseStreamRetentionPeriod", {"RetentionPeriodHours": 48}),
    ("DecreaseStreamRetentionPeriod", {"RetentionPeriodHours": 24}),
    ("EnableEnhancedMonitoring", {"ShardLevelMetrics": ["ALL"]}),
    ("DisableEnhancedMonitoring", {"ShardLevelMetrics": ["ALL"]}),
    ("SplitShard", {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "5"}),
    ("MergeShards", {"ShardToMerge": "shardId-000000000000", "AdjacentShardToMerge": "shardId-000000000001"}),
    ("UpdateShardCount", {"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}),
    ("StartStreamEncryption", {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}),
    ("StopStreamEncryption", {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}),
]


@pytest.mark.parametrize("operation, input", EVERY, ids=[o for o, _ in EVERY])
def test_nothing_is_allowed_without_a_policy(people, shared, operation, input):
    if operation not in ("CreateStream", "DescribeLimits", "DescribeAccountSettings", "ListStreams"):
        input = {"StreamName": shared, **input}
    with fails("AccessDeniedException", f"is not authorized to perform: kinesis:{operation} on resource: "):
        people["nobody"].call(operation, **input)


BY_RESOURCE = [
    ("RegisterStreamConsumer", {"ConsumerName": "c"}, "StreamARN"),
    ("ListStreamConsumers", {}, "StreamARN"),
    ("UpdateStreamMode", {"StreamModeDetails": {"StreamMode": "ON_DEMAND"}}, "StreamARN"),
    ("UpdateMaxRecordSize", {"MaxRecordSizeInKiB": 2048}, "StreamARN"),
    ("UpdateStreamWarmThroughput", {"WarmThroughputMiBps": 0}, "StreamARN"),
    ("GetResourcePolicy", {}, "ResourceARN"),
    ("PutResourcePolicy", {"Policy": "{}"}, "ResourceARN"),
    ("DeleteResourcePolicy", {}, "ResourceARN"),
    ("TagResource", {"Tags": {"a": "b"}}, "ResourceARN"),
    ("UntagResource", {"TagKeys": ["a"]}, "ResourceARN"),
    ("ListTagsForResource", {}, "ResourceARN"),
]


@pytest.mark.parametrize("operation, input, member", BY_RESOURCE, ids=[o for o, _, _ in BY_RESOURCE])
def test_nothing_is_allowed_on_a_resource_without_a_policy(people, shared, operation, input, member):
    with fails("AccessDeniedException", f"is not authorized to perform: kinesis:{operation} on resource: {STREAMS}{shared}"):
        people["nobody"].call(operation, **{member: STREAMS + shared}, **input)


def test_reading_is_judged_by_the_stream_of_the_iterator(people, shared):
    iterator = people["owner"].iterator(shared, "shardId-000000000000")
    with denied("nobody", "kinesis:GetRecords", STREAMS + shared, no_identity("kinesis:GetRecords")):
        people["nobody"].GetRecords(ShardIterator=iterator)


def test_consumers_are_resources_of_their_own(people, shared):
    arn = STREAMS + shared
    owner, nobody = people["owner"], people["nobody"]
    consumer = owner.RegisterStreamConsumer(StreamARN=arn, ConsumerName="fan")["Consumer"]["ConsumerARN"]
    with denied("nobody", "kinesis:SubscribeToShard", consumer, no_identity("kinesis:SubscribeToShard")):
        with nobody.subscribe(consumer, "shardId-000000000000"):
            pass
    me = {"AWS": "arn:aws:iam::111111111111:user/nobody"}
    share(people, shared, me, ["kinesis:SubscribeToShard", "kinesis:DescribeStreamConsumer"], resource=consumer)
    assert owner.GetResourcePolicy(ResourceARN=consumer)["Policy"]
    assert nobody.DescribeStreamConsumer(ConsumerARN=consumer)["ConsumerDescription"]["ConsumerName"] == "fan"
    put(owner, shared, b"seen")
    with nobody.subscribe(consumer, "shardId-000000000000") as events:
        assert next(e for e in events if e["Records"])["Records"][0]["Data"] == b"seen"
    with fails("AccessDeniedException"):
        nobody.DeregisterStreamConsumer(ConsumerARN=consumer)


def test_in_one_account_either_policy_is_enough(people, shared):
    with fails("AccessDeniedException"):
        put(people["nobody"], shared)
    share(people, shared, {"AWS": "arn:aws:iam::111111111111:user/nobody"})
    put(people["nobody"], shared)
    with fails("AccessDeniedException"):
        people["nobody"].DescribeStreamSummary(StreamName=shared)
    people["owner"].DeleteResourcePolicy(ResourceARN=STREAMS + shared)
    with fails("AccessDeniedException"):
        put(people["nobody"], shared)
    share(people, shared, "*", effect="Deny")
    with denied("writer", "kinesis:PutRecord", STREAMS + shared, "with an explicit deny in a resource-based policy"):
        put(people["writer"], shared)


@pytest.mark.parametrize("who", ["222222222222", "arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:user/guest"])
def test_from_another_account_both_policies_are_needed(people, shared, who):
    arn = STREAMS + shared
    with denied("guest", "kinesis:PutRecord", arn, no_resource("kinesis:PutRecord"), "222222222222"):
        put(people["guest"], shared)
    share(people, shared, {"AWS": who}, ["kinesis:PutRecord", "kinesis:ListShards", "kinesis:DescribeStreamSummary"])
    placed = put(people["guest"], shared, b"from abroad")
    assert people["guest"].DescribeStreamSummary(StreamARN=arn)["StreamDescriptionSummary"]["StreamARN"] == arn
    with denied("guest", "kinesis:GetShardIterator", arn, no_resource("kinesis:GetShardIterator"), "222222222222"):
        people["guest"].GetShardIterator(
            StreamARN=arn, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
        )
    # A name alone is of the caller's own account.
    with fails("ResourceNotFoundException", f"Stream {shared} under account 222222222222 not found."):
        people["guest"].PutRecord(StreamName=shared, Data=b"x", PartitionKey="k")
    why = no_resource("kinesis:PutRecord") if who.endswith("guest") else no_identity("kinesis:PutRecord")
    with denied("lurker", "kinesis:PutRecord", arn, why, "222222222222"):
        put(people["lurker"], shared)
    records = people["owner"].read(shared, "shardId-000000000000")
    assert [(r["Data"], r["SequenceNumber"]) for r in records] == [(b"from abroad", placed["SequenceNumber"])]


def test_policies_that_cannot_be_held_are_refused(people, shared):
    arn, owner = STREAMS + shared, people["owner"]
    anyone = {"Principal": "*"}
    for wrong in [
        "{}",
        "",
        "x",
        document(statement("Allow", "kinesis:PutRecord", arn)),
        document(statement("Allow", "kinesis:PutRecord", "*", **anyone)),
        document(statement("Allow", "kinesis:PutRecord", arn + "2", **anyone)),
        document(statement("Maybe", "kinesis:PutRecord", arn, **anyone)),
        document(statement("Allow", "kinesis:PutRecord", arn, Principal={"AWS": "ada"})),
        document(statement("Allow", "kinesis:PutRecord", arn, NotPrincipal="*")),
        document(statement("Allow", "kinesis:PutRecord", arn, **anyone, Condition={"Bool": {"aws:SecureTransport": "true"}})),
        document(statement("Allow", "kinesis:PutRecord", arn, Principal={"Service": "logs.amazonaws.com"})),
    ]:
        with fails("InvalidArgumentException"):
            owner.PutResourcePolicy(ResourceARN=arn, Policy=wrong)
    share(people, shared, "*")
    owner.DeleteResourcePolicy(ResourceARN=arn)
    share(people, shared, {"AWS": ["222222222222", "arn:aws:iam::111111111111:user/nobody"]})
    put(people["nobody"], shared), put(people["guest"], shared)


def test_a_policy_goes_with_its_stream(people):
    owner = people["owner"]
    owner.CreateStream(StreamName="shared-again", ShardCount=1)
    owner.wait_active("shared-again")
    share(people, "shared-again", "*")
    owner.DeleteStream(StreamName="shared-again")
    owner.CreateStream(StreamName="shared-again", ShardCount=1)
    owner.wait_active("shared-again")
    with fails("AccessDeniedException"):
        put(people["guest"], "shared-again")


def test_names_are_of_the_callers_account(people, shared):
    assert shared in people["owner"].ListStreams()["StreamNames"]
    assert people["guest"].ListStreams()["StreamNames"] == []
    people["guest"].CreateStream(StreamName=shared, ShardCount=1)
    people["guest"].wait_active(shared)
    arn = people["guest"].arn(shared)
    assert arn == f"arn:aws:kinesis:us-east-1:222222222222:stream/{shared}"
    people["guest"].DeleteStream(StreamName=shared)
