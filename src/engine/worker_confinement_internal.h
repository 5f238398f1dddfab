// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft::engine {

// Gives up, for good, what a worker never needs: other open files than `kept`, new privileges, core
// dumps, priority, sockets, and starting programs. Best effort: what the kernel does not offer is
// passed over.
void ConfineProcess(int kept);

// Bounds this process's private memory by the kernel.
void BoundMemory(int64_t bytes);

// Ends this process when the other end of the connection is closed, whatever the main thread does.
void EndWithConnection(int descriptor);

}  // namespace weft::engine
