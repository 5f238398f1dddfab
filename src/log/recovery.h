// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "log/journal_state.h"

namespace weft::log {

// Reads the folder and puts in order what a crash left: docs/formats/journal.md, "Recovery". On
// return everything in the state is durable. The folder exists and nobody else has it.
Result<JournalState> RecoverJournal(const std::string& folder, Disk& disk);

}  // namespace weft::log
