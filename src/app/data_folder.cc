// SPDX-License-Identifier: Apache-2.0
#include "app/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "codec/hash.h"

namespace weft::app {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr const char* kNextKey = "master.key.next";

}  // namespace

Result<std::unique_ptr<DataFolder>> DataFolder::Open(const std::string& path, Disk& disk,
                                                     Random& random, OpenFor what) {
  TRY(disk.MakeFolders(path));
  std::unique_ptr<DataFolder> folder(new DataFolder(path, disk));
  folder->lock_ = open(folder->Inside("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (folder->lock_ < 0) return Fail(SystemError("open " + folder->Inside("lock"), errno));
  if (flock(folder->lock_, LOCK_EX | LOCK_NB) != 0) {
    return Fail(Code::kUnavailable,
                fmt::format("the data folder {} is in use by another weft process", path));
  }
  TRY(folder->CheckVersion());
  TRY(folder->LoadMasterKey(random));
  if (what == OpenFor::kUse && disk.Open(folder->Inside(kNextKey), OpenMode::kRead).ok()) {
    return Fail(Code::kConflict,
                "the change of the master key was broken off\nfix: weft admin rotate-master-key");
  }
  return folder;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) close(lock_);
}

Status DataFolder::CheckVersion() {
  auto text = ReadFile(disk_, Inside("version"));
  if (!text.ok() && text.error().code() == Code::kNotFound) {
    auto entries = TRY(disk_.List(path_));
    for (const auto& entry : entries) {
      if (entry.name != "lock") {
        return Fail(Code::kConflict,
                    fmt::format("{} is not a data folder of Weft: it holds '{}' and no 'version'",
                                path_, entry.name));
      }
    }
    return WriteFile(disk_, Inside("version"), fmt::format("weft {}\n", kVersion));
  }
  if (!text.ok()) return Fail(text.error());
  int version = 0;
  if (std::sscanf(text->c_str(), "weft %d", &version) != 1 || version < 1) {
    return Fail(Code::kCorrupt, fmt::format("{}: not a version: {}", Inside("version"), *text));
  }
  if (version > kVersion) {
    return Fail(
        Code::kNotOffered,
        fmt::format(
            "the data folder {} was written by a newer Weft (format {}; this one reads up to {})",
            path_, version, kVersion));
  }
  return {};
}

Result<Bytes> DataFolder::ReadMasterKey(const std::string& file) const {
  auto text = TRY(ReadFile(disk_, file));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto key = codec::HexDecode(text);
  if (key.ok() && key->size() == 32) return key;
  return Fail(Code::kCorrupt, fmt::format("{}: not a master key (64 hex digits)", file));
}

Status DataFolder::LoadMasterKey(Random& random) {
  const std::string file = Inside("master.key");
  auto key = ReadMasterKey(file);
  if (key.ok()) {
    master_key_ = std::move(*key);
    return {};
  }
  if (key.error().code() != Code::kNotFound) return Fail(key.error());
  // A database without its key must not get a fresh one: every secret in it would be lost.
  if (disk_.Open(Inside("meta.sqlite"), OpenMode::kRead).ok()) {
    return Fail(Code::kCorrupt, fmt::format("{} is missing; put it back from a backup", file));
  }
  master_key_ = random.NextBytes(32);
  return WriteFile(disk_, file, codec::HexEncode(master_key_) + "\n");
}

Status DataFolder::ChangeMasterKey(Random& random,
                                   const std::function<Status(const Bytes& master_key)>& reseal) {
  const std::string next_file = Inside(kNextKey);
  auto next = ReadMasterKey(next_file);
  if (!next.ok()) {
    if (next.error().code() != Code::kNotFound) return Fail(next.error());
    next = random.NextBytes(32);
    TRY(WriteFile(disk_, next_file, codec::HexEncode(*next) + "\n"));
  }
  TRY(reseal(*next));
  TRY(disk_.Rename(next_file, Inside("master.key")));
  TRY(disk_.SyncFolder(path_));
  master_key_ = std::move(*next);
  return {};
}

Status DataFolder::WriteClient(const std::string& endpoint, const std::string& access_key_id,
                               const std::string& secret, const std::string& region) {
  // A key made while the server is stopped leaves the last address standing.
  std::string address = endpoint;
  if (auto before = ReadFile(disk_, Inside("client.json")); address.empty() && before.ok()) {
    json old = json::parse(*before, nullptr, false);
    if (old.is_object()) address = old.value("endpoint", "");
  }
  json client = {{"endpoint", address},
                 {"access_key_id", access_key_id},
                 {"secret_access_key", secret},
                 {"region", region}};
  return WriteFile(disk_, Inside("client.json"), client.dump(2) + "\n");
}

Result<std::optional<DataFolder::AdminKey>> DataFolder::ReadAdminKey() const {
  auto text = ReadFile(disk_, Inside("client.json"));
  if (!text.ok() && text.error().code() == Code::kNotFound) return std::optional<AdminKey>();
  if (!text.ok()) return Fail(text.error());
  json client = json::parse(*text, nullptr, false);
  if (!client.is_object()) return Fail(Code::kCorrupt, Inside("client.json") + " is not JSON");
  return std::optional<AdminKey>(
      AdminKey{client.value("access_key_id", ""), client.value("secret_access_key", "")});
}

}  // namespace weft::app
