// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "objects/object_store.h"

namespace weft::objects {

// Objects as files: s3://BUCKET/KEY is ROOT/BUCKET/KEY where KEY is plain (parts of A-Z a-z 0-9 - _
// . = + ( ), none empty, '.' or '..'); other keys are stored under ROOT/.other/. Format:
// docs/formats/objects.md.
struct LocalStoreOptions {
  std::string root;
  // Another process owns the folder: nothing in it is made, cleaned or written, and writes are
  // kDenied. Without it, opening removes the temporary files that a crash left, so one process at a
  // time may.
  bool reader = false;
  int64_t free_bytes_min = int64_t{32} << 20;  // writes that leave less free space are kUnavailable
};
Result<std::unique_ptr<ObjectStore>> OpenLocalStore(const LocalStoreOptions& options, Disk& disk,
                                                    const Clock& clock);

// Whether Weft may make this key (see above).
bool PlainKey(std::string_view key);

}  // namespace weft::objects
