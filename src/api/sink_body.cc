// SPDX-License-Identifier: Apache-2.0
#include "api/sink_body.h"

#include <simdjson.h>

namespace weft::api {

Result<SinkBody> ReadSinkBody(std::string_view body) {
  thread_local simdjson::ondemand::parser parser;
  thread_local simdjson::padded_string padded;
  // The views handed out point into the caller's body: positions are taken from the padded copy.
  padded = simdjson::padded_string(body);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return Fail(Code::kInvalid, "the body is not a JSON object");
  }
  SinkBody out;
  bool has_schema = false, has_data = false;
  for (auto member : object) {
    std::string_view name, text, raw;
    simdjson::ondemand::value value;
    if (member.unescaped_key().get(name) != simdjson::SUCCESS ||
        member.value().get(value) != simdjson::SUCCESS) {
      return Fail(Code::kInvalid, "the body is not JSON");
    }
    if (name == "schema") {
      if (value.get_string().get(text) != simdjson::SUCCESS) {
        return Fail(Code::kInvalid, "'schema' is not text");
      }
      out.schema = text;
      has_schema = true;
    } else if (name == "data") {
      simdjson::ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS ||
          array.raw_json().get(raw) != simdjson::SUCCESS) {
        return Fail(Code::kInvalid, "'data' is not a list");
      }
      out.data = body.substr(static_cast<size_t>(raw.data() - padded.data()), raw.size());
      has_data = true;
    }
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
    return Fail(Code::kInvalid, "something follows the JSON object");
  if (!has_schema) return Fail(Code::kInvalid, "'schema' is missing");
  if (!has_data) return Fail(Code::kInvalid, "'data' is missing");
  return out;
}

}  // namespace weft::api
