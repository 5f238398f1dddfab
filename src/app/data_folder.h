// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/disk.h"
#include "base/random.h"
#include "base/result.h"

namespace weft::app {

// The folder of one server: docs/formats/data-folder.md. Held by one process at a time, for as long
// as this object lives.
class DataFolder {
 public:
  // Makes the folder (readable by its owner only) when it is not there. kUnavailable when another
  // process holds it; kNotOffered when a newer Weft wrote it; kConflict when it holds something
  // else.
  enum class OpenFor { kUse, kNewMasterKey };
  static Result<std::unique_ptr<DataFolder>> Open(const std::string& path, Disk& disk,
                                                  Random& random, OpenFor what = OpenFor::kUse);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Inside(const std::string& name) const { return path_ + "/" + name; }
  // 32 octets that wrap every secret kept here; made at first.
  const Bytes& master_key() const { return master_key_; }

  // Another master key takes the place of the one there is: `reseal` seals everything by it that
  // was sealed by the old one, and must be fine with what is sealed by it already. Broken off, the
  // folder does not open until this is called again, with OpenFor::kNewMasterKey.
  Status ChangeMasterKey(Random& random,
                         const std::function<Status(const Bytes& master_key)>& reseal);

  // What clients on this machine need, for `weft env`; kept in a file that only its owner reads.
  Status WriteClient(const std::string& endpoint, const std::string& access_key_id,
                     const std::string& secret, const std::string& region);
  struct AdminKey {
    std::string access_key_id, secret;
  };
  Result<std::optional<AdminKey>> ReadAdminKey() const;

 private:
  DataFolder(std::string path, Disk& disk) : path_(std::move(path)), disk_(disk) {}
  Status CheckVersion();
  Status LoadMasterKey(Random& random);
  Result<Bytes> ReadMasterKey(const std::string& file) const;

  const std::string path_;
  Disk& disk_;
  int lock_ = -1;
  Bytes master_key_;
};

}  // namespace weft::app
