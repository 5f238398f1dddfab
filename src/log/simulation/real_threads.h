// SPDX-License-Identifier: Apache-2.0
// The C library's own functions behind the names that interposed.cc takes.
#pragma once

#include <pthread.h>

namespace weft::log::real {

int TryLock(pthread_mutex_t* mutex);
int Unlock(pthread_mutex_t* mutex);

}  // namespace weft::log::real
