// SPDX-License-Identifier: Apache-2.0
// The command line. Everything is an ordinary signed HTTP client, but `serve` and `admin`, which
// are handed in, since they are the server, and `log`, which looks at a stopped server's folder.
// docs/cli.md is the reference.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace weft::cli {

struct ServerFlag {
  std::string name;  // of the setting: "query.time_max"
  std::string flag;  // "--query-time-max"
  std::string default_text, help;
};

struct ServerCommands {
  std::vector<ServerFlag> flags;
  // Settings by name as given on the command line, and the configuration file or "". Returns the
  // exit status.
  std::function<int(const std::map<std::string, std::string>& settings, const std::string& file)>
      serve;
  std::function<int(const std::string&data_folder, bool json)> reset_key, rotate_master_key;
};

// Runs one command. Exit status: 0 done, 1 refused or failed, 2 wrong usage. Results go to stdout,
// everything else to stderr.
int Run(int argc, char** argv, const ServerCommands& server);

}  // namespace weft::cli
