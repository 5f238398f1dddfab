// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/result.h"

namespace weft::aws {

// An error as an AWS client meets it: the exception's name in the service's model, and its text.
struct Fault {
  Fault(std::string fault_type, std::string text, int http_status = 400)
      : type(std::move(fault_type)), message(std::move(text)), status(http_status) {}
  // The one place where our codes become exceptions for what an operation did not translate itself.
  // kInternal and kCorrupt: "InternalFailure", 500, without our text, which is logged.
  Fault(const Error& error);  // NOLINT(google-explicit-constructor): TRY passes it on

  std::string type;
  std::string message;
  int status;
  // What the text is called: "message" as most, "Message" as SerializationException.
  const char* member = "message";
};

// A value or a fault. TRY passes a fault on, and an Error of ours as the fault it becomes.
template <class T>
class [[nodiscard]] Outcome : public tl::expected<T, Fault> {
 public:
  using tl::expected<T, Fault>::expected;
  bool ok() const { return this->has_value(); }
};

inline tl::unexpected<Fault> Refuse(std::string type, std::string message, int status = 400) {
  return tl::unexpected<Fault>(Fault(std::move(type), std::move(message), status));
}

}  // namespace weft::aws

namespace weft {
inline tl::unexpected<aws::Fault> Fail(aws::Fault fault) {
  return tl::unexpected<aws::Fault>(std::move(fault));
}
}  // namespace weft

namespace weft::detail {
template <class T>
T Take(aws::Outcome<T>&& outcome) {
  return std::move(*outcome);
}
inline void Take(aws::Outcome<void>&&) {}
}  // namespace weft::detail
