// SPDX-License-Identifier: Apache-2.0
// A producer on the Kinesis Producer Library with its defaults, aggregation among them. Tells "put SHARD SEQUENCE"
// for each record that was taken and "failed WHY" for each that was not.
//
// usage: Kpl STREAM PORT COUNT TEMPORARY_FOLDER  (each line's data: {"order_id": N, "country": "CH"})

import com.google.common.util.concurrent.ListenableFuture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecordFailedException;
import software.amazon.kinesis.producer.UserRecordResult;

public class Kpl {
  public static void main(String[] arguments) throws Exception {
    String stream = arguments[0];
    long port = Long.parseLong(arguments[1]);
    int count = Integer.parseInt(arguments[2]);
    KinesisProducer producer = new KinesisProducer(new KinesisProducerConfiguration()
        .setRegion("us-east-1")
        .setKinesisEndpoint("127.0.0.1").setKinesisPort(port)
        .setCloudwatchEndpoint("127.0.0.1").setCloudwatchPort(port)
        .setStsEndpoint("127.0.0.1").setStsPort(port)
        .setMetricsLevel("none")
        .setVerifyCertificate(false)
        .setRecordTtl(60000)
        .setTempDirectory(arguments[3]));
    List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
    for (int i = 0; i < count; ++i) {
      byte[] data = ("{\"order_id\": " + i + ", \"country\": \"CH\"}").getBytes(StandardCharsets.UTF_8);
      results.add(producer.addUserRecord(stream, "key-" + i % 50, ByteBuffer.wrap(data)));
    }
    producer.flushSync();
    for (ListenableFuture<UserRecordResult> result : results) {
      try {
        UserRecordResult taken = result.get();
        System.out.println("put " + taken.getShardId() + " " + taken.getSequenceNumber());
      } catch (ExecutionException error) {
        String why = String.valueOf(error.getCause());
        if (error.getCause() instanceof UserRecordFailedException failed) {
          why = failed.getResult().getAttempts().stream()
              .map(a -> a.getErrorCode() + " " + a.getErrorMessage()).collect(Collectors.joining("; "));
        }
        System.out.println("failed " + why);
      }
    }
    producer.destroy();
    System.exit(0);
  }
}
