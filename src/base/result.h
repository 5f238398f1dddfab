// SPDX-License-Identifier: Apache-2.0
// How a call says that it failed. Whatever can fail for a reason outside the program returns a
// Result<T> (or Status, which carries no value); the class is [[nodiscard]], so a failure cannot be
// dropped by accident. Bugs are CHECKed instead (base/check.h).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace weft {

// What the caller can do next; a front end maps each to one status of its protocol.
enum class Code {
  kInvalid,          // the request is wrong in itself: mend it
  kNotFound,         // what it names does not exist
  kExists,           // what it would make exists already
  kConflict,         // the state moved on: read again, then retry
  kDenied,           // known, but may not
  kUnauthenticated,  // who calls is not known
  kThrottled,        // a limit was reached: retry later, more slowly
  kUnavailable,      // cannot answer at present: retry later
  kNotOffered,       // a known feature that Weft does not have
  kCorrupt,          // stored bytes are not what was written
  kInternal,         // a defect or an unforeseen failure; the text is not for clients
};

std::string_view CodeName(Code code);

class Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error with where it happened in front: "context: message".
  Error In(std::string_view context) const;

 private:
  Code code_;
  std::string message_;
};

// Use ok(), *, ->, error() and TRY. The base's and_then() and map() return the base type, which is
// not [[nodiscard]]: do not use them.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  bool ok() const { return this->has_value(); }
};

using Status = Result<void>;

inline tl::unexpected<Error> Fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error(code, std::move(message)));
}
inline tl::unexpected<Error> Fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// The failure for a system call that left `error_number` in errno: a full disk is kUnavailable, a
// missing file kNotFound, a forbidden one kDenied, anything else kInternal.
Error SystemError(std::string_view what, int error_number);

}  // namespace weft

// Passes a failure up, or yields the value: `auto rows = TRY(db.Query(sql));`. The value is moved
// out: bind it to a value, never to a view.
#define TRY(expression) WEFT_TRY_AS(WEFT_TRY_NAME(weft_result_, __COUNTER__), expression)
#define WEFT_TRY_JOIN(a, b) a##b
#define WEFT_TRY_NAME(a, b) WEFT_TRY_JOIN(a, b)
#define WEFT_TRY_AS(name, expression)                             \
  __extension__({                                                 \
    auto name = (expression);                                     \
    if (!name.ok()) return ::weft::Fail(std::move(name).error()); \
    ::weft::detail::Take(std::move(name));                        \
  })

namespace weft::detail {
template <class T>
T Take(Result<T>&& result) {
  return std::move(*result);
}
inline void Take(Result<void>&&) {}
}  // namespace weft::detail
