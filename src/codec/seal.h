// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"

namespace weft::codec {

// AES-256-GCM. The sealed form is: one octet for the version (1), 12 of nonce, the ciphertext, 16
// of tag. `context` is authenticated and not stored: a sealed value moved elsewhere does not open.
Bytes Seal(BytesView key, BytesView plain, BytesView context, Random& random);
// kCorrupt where key, context or bytes are not those of Seal.
Result<Bytes> Open(BytesView key, BytesView sealed, BytesView context);

}  // namespace weft::codec
