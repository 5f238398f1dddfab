// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace weft::cli {

// The name under which the parts of one `weft put` are sent, kept in a file of the user's until the
// upload is whole: the same command, given again after it was broken off, sends its parts under the
// same Idempotency-Keys, and the server stores those it has not got. Which parts it has is the
// server's to say: nothing is passed over here.
//
// The file is UPLOADS/HASH, UPLOADS being $XDG_STATE_HOME/weft/uploads, else
// ~/.local/state/weft/uploads, and HASH of what the command says; it holds the upload's id and the
// time it began.
class Upload {
 public:
  // `what` tells this upload from others: server, user, product, files. Without a place for the
  // file, or while another `weft put` of the same is at work, the name lives as long as this
  // process. kConflict for one that broke off so long ago that the server may have forgotten its
  // keys.
  static Result<Upload> Open(const std::string& what, bool restart);
  // One that cannot be continued: standard input cannot be read twice.
  static Upload Unnamed();
  Upload(Upload&&) noexcept;
  ~Upload();

  // Whether an earlier command began it.
  bool continues() const;
  // Whether the same command can go on with it.
  bool kept() const;
  std::string KeyOf(int64_t part) const;
  // The upload is whole.
  void Finish();

 private:
  struct State;
  explicit Upload(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weft::cli
