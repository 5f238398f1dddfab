// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "contract/contract.h"
#include "iceberg/columns.h"

namespace weft::contract {

struct FieldError {
  std::string field;   // "lines[0].sku"; "" for the record itself
  std::string reason;  // "is required", "is not an integer", …
};

enum class UnknownFields { kRefuse, kIgnore };

// Checks JSON records against one schema object, and turns checked ones into columns. Immutable and
// safe from any thread; each thread's use goes through its own Session. Parser and buffers are kept
// for each thread.
class Checker {
 public:
  struct Options {
    UnknownFields unknown_fields = UnknownFields::kRefuse;
    int errors_max = 20;  // per record
  };
  // `schema` is the table's, with ids: columns of `object` are found in it by name; columns of the
  // schema that the object does not have become null.
  static Result<std::shared_ptr<const Checker>> Make(const SchemaObject& object,
                                                     std::shared_ptr<const iceberg::Schema> schema,
                                                     const Options& options);
  virtual ~Checker() = default;

  class Session {
   public:
    virtual ~Session() = default;
    struct Taking {
      // How many octets after the text may be read, whatever they are. From 64 on the text is
      // parsed where it lies, else in a copy.
      size_t readable_after = 0;
      // Where each good record also becomes a row (made for the schema), in the same pass; a bad
      // one leaves none. `_id` and `_arrival` lag behind: the caller appends them for all rows, in
      // their order. nullptr: records are only checked.
      iceberg::ColumnBuilder* rows = nullptr;
      // Past so many octets of rows CheckArray gives up.
      int64_t rows_bytes_max = std::numeric_limits<int64_t>::max();
    };
    // Appends what is wrong to `errors`, one for each bad field; returns whether nothing was.
    virtual bool Check(std::string_view record, std::vector<FieldError>& errors,
                       const Taking& taking) = 0;
    bool Check(std::string_view record, std::vector<FieldError>& errors) {
      return Check(record, errors, {});
    }
    struct Judged {
      std::string_view record;
      size_t errors = 0;  // so many of `errors` are its own, in the order of the records
    };
    // Checks the records of a JSON array in one pass over its text, each as Check does. False when
    // the text is not one array of objects to its last octet, a record has too many errors to list,
    // or the rows grow too large: then nothing is known, and the records have to be taken one by
    // one. `taking.rows` is empty before, and after a false.
    virtual bool CheckArray(std::string_view text, std::vector<Judged>& judged,
                            std::vector<FieldError>& errors, const Taking& taking) = 0;
    // Appends a record that passed Check as one row of `builder` (made for the schema), with its
    // `_id` and `_arrival` (microseconds). kCorrupt, and no row, when the record does not pass
    // after all.
    virtual Status Append(std::string_view record, std::string_view id, int64_t arrival_us,
                          iceberg::ColumnBuilder& builder) = 0;
    // For a record whose scalars all came as texts (a row of CSV): writes it to `out` with the
    // texts of number and boolean columns as JSON numbers and booleans, blanks around and zeros in
    // front dropped, `true` and `false` in any case. What cannot be read so stays as it is, for
    // Check to refuse; so does a record that is not JSON.
    virtual void Canonicalise(std::string_view record, std::string& out) = 0;
  };
  virtual std::unique_ptr<Session> Open() const = 0;
};

}  // namespace weft::contract
