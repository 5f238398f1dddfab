// SPDX-License-Identifier: Apache-2.0
// Requests and answers as plain data. Nothing here knows which version of HTTP carried them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/header_list.h"
#include "codec/sigv4.h"

namespace weft::http {

using codec::EqualIgnoringCase;
using codec::FindHeader;
using codec::HeaderList;

// Hands over a request's body as it arrives. Blocks; for one thread at a time.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // The next bytes, "" at the end. kInvalid past the limit or when malformed, kUnavailable when the
  // client went away or was too slow.
  virtual Result<Bytes> Read() = 0;
};

struct Request {
  std::string method{};  // "POST"
  std::string path{};    // as on the wire: "/api/v1/products/a%20b"
  std::string query{};   // as on the wire, without '?'
  HeaderList headers{};  // names in lower case
  Bytes body{};  // whole, unless the server's plan for this request was to stream it. At least 64
                 // bytes of capacity follow the end, so that parsers may read past it
  std::shared_ptr<BodyReader> stream{};  // only then
  std::string id{};              // of this request, given by the server; answered as x-request-id
  std::string remote_address{};  // "127.0.0.1:5123"
  bool secure = false;           // came over TLS

  std::string_view Header(std::string_view name) const { return FindHeader(headers, name); }
  codec::RequestView view() const { return {method, path, query, &headers}; }
};

struct Response {
  int status = 200;
  HeaderList headers{};
  Bytes body{};
};

// Writes an answer's body piece by piece. Blocks while the client is slow; for one thread at a
// time.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;  // without Finish(): as Abort()
  // kUnavailable when the client went away or stalled past the server's limit.
  virtual Status Write(BytesView bytes) = 0;
  // For bodies that must not hold a thread while the client is slow. True: the next Write takes its
  // bytes whole, however many, without waiting (or fails at once). False: `wake` is called once,
  // from any thread, when that has become so, or the client has gone; it must not block. A later
  // call takes the place of an earlier one's `wake`; after Finish, Abort or the destructor it is
  // not called any more, unless it is being called already.
  virtual bool HasRoom(std::function<void()> wake) = 0;
  virtual Status Finish() = 0;
  // Ends the connection without the body's proper end, so that the client cannot take it for whole.
  virtual void Abort() = 0;
};

// The one answer to a request. Copies share it; the first Send or Stream counts, from any thread
// and at any time, also after the handler returned. Dropped without an answer, it answers 500.
class Reply {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void Send(Response&& response) = 0;
    virtual std::unique_ptr<BodyWriter> Stream(Response head) = 0;
  };
  explicit Reply(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void Send(Response&& response) const { sink_->Send(std::move(response)); }
  // Answers with the head now and the body as it is written (head.body must be empty). With a
  // content-length among its headers exactly so many bytes must follow; else the body is chunked.
  std::unique_ptr<BodyWriter> Stream(Response head) const { return sink_->Stream(std::move(head)); }

 private:
  std::shared_ptr<Sink> sink_;
};

}  // namespace weft::http
