// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weft {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// Structured lines on stderr, one a call: time, level, module, message, then the fields. Secrets
// and record contents are never given to it. Quiet below kWarning until StartLogging is called.
void StartLogging(LogLevel level, LogFormat format);

// Whether a line of that level would be written: for callers whose fields cost something.
bool WouldLog(LogLevel level);

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;
void Log(LogLevel level, std::string_view module, std::string_view message, LogFields fields = {});

Result<LogLevel> ParseLogLevel(std::string_view text);    // debug, info, warning, error
Result<LogFormat> ParseLogFormat(std::string_view text);  // text, json

}  // namespace weft
