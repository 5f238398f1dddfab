// SPDX-License-Identifier: Apache-2.0
#include "app/settings.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <functional>

#include "base/disk.h"
#include "base/nearest.h"
#include "base/units.h"

extern "C" char** environ;

namespace weft::app {
namespace {

using Setter = std::function<Status(Settings&, const std::string&)>;

struct Entry {
  SettingInfo info;
  Setter set;
};

Setter Text(std::string Settings::*member) {
  return [member](Settings& settings, const std::string& text) -> Status {
    settings.*member = text;
    return {};
  };
}

Setter Flag(bool Settings::*member) {
  return [member](Settings& settings, const std::string& text) -> Status {
    if (text != "true" && text != "false") return Fail(Code::kInvalid, "is true or false");
    settings.*member = text == "true";
    return {};
  };
}

Result<int> ReadCount(const std::string& text, int least, int most) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return Fail(Code::kInvalid, fmt::format("is a whole number from {} to {}", least, most));
  }
  return value;
}

Setter Count(int Settings::*member, int least, int most) {
  return [=](Settings& settings, const std::string& text) -> Status {
    settings.*member = TRY(ReadCount(text, least, most));
    return {};
  };
}

Setter Size(int64_t Settings::*member, int64_t least) {
  return [=](Settings& settings, const std::string& text) -> Status {
    int64_t bytes = TRY(ParseSize(text));
    if (bytes < least) return Fail(Code::kInvalid, "is at least " + FormatSize(least));
    settings.*member = bytes;
    return {};
  };
}

Setter Duration(milliseconds Settings::*member, milliseconds least) {
  return [=](Settings& settings, const std::string& text) -> Status {
    milliseconds duration = TRY(ParseDuration(text));
    if (duration < least) return Fail(Code::kInvalid, "is at least " + FormatDuration(least));
    settings.*member = duration;
    return {};
  };
}

