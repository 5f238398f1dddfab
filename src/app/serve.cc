// SPDX-License-Identifier: Apache-2.0
#include "app/serve.h"

#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/node.h"
#include "app/settings.h"
#include "base/logging.h"

namespace weft::app {
namespace {

int Refuse(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.message().c_str());
  return 1;
}

Result<Settings> SettingsOf(const std::map<std::string, std::string>& flags,
                            const std::string& file) {
  auto environment = WeftEnvironment();
  environment.erase("WEFT_CONFIG");
  auto read = TRY(Read({.file = file, .environment = environment, .flags = flags}));
  for (const auto& warning : read.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  return read.settings;
}

int Serve(const std::map<std::string, std::string>& flags, const std::string& file) {
  auto settings = SettingsOf(flags, file);
  if (!settings.ok()) {
    // Of the words of the command itself: wrong usage.
    const bool usage = settings.error().message().starts_with("--");
    (void)Refuse(settings.error());
    return usage ? 2 : 1;
  }
  StartLogging(settings->log_level, settings->log_format);

  // Blocked before any thread starts, so that only sigwait below gets them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  auto node = Node::Start(*settings);
  if (!node.ok()) return Refuse(node.error());
  if (!(*node)->first_key().empty()) {
    std::fprintf(stderr,
                 "administrator's access key, shown this once (and kept in %s/client.json):\n%s\n",
                 settings->data_folder.c_str(), (*node)->first_key().c_str());
  }
  std::printf("weft is ready at %s\n", (*node)->endpoint().c_str());
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  Log(LogLevel::kInfo, "app", "stopping", {{"signal", std::to_string(signal)}});
  // A second signal ends the process at once.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  (*node)->Stop();
  return 0;
}

int ResetKey(const std::string& data_folder, bool json) {
  Settings settings;
  settings.data_folder = data_folder;
  auto key = ResetAdministratorKey(settings);
  if (!key.ok()) return Refuse(key.error());
  if (json) {
    nlohmann::json body = {{"access_key_id", key->access_key_id},
                           {"secret_access_key", key->secret}};
    std::printf("%s\n", body.dump().c_str());
  } else {
    std::printf("export AWS_ACCESS_KEY_ID='%s'\nexport AWS_SECRET_ACCESS_KEY='%s'\n",
                key->access_key_id.c_str(), key->secret.c_str());
  }
  return 0;
}

int RotateKey(const std::string& data_folder, bool json) {
  Settings settings;
  settings.data_folder = data_folder;
  Status rotated = RotateMasterKey(settings);
  if (!rotated.ok()) return Refuse(rotated.error());
  std::printf("%s\n", json ? R"({"rotated":true})"
                           : "the master key was changed; back up master.key with meta.sqlite");
  return 0;
}

}  // namespace

cli::ServerCommands MakeServerCommands() {
  cli::ServerCommands commands;
  for (const auto& setting : AllSettings()) {
    commands.flags.push_back({setting.name, setting.flag(), setting.default_text, setting.help});
  }
  commands.serve = Serve;
  commands.reset_key = ResetKey;
  commands.rotate_master_key = RotateKey;
  return commands;
}

}  // namespace weft::app
