# SPDX-License-Identifier: Apache-2.0
"""A consumer of a stream as the Kinesis Client Library is one: workers share the shards by leases, read each from
its checkpoint to its end, and begin a child only when its parents are finished."""

import threading
import time

from kinesis_client import Fault


class Lease:
    def __init__(self, shard):
        self.shard = shard["ShardId"]
        self.parents = [shard[k] for k in ("ParentShardId", "AdjacentParentShardId") if k in shard]
        self.checkpoint = None
        self.finished = False
        self.worker = None


class Group:
    """Workers of one application. `read` is Polling or FanOut; `api` makes a client for a thread."""

    def __init__(self, api, stream, read, workers=3):
        self.api, self.stream, self.read = api, stream, read
        self.lock = threading.Lock()
        self.leases = {}
        self.delivered = []  # (shard, key, data, sequence number) in the order of delivery
        self.finished = []  # shards, in the order they were finished
        self.errors = []
        self.stopping = False
        self.threads = [threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(workers)]
        self.interrupt = [threading.Event() for _ in range(workers)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping = True
        for event in self.interrupt:
            event.set()
        for thread in self.threads:
            thread.join(30)
        assert not self.errors, self.errors

    def shake(self):
        """Every worker gives up what it reads; another goes on from the checkpoint."""
        for event in self.interrupt:
            event.set()

    def _work(self, number):
        api = self.api()
        try:
            while not self.stopping:
                self.interrupt[number].clear()
                self._discover(api)
                lease = self._take(number)
                if lease is None:
                    time.sleep(0.2)
                    continue
                try:
                    self.read(self, api, lease, self.interrupt[number])
                finally:
                    lease.worker = None
        except Exception as error:  # noqa: BLE001
            self.errors.append(error)

    def _discover(self, api):
        shards, more = [], {"StreamName": self.stream}
        while more:
            answer = api.ListShards(**more)
            shards += answer["Shards"]
            more = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
        with self.lock:
            for shard in shards:
                self.leases.setdefault(shard["ShardId"], Lease(shard))

    def _take(self, number):
        """The open lease that waited longest; more than one worker can read, none reads the same."""
        with self.lock:
            for lease in self.leases.values():
                ready = all(p not in self.leases or self.leases[p].finished for p in lease.parents)
                if ready and not lease.finished and lease.worker is None:
                    lease.worker = number
                    # Others may come first the next time.
                    self.leases[lease.shard] = self.leases.pop(lease.shard)
                    return lease
        return None

    def deliver(self, lease, records):
        with self.lock:
            for record in records:
                self.delivered.append((lease.shard, record["PartitionKey"], record["Data"], record["SequenceNumber"]))
                lease.checkpoint = record["SequenceNumber"]

    def finish(self, lease):
        with self.lock:
            lease.finished = True
            self.finished.append(lease.shard)


def polling(group, api, lease, interrupt):
    if lease.checkpoint is None:
        iterator = api.iterator(group.stream, lease.shard)
    else:
        iterator = api.iterator(
            group.stream, lease.shard, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=lease.checkpoint
        )
    until = time.monotonic() + 1.5  # a turn: there are more shards than workers
    while not interrupt.is_set() and time.monotonic() < until:
        try:
            answer = api.GetRecords(ShardIterator=iterator)
        except Fault as fault:
            assert fault.kind == "ProvisionedThroughputExceededException", fault
            time.sleep(0.3)
            continue
        group.deliver(lease, answer["Records"])
        iterator = answer.get("NextShardIterator")
        if iterator is None:
            assert answer["ChildShards"], lease.shard
            group.finish(lease)
            return
        time.sleep(0.25)


def fan_out(consumer):
    """Reads by subscriptions of the consumer."""

    def read(group, api, lease, interrupt):
        position = {"kind": "TRIM_HORIZON"}
        if lease.checkpoint is not None:
            position = {"kind": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": lease.checkpoint}
        try:
            with api.subscribe(consumer, lease.shard, **position) as events:
                for event in events:
                    group.deliver(lease, event["Records"])
                    if event.get("ChildShards"):
                        group.finish(lease)
                        return
                    if interrupt.is_set():
                        return
        except Fault as fault:
            # Within five seconds of the last subscription to this shard.
            assert fault.kind == "ResourceInUseException", fault
            time.sleep(0.5)

    return read


class Load:
    """Writers, each with keys of its own; a record that a shard refused is sent again before the next of its key."""

    def __init__(self, api, stream, writers=4, keys=10, pause=0.02):
        self.api, self.stream, self.pause = api, stream, pause
        self.acked = {}  # (key, data): sequence number
        self.errors = []
        self.stopping = False
        self.threads = [threading.Thread(target=self._write, args=(i, keys), daemon=True) for i in range(writers)]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join(60)
        assert not self.errors, self.errors

    def _write(self, writer, keys):
        api, number = self.api(), 0
        try:
            while not self.stopping:
                waiting = [
                    {"PartitionKey": f"w{writer}-{key}", "Data": b"%d" % number} for key in range(keys)
                ]
                number += 1
                while waiting:
                    answers = api.PutRecords(StreamName=self.stream, Records=waiting)["Records"]
                    again = []
                    for record, answer in zip(waiting, answers):
                        if "ErrorCode" in answer:
                            assert answer["ErrorCode"] == "ProvisionedThroughputExceededException", answer
                            again.append(record)
                        else:
                            self.acked[record["PartitionKey"], record["Data"]] = answer["SequenceNumber"]
                    waiting = again
                    time.sleep(0.2 if again else self.pause)
        except Exception as error:  # noqa: BLE001
            self.errors.append(error)
