// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/disk.h"
#include "objects/local_layout.h"
#include "objects/local_store.h"

namespace weft::objects {

struct ListingRange {
  std::string bucket;
  std::string prefix;
  std::string after;
  size_t count_max;
};

// The first objects of the range below the folder of plain keys, or of other keys, in octet order.
// Only folders that can hold some of them are read.
Result<std::vector<ObjectInfo>> ListPlain(Disk& disk, const LocalLayout& layout,
                                          const ListingRange& range);
Result<std::vector<ObjectInfo>> ListEncoded(Disk& disk, const std::string& folder,
                                            const ListingRange& range);

// Whether a part of `path` that a '/' ends is a file, so that there is nothing below it and cannot
// be.
bool FileOnPath(Disk& disk, const std::string& bucket_folder, std::string_view path);

ObjectInfo InfoOf(ObjectKey key, const Disk::Entry& entry);

}  // namespace weft::objects
