// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace weft::codec {

enum class Compression { kNone, kGzip, kZstd };

// From a Content-Encoding: "", "identity", "gzip", "x-gzip", "zstd"; kInvalid else.
Result<Compression> ParseContentEncoding(std::string_view name);
// kInvalid where the bytes are not of that form or are cut off; kThrottled never; kInvalid with the
// text "more than N bytes unpacked" where they unpack past `bytes_max`, without ever holding more
// than that.
Result<Bytes> Decompress(Compression how, BytesView packed, int64_t bytes_max);
Bytes Compress(Compression how, BytesView bytes);
// Whether that is why Decompress failed.
bool UnpackedTooLarge(const Error& error);
// Raw deflate (RFC 1951), as Avro's "deflate" codec has it.
Bytes Deflate(BytesView bytes);
Result<Bytes> Inflate(BytesView packed, int64_t bytes_max);

}  // namespace weft::codec
