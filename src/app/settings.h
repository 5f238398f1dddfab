// SPDX-License-Identifier: Apache-2.0
// The settings of `weft serve`: one table of names, defaults and meanings, from which the YAML
// file, the flags
// (--SECTION-KEY) and the environment (WEFT_SECTION_KEY) are all read. docs/settings.md is made
// from it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/logging.h"
#include "base/result.h"

namespace weft::app {

struct Settings {
  std::string data_folder = "./weft-data";
  std::string region = "us-east-1";

  std::string listen_host = "127.0.0.1";
  int listen_port = 4566;
  std::string tls_certificate, tls_key;
  bool plain_beyond_loopback = false;
  int io_threads = 2, request_threads = 8, connections_max = 10'000;
  int64_t body_bytes_max = int64_t{64} << 20;
  milliseconds stop_grace{10'000};

  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;

  int64_t journal_segment_bytes = int64_t{64} << 20;
  int64_t journal_pending_bytes_max = int64_t{128} << 20;
  int64_t journal_free_bytes_min = int64_t{64} << 20;

  bool journal_encrypt = false;
  milliseconds journal_data_key_age_max{std::chrono::hours(24 * 30)};

  int streams_shards_max = 1'000, streams_on_demand_shards_max = 32;
  int streams_on_demand_streams_max = 50;
  bool streams_call_rates = false;  // as AWS has them
  int ingest_idempotency_keys_max = 2'000'000;

  std::string objects_bucket = "weft";
  int64_t objects_free_bytes_min = int64_t{32} << 20;

  int query_workers = 2, query_threads = 2, query_queue_max = 64;
  milliseconds query_time_max{60'000};
  int64_t query_memory_bytes_max = int64_t{2} << 30;

  int64_t tail_bytes_max = int64_t{256} << 20;
  int64_t tail_refuse_bytes = int64_t{1} << 30;

  milliseconds upkeep_interval{60'000};
  int upkeep_small_files_min = 8;
  int64_t upkeep_merge_target_bytes = int64_t{128} << 20;
  milliseconds upkeep_snapshot_age_max{std::chrono::hours(24 * 5)};
  int upkeep_snapshots_min = 10, upkeep_metadata_files_max = 100;
  milliseconds upkeep_orphan_age_min{std::chrono::hours(24 * 3)};

  bool metrics_open = true;
  std::string metrics_token;

  friend bool operator==(const Settings&, const Settings&) = default;
};

// One setting as a user sees it.
struct SettingInfo {
  std::string name;  // "query.time_max"
  std::string default_text;
  std::string help;
  std::string flag() const;         // "--query-time-max"
  std::string environment() const;  // "WEFT_QUERY_TIME_MAX"
};
const std::vector<SettingInfo>& AllSettings();

// Where values come from; a later source wins: file, environment, flags.
struct SettingSources {
  std::string file;                                // a YAML file, "" = none
  std::map<std::string, std::string> environment;  // WEFT_… and their values
  std::map<std::string, std::string> flags;        // name ("query.time_max") to text
};
struct ReadSettings {
  Settings settings;
  std::vector<std::string> warnings;  // unknown WEFT_ names
};
// kInvalid names the setting, where it was set and what is wrong; an unknown key of the file too,
// with its line and the nearest known one.
Result<ReadSettings> Read(const SettingSources& sources);

// Every WEFT_ variable of this process.
std::map<std::string, std::string> WeftEnvironment();

}  // namespace weft::app
