// SPDX-License-Identifier: Apache-2.0
// What a thread asks of the scheduler. All of it is for the calling thread, needs no privilege, and
// is a request only: where the kernel refuses, the thread runs as it did.
#pragma once

#include <string>

namespace weft {

// The name shown by tools of the system; its first 15 octets.
void NameThread(const std::string& name);

// For a thread that works in short bursts and that many others wait for: it is run soon after it
// wakes, also beside busy threads (Linux 6.12 and later). It gets no more time than before.
void AskToRunSoon();

// For thread `number` (from 0) of `threads` that share the work of a server: where the process has
// no more processors than that, each of them stays on one from now on. The scheduler else puts two
// of them on one processor for milliseconds on end, as soon as the other is idle for a moment
// between threads of short bursts. With processors to spare they stay free.
void StayOnOwnProcessor(int number, int threads);

}  // namespace weft
