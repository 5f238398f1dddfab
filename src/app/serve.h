// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/cli.h"

namespace weft::app {

// `weft serve` and `weft admin`: the commands that are the server rather than a client of it.
cli::ServerCommands MakeServerCommands();

}  // namespace weft::app