Status SetListen(Settings& settings, const std::string& text) {
  size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return Fail(Code::kInvalid, "is HOST:PORT, such as 127.0.0.1:4566");
  }
  settings.listen_host = text.substr(0, colon);
  if (settings.listen_host.front() == '[' && settings.listen_host.back() == ']') {
    settings.listen_host = settings.listen_host.substr(1, settings.listen_host.size() - 2);
  }
  settings.listen_port = TRY(ReadCount(text.substr(colon + 1), 0, 65'535));
  return {};
}

Status SetLogLevel(Settings& settings, const std::string& text) {
  settings.log_level = TRY(ParseLogLevel(text));
  return {};
}

Status SetLogFormat(Settings& settings, const std::string& text) {
  settings.log_format = TRY(ParseLogFormat(text));
  return {};
}

Status SetCallRates(Settings& settings, const std::string& text) {
  if (text != "aws" && text != "off") return Fail(Code::kInvalid, "is aws or off");
  settings.streams_call_rates = text == "aws";
  return {};
}

Status SetBucket(Settings& settings, const std::string& text) {
  bool plain = text.size() >= 3 && text.size() <= 63;
  for (char c : text)
    plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  if (!plain) return Fail(Code::kInvalid, "is 3 to 63 of a-z, 0-9 and -");
  settings.objects_bucket = text;
  return {};
}

const std::vector<Entry>& Table() {
  using S = Settings;
  constexpr int64_t kMiB = int64_t{1} << 20;
  static const std::vector<Entry> table = {
      {{"data", "./weft-data", "folder for everything the server keeps"}, Text(&S::data_folder)},
      {{"region", "us-east-1", "the region in the names the server makes"}, Text(&S::region)},
      {{"listen", "127.0.0.1:4566", "address to listen on; port 0 takes a free one"}, SetListen},
      {{"server.tls_certificate", "", "PEM file; with server.tls_key every connection is TLS"},
       Text(&S::tls_certificate)},
      {{"server.tls_key", "", "PEM file of the certificate's key"}, Text(&S::tls_key)},
      {{"server.plain_beyond_loopback", "false",
        "listen without TLS on an address other machines reach"},
       Flag(&S::plain_beyond_loopback)},
      {{"server.io_threads", "2",
        "threads that read and write connections; each stays on one processor where there are no "
        "more of those"},
       Count(&S::io_threads, 1, 256)},
      {{"server.request_threads", "8", "threads that work on requests"},
       Count(&S::request_threads, 1, 1024)},
      {{"server.connections_max", "10000", "connections at once"},
       Count(&S::connections_max, 1, 1'000'000)},
      {{"server.body_bytes_max", "64 MiB", "largest request body, also unpacked"},
       Size(&S::body_bytes_max, kMiB)},
      {{"server.stop_grace", "10 s", "time that requests have to end when the server stops"},
       Duration(&S::stop_grace, milliseconds(0))},
      {{"log.level", "info", "debug, info, warning or error"}, SetLogLevel},
      {{"log.format", "text", "text or json, on stderr"}, SetLogFormat},
      {{"journal.segment_bytes", "64 MiB", "size of a file of the record log"},
       Size(&S::journal_segment_bytes, kMiB)},
      {{"journal.pending_bytes_max", "128 MiB",
        "records waiting for the disk before publishing is throttled"},
       Size(&S::journal_pending_bytes_max, kMiB)},
      {{"journal.free_bytes_min", "64 MiB", "free space below which publishing is refused"},
       Size(&S::journal_free_bytes_min, 0)},
      {{"journal.encrypt", "false",
        "keep every record encrypted on disk (AES-256-GCM), by keys that the data folder's master "
        "key wraps"},
       Flag(&S::journal_encrypt)},
      {{"journal.data_key_age_max", "30 d", "a new key for the records when the last one is older"},
       Duration(&S::journal_data_key_age_max, std::chrono::hours(1))},
      {{"streams.shards_max", "1000", "open shards of all streams of an account"},
       Count(&S::streams_shards_max, 1, 10'000)},
      {{"streams.on_demand_shards_max", "32", "open shards that load alone gives a stream"},
       Count(&S::streams_on_demand_shards_max, 1, 1'000)},
      {{"streams.on_demand_streams_max", "50", "on-demand streams of an account, made by calls"},
       Count(&S::streams_on_demand_streams_max, 1, 10'000)},
      {{"streams.call_rates", "off",
        "aws: Kinesis operations are called no more often than AWS allows"},
       SetCallRates},
      {{"ingest.idempotency_keys_max", "2000000",
        "Idempotency-Keys kept for 24 h; more are answered 429"},
       Count(&S::ingest_idempotency_keys_max, 1, 100'000'000)},
      {{"objects.bucket", "weft", "the bucket of the tables' files"}, SetBucket},
      {{"objects.free_bytes_min", "32 MiB", "free space below which no object is written"},
       Size(&S::objects_free_bytes_min, 0)},
      {{"query.workers", "2", "processes for users' SQL: as many statements run at once"},
       Count(&S::query_workers, 1, 64)},
      {{"query.threads", "2", "threads of each of them"}, Count(&S::query_threads, 1, 256)},
      {{"query.queue_max", "64", "statements that may wait"},
       Count(&S::query_queue_max, 1, 100'000)},
      {{"query.time_max", "60 s", "time a statement has"},
       Duration(&S::query_time_max, milliseconds(100))},
      {{"query.memory_max", "2 GiB", "memory of a statement's process, whole"},
       Size(&S::query_memory_bytes_max, 256 * kMiB)},
      {{"tail.bytes_max", "256 MiB",
        "columns of undelivered records in memory before delivery comes early"},
       Size(&S::tail_bytes_max, kMiB)},
      {{"tail.refuse_bytes", "1 GiB",
        "columns of undelivered records past which queries wait for delivery"},
       Size(&S::tail_refuse_bytes, kMiB)},
      {{"upkeep.interval", "60 s", "how often tables are merged, expired and cleaned"},
       Duration(&S::upkeep_interval, milliseconds(100))},
      {{"upkeep.small_files_min", "8", "small files of a partition before they are merged"},
       Count(&S::upkeep_small_files_min, 2, 10'000)},
      {{"upkeep.merge_target", "128 MiB", "size of merged files; those below half of it are small"},
       Size(&S::upkeep_merge_target_bytes, kMiB)},
      {{"upkeep.snapshot_age_max", "5d", "age at which a snapshot expires"},
       Duration(&S::upkeep_snapshot_age_max, milliseconds(0))},
      {{"upkeep.snapshots_min", "10", "snapshots kept whatever their age"},
       Count(&S::upkeep_snapshots_min, 1, 100'000)},
      {{"upkeep.metadata_files_max", "100", "older metadata files kept of a table"},
       Count(&S::upkeep_metadata_files_max, 1, 100'000)},
      {{"upkeep.orphan_age_min", "3d", "age at which a file that no snapshot has is removed"},
       Duration(&S::upkeep_orphan_age_min, milliseconds(60'000))},
      {{"metrics.open", "true", "/metrics without a token, while listening on loopback"},
       Flag(&S::metrics_open)},
      {{"metrics.token", "", "bearer token that /metrics takes"}, Text(&S::metrics_token)},
  };
  return table;
}

const Entry* FindEntry(std::string_view name) {
  for (const Entry& entry : Table()) {
    if (entry.info.name == name) return &entry;
  }
  return nullptr;
}

Status Set(Settings& settings, const Entry& entry, const std::string& text,
           const std::string& where) {
  Status status = entry.set(settings, text);
  if (status.ok()) return {};
  return Fail(Code::kInvalid, fmt::format("{}: {} {}; it is '{}'", where, entry.info.name,
                                          status.error().message(), text));
}

Status UnknownKey(const std::string& file, int line, const std::string& name) {
  std::vector<std::string> known;
  for (const Entry& entry : Table()) known.push_back(entry.info.name);
  std::string near = Nearest(name, known);
  return Fail(Code::kInvalid,
              fmt::format("{}:{}: unknown setting '{}'{}", file, line, name,
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Status ReadNode(Settings& settings, const std::string& file, const std::string& prefix,
                const YAML::Node& node) {
  for (const auto& member : node) {
    const std::string name = prefix + member.first.as<std::string>();
    const int line = member.first.Mark().line + 1;
    if (member.second.IsMap()) {
      TRY(ReadNode(settings, file, name + ".", member.second));
      continue;
    }
    const Entry* entry = FindEntry(name);
    if (entry == nullptr) return UnknownKey(file, line, name);
    if (!member.second.IsScalar()) {
      return Fail(Code::kInvalid, fmt::format("{}:{}: {} is one value", file, line, name));
    }
    TRY(Set(settings, *entry, member.second.Scalar(), fmt::format("{}:{}", file, line)));
  }
  return {};
}

Status ReadFileInto(Settings& settings, const std::string& file) {
  const Bytes text = TRY(ReadFile(SystemDisk(), file));
  try {
    YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return {};
    if (!root.IsMap()) return Fail(Code::kInvalid, file + ": is not a map of settings");
    return ReadNode(settings, file, "", root);
  } catch (const YAML::Exception& error) {
    return Fail(Code::kInvalid, fmt::format("{}:{}: {}", file, error.mark.line + 1, error.msg));
  }
}

}  // namespace

std::string SettingInfo::flag() const {
  std::string text = "--" + name;
  std::replace(text.begin() + 2, text.end(), '.', '-');
  std::replace(text.begin() + 2, text.end(), '_', '-');
  return text;
}

std::string SettingInfo::environment() const {
  std::string text = "WEFT_";
  for (char c : name)
    text += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return text;
}

const std::vector<SettingInfo>& AllSettings() {
  static const std::vector<SettingInfo> all = [] {
    std::vector<SettingInfo> list;
    for (const Entry& entry : Table()) list.push_back(entry.info);
    return list;
  }();
  return all;
}

Result<ReadSettings> Read(const SettingSources& sources) {
  ReadSettings read;
  if (!sources.file.empty()) TRY(ReadFileInto(read.settings, sources.file));
  for (const auto& [name, text] : sources.environment) {
    const Entry* found = nullptr;
    for (const Entry& entry : Table()) {
      if (entry.info.environment() == name) found = &entry;
    }
    if (found == nullptr) {
      read.warnings.push_back(fmt::format("unknown variable {}", name));
      continue;
    }
    TRY(Set(read.settings, *found, text, name));
  }
  for (const auto& [name, text] : sources.flags) {
    const Entry* entry = FindEntry(name);
    if (entry == nullptr) return Fail(Code::kInvalid, "unknown setting " + name);
    TRY(Set(read.settings, *entry, text, entry->info.flag()));
  }
  if (read.settings.tls_certificate.empty() != read.settings.tls_key.empty()) {
    return Fail(Code::kInvalid,
                "server.tls_certificate and server.tls_key go together; one is missing");
  }
  return read;
}

std::map<std::string, std::string> WeftEnvironment() {
  std::map<std::string, std::string> found;
  for (char** at = environ; *at != nullptr; ++at) {
    std::string_view item = *at;
    size_t equals = item.find('=');
    if (!item.starts_with("WEFT_") || equals == std::string_view::npos) continue;
    found.emplace(item.substr(0, equals), item.substr(equals + 1));
  }
  return found;
}

}  // namespace weft::app
