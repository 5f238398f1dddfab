// SPDX-License-Identifier: Apache-2.0
// A consumer on the Kinesis Client Library with its defaults: HTTP/2, CBOR, enhanced fan-out; or polling. Tells on
// its output what it is given: "begin SHARD", "record SHARD KEY DATA SEQUENCE", "end SHARD". Stops gracefully when
// its input ends.
//
// usage: Kcl STREAM APPLICATION fan-out|polling KINESIS_ENDPOINT DYNAMODB_ENDPOINT

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.MetricsLevel;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public class Kcl {
  static synchronized void tell(String what) {
    System.out.println(what);
    System.out.flush();
  }

  static class Processor implements ShardRecordProcessor {
    private String shard;

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      tell("begin " + shard);
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      for (KinesisClientRecord record : input.records()) {
        String data = StandardCharsets.UTF_8.decode(record.data()).toString();
        tell("record " + shard + " " + record.partitionKey() + " " + data + " " + record.sequenceNumber());
      }
      try {
        input.checkpointer().checkpoint();
      } catch (Exception error) {
        tell("error " + error);
      }
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      tell("lost " + shard);
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      tell("end " + shard);
      try {
        input.checkpointer().checkpoint();
      } catch (Exception error) {
        tell("error " + error);
      }
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      try {
        input.checkpointer().checkpoint();
      } catch (Exception error) {
        tell("error " + error);
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    String stream = arguments[0], application = arguments[1];
    boolean polling = arguments[2].equals("polling");
    Region region = Region.US_EAST_1;
    KinesisAsyncClient kinesis = KinesisClientUtil.createKinesisAsyncClient(
        KinesisAsyncClient.builder().region(region).endpointOverride(URI.create(arguments[3])));
    URI leases = URI.create(arguments[4]);
    DynamoDbAsyncClient dynamo =
        DynamoDbAsyncClient.builder().region(region).endpointOverride(leases).build();
    CloudWatchAsyncClient metrics =
        CloudWatchAsyncClient.builder().region(region).endpointOverride(leases).build();
    ConfigsBuilder configs = new ConfigsBuilder(stream, application, kinesis, dynamo, metrics,
        UUID.randomUUID().toString(), Processor::new);
    var retrieval = configs.retrievalConfig().initialPositionInStreamExtended(
        InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON));
    if (polling) retrieval.retrievalSpecificConfig(new PollingConfig(stream, kinesis));
    Scheduler scheduler = new Scheduler(configs.checkpointConfig(),
        configs.coordinatorConfig().parentShardPollIntervalMillis(1000),
        configs.leaseManagementConfig().failoverTimeMillis(3000).shardSyncIntervalMillis(5000),
        configs.lifecycleConfig(),
        configs.metricsConfig().metricsLevel(MetricsLevel.NONE).metricsFactory(new NullMetricsFactory()),
        configs.processorConfig(), retrieval);
    Thread worker = new Thread(scheduler);
    worker.setDaemon(true);
    worker.start();
    while (System.in.read() >= 0) {
    }
    scheduler.startGracefulShutdown().get(60, TimeUnit.SECONDS);
    tell("stopped");
    System.exit(0);
  }
}
