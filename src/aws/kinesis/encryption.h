// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "aws/kinesis/names.h"

namespace weft::aws::kinesis {

// The KeyId of StartStreamEncryption and StopStreamEncryption, which take an EncryptionType of KMS
// and the one key there is. KMSNotFoundException for another.
Outcome<std::string> KeyIn(const Call& call);

}  // namespace weft::aws::kinesis
