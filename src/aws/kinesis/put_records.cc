// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/putting.h"

namespace weft::aws::kinesis {

using nlohmann::json;

void PutRecords(std::shared_ptr<const Call> call, AnswerDone done) {
  std::vector<const json*> records;
  for (const json& record : call->input.at("Records")) records.push_back(&record);
  Put(call, records, [done = std::move(done)](Outcome<Taken> taken) {
    if (!taken.ok()) return done(Fail(taken.error()));
    json list = json::array();
    int64_t failed = 0;
    for (const auto& placed : taken->placed) {
      if (placed.ok()) {
        list.push_back(PlaceDocument(*placed));
        continue;
      }
      ++failed;
      const Fault fault = FaultOfRecord(placed.error());
      list.push_back({{"ErrorCode", fault.type}, {"ErrorMessage", fault.message}});
    }
    json out = {{"FailedRecordCount", failed}, {"Records", std::move(list)}};
    if (!taken->stream->settings.key_id.empty()) out["EncryptionType"] = "KMS";
    done(std::move(out));
  });
}

}  // namespace weft::aws::kinesis
