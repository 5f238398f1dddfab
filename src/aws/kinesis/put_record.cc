// SPDX-License-Identifier: Apache-2.0
#include "aws/kinesis/operations.h"
#include "aws/kinesis/putting.h"

namespace weft::aws::kinesis {

void PutRecord(std::shared_ptr<const Call> call, AnswerDone done) {
  Put(call, {&call->input}, [done = std::move(done)](Outcome<Taken> taken) {
    if (!taken.ok()) return done(Fail(taken.error()));
    const auto& placed = taken->placed.front();
    if (!placed.ok()) return done(Fail(FaultOfRecord(placed.error())));
    nlohmann::json out = PlaceDocument(*placed);
    if (!taken->stream->settings.key_id.empty()) out["EncryptionType"] = "KMS";
    done(std::move(out));
  });
}

}  // namespace weft::aws::kinesis
