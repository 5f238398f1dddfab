// SPDX-License-Identifier: Apache-2.0
#include "cli/upload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/disk.h"
#include "base/random.h"
#include "codec/hash.h"

namespace weft::cli {
namespace {

// Less than the time for which the server keeps its answers, by what clocks may differ.
constexpr int64_t kSecondsMax = 23 * 3600;
constexpr int kIdDigits = 32;

// "" where there is none.
std::string UploadsFolder() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/weft/uploads";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/state/weft/uploads" : "";
}

}  // namespace

struct Upload::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (descriptor >= 0) close(descriptor);
  }

  // Opens the file and keeps it for this process. False where that cannot be.
  bool Hold(const std::string& file) {
    path = file;
    descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat held {
    }, named{};
    // Whoever finished meanwhile has removed the file that was opened here.
    return descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
           fstat(descriptor, &held) == 0 && stat(path.c_str(), &named) == 0 &&
           held.st_ino == named.st_ino;
  }

  // What the file says; false when it says nothing that can be used.
  bool Load() {
    auto text = ReadFile(SystemDisk(), path);
    if (!text.ok() || text->empty() || text->back() != '\n') return false;
    char name[kIdDigits + 1];
    long long seconds = 0;
    if (std::sscanf(text->c_str(), "%32[0-9a-f] %lld\n", name, &seconds) != 2) return false;
    id = name;
    begun = seconds;
    continues = id.size() == kIdDigits;
    return continues;
  }

  void Begin() {
    id = codec::HexEncode(SystemRandom().NextBytes(kIdDigits / 2));
    begun = std::time(nullptr);
    if (descriptor < 0) return;
    const std::string line = fmt::format("{} {}\n", id, begun);
    // A file that cannot be written costs only the chance to go on.
    if (ftruncate(descriptor, 0) != 0 ||
        pwrite(descriptor, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) {
      Remove();
    }
  }

  void Remove() {
    if (descriptor < 0) return;
    unlink(path.c_str());
    close(descriptor);
    descriptor = -1;
  }

  std::string id, path;
  int64_t begun = 0;
  int descriptor = -1;
  bool continues = false;
};

Upload::Upload(std::unique_ptr<State> state) : state_(std::move(state)) {}
Upload::Upload(Upload&&) noexcept = default;
Upload::~Upload() = default;

Upload Upload::Unnamed() {
  auto state = std::make_unique<State>();
  state->Begin();
  return Upload(std::move(state));
}

Result<Upload> Upload::Open(const std::string& what, bool restart) {
  const std::string folder = UploadsFolder();
  if (folder.empty() || !SystemDisk().MakeFolders(folder).ok()) return Unnamed();
  auto state = std::make_unique<State>();
  if (!state->Hold(folder + "/" + codec::Sha256Hex(what))) return Unnamed();
  if (restart || !state->Load()) {
    state->continues = false;
    state->Begin();
  } else if (std::time(nullptr) - state->begun > kSecondsMax) {
    return Fail(
        Code::kConflict,
        "this upload was broken off more than 23 hours ago: which of its records were taken "
        "can no longer be told; `--restart` sends all of them");
  }
  return Upload(std::move(state));
}

bool Upload::continues() const { return state_->continues; }

bool Upload::kept() const { return state_->descriptor >= 0; }

std::string Upload::KeyOf(int64_t part) const { return fmt::format("put-{}-{}", state_->id, part); }

void Upload::Finish() { state_->Remove(); }

}  // namespace weft::cli
