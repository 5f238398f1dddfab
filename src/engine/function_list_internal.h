// SPDX-License-Identifier: Apache-2.0
// Which of DuckDB's functions users' SQL may call. Everything on neither list is refused too; the
// second list is there so that a test can tell a function that was judged from one that a new
// version brought.
#pragma once

#include <string>
#include <vector>

namespace weft::engine {

bool FunctionAllowed(
    const std::string& name);  // scalar, aggregate, window functions and macros; lower case
bool TableFunctionAllowed(const std::string& name);  // in FROM
bool FunctionRefused(const std::string& name);       // judged, and refused

std::vector<std::string> AllowedFunctions();  // all three kinds, in order

}  // namespace weft::engine
