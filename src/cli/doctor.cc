// SPDX-License-Identifier: Apache-2.0
// doctor: looks at this machine and the data folder the way the server will need them.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/disk.h"
#include "base/units.h"
#include "cli/commands.h"

namespace weft::cli {
namespace {

using nlohmann::json;

struct Finding {
  std::string check;
  bool pass = false;
  std::string found, fix;
};

Finding CheckSync(Disk& disk, const std::string& folder) {
  constexpr int kRounds = 20;
  Finding finding{.check = "fsync time",
                  .pass = false,
                  .found = "",
                  .fix = "put the data folder on a faster disk"};
  const std::string path = folder + "/.doctor." + std::to_string(getpid());
  std::vector<int64_t> took;
  auto measure = [&]() -> Status {
    auto file = TRY(disk.Open(path, OpenMode::kCreateNew));
    for (int i = 0; i < kRounds; ++i) {
      auto start = SystemClock().Elapsed();
      TRY(file->WriteAt(i * 4096, Bytes(4096, 'w')));
      TRY(file->Sync());
      took.push_back((SystemClock().Elapsed() - start).count());
    }
    return {};
  };
  Status measured = measure();
  (void)disk.Remove(path).ok();
  if (!measured.ok()) {
    finding.found = measured.error().message();
    finding.fix = "make the data folder writable, with space left";
    return finding;
  }
  std::sort(took.begin(), took.end());
  finding.pass = took[kRounds / 2] <= 20'000;
  finding.found = fmt::format("median {} µs, slowest {} µs", took[kRounds / 2], took.back());
  return finding;
}

Finding CheckSpace(Disk& disk, const std::string& folder) {
  constexpr int64_t kLeast = int64_t{1} << 30;
  Finding finding{.check = "free space",
                  .pass = false,
                  .found = "",
                  .fix = "free at least 1 GiB, or move the data folder"};
  auto free = disk.FreeBytes(folder);
  finding.pass = free.ok() && *free >= kLeast;
  finding.found = free.ok() ? FormatSize(*free) : free.error().message();
  return finding;
}

Finding CheckPermissions(const std::string& folder) {
  Finding finding{
      .check = "permissions", .pass = true, .found = "the folder is its owner's alone", .fix = ""};
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0) {
    return {.check = "permissions",
            .pass = false,
            .found = "the folder cannot be read",
            .fix = "run as its owner"};
  }
  if ((status.st_mode & 077) != 0) {
    finding = {
        .check = "permissions",
        .pass = false,
        .found = fmt::format("others may enter the folder (mode {:o})", status.st_mode & 0777),
        .fix = fmt::format("chmod 700 {}", folder)};
  }
  for (const char* name : {"/client.json", "/master.key", "/meta.sqlite"}) {
    if (stat((folder + name).c_str(), &status) == 0 && (status.st_mode & 077) != 0 &&
        finding.pass) {
      finding = {.check = "permissions",
                 .pass = false,
                 .found = fmt::format("others may read {}{}", folder, name),
                 .fix = fmt::format("chmod 600 {}{}", folder, name)};
    }
  }
  return finding;
}

bool PortIsFree(int port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  int on = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bool free = bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return free;
}

Finding CheckPort(const std::string& endpoint) {
  http::Client::Options options;
  options.endpoint = endpoint.empty() ? "http://127.0.0.1:4566" : endpoint;
  options.connect_time_max = seconds(2);
  options.stall_time_max = seconds(5);
  Finding finding{.check = "port", .pass = true, .found = "", .fix = ""};
  auto client = http::Client::Open(options);
  http::Request request;
  request.method = "GET";
  request.path = "/healthz";
  auto answer =
      client.ok() ? (*client)->Send(request) : Result<http::Response>(Fail(client.error()));
  if (answer.ok() && answer->body.find("\"version\"") != std::string::npos) {
    finding.found = "a Weft server answers at " + options.endpoint;
    return finding;
  }
  const int port = std::atoi(options.endpoint.substr(options.endpoint.rfind(':') + 1).c_str());
  if (!answer.ok() && port > 0 && PortIsFree(port)) {
    finding.found = fmt::format("{} is free; no server runs", options.endpoint);
    return finding;
  }
  return {.check = "port",
          .pass = false,
          .found = fmt::format("something else holds {}", options.endpoint),
          .fix = "stop it, or start the server with --listen 127.0.0.1:PORT"};
}

Finding CheckClock() {
  // What this binary was built from cannot be younger than now; signatures fail when the clock is
  // far off.
  const Timestamp least = std::chrono::sys_days(std::chrono::year(2025) / 1 / 1);
  const Timestamp now = SystemClock().Now();
  return {.check = "clock",
          .pass = now > least,
          .found = FormatTimestamp(now),
          .fix = now > least
                     ? ""
                     : "set the machine's clock; signatures allow 15 minutes of difference"};
}

}  // namespace

Status Doctor(const Context& context) {
  const std::string folder = DataFolderOf(context.data_folder);
  Disk& disk = SystemDisk();
  const bool there = disk.List(folder).ok();
  const std::string measured = there ? folder : FolderOf(folder);
  std::vector<Finding> findings = {CheckSync(disk, measured), CheckSpace(disk, measured)};
  if (there) findings.push_back(CheckPermissions(folder));
  auto client = ReadClientFile(folder);
  findings.push_back(CheckPort(client.ok() ? client->endpoint : ""));
  findings.push_back(CheckClock());

  int failed = 0;
  json list = json::array();
  std::string lines;
  for (const auto& finding : findings) {
    failed += finding.pass ? 0 : 1;
    list.push_back({{"check", finding.check},
                    {"pass", finding.pass},
                    {"found", finding.found},
                    {"fix", finding.fix}});
    lines +=
        fmt::format("{}  {}: {}\n", finding.pass ? "pass" : "FAIL", finding.check, finding.found);
    if (!finding.pass) lines += fmt::format("      fix: {}\n", finding.fix);
  }
  if (failed == 0 || !context.output.json) {
    context.output.Result(context.output.json ? json{{"checks", list}}.dump() : lines);
  }
  if (failed == 0) return {};
  return Fail(Code::kUnavailable,
              context.output.json ? json{{"checks", list}}.dump()
                                  : fmt::format("{} of {} checks failed", failed, findings.size()));
}

}  // namespace weft::cli
