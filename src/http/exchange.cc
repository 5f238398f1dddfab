// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "http/exchange_internal.h"
#include "http/loop_internal.h"

namespace weft::http {
namespace {

constexpr size_t kStreamBytesMax = 256 << 10;

// What a handler holds of an OutStream: its end is the stream's.
class Writer final : public BodyWriter {
 public:
  explicit Writer(std::shared_ptr<OutStream> stream) : stream_(std::move(stream)) {}
  ~Writer() override { stream_->Abort(); }
  Status Write(BytesView bytes) override { return stream_->Write(bytes); }
  bool HasRoom(std::function<void()> wake) override { return stream_->HasRoom(std::move(wake)); }
  Status Finish() override { return stream_->Finish(); }
  void Abort() override { stream_->Abort(); }

 private:
  std::shared_ptr<OutStream> stream_;
};

// The writer for an exchange that was answered before: nothing that it writes is sent.
class NoWriter final : public BodyWriter {
 public:
  Status Write(BytesView) override { return Refused(); }
  bool HasRoom(std::function<void()>) override { return true; }
  Status Finish() override { return Refused(); }
  void Abort() override {}

 private:
  static Status Refused() {
    return Fail(Code::kUnavailable, "the request has been answered already");
  }
};

}  // namespace

void Delivery::Run() {
  switch (kind) {
    case Kind::kAnswer:
      return target->OnAnswer(exchange, std::move(response));
    case Kind::kStream:
      return target->OnStream(exchange, std::move(response), std::move(stream));
    case Kind::kStreamReady:
      return target->OnStreamReady(exchange);
    case Kind::kBodyTaken:
      return target->OnBodyTaken(exchange);
  }
}

void Delivery::Drop() {
  if (stream) stream->Close();
}

OutStream::OutStream(std::shared_ptr<Loop> loop, std::shared_ptr<ReplyTarget> target,
                     uint64_t exchange)
    : loop_(std::move(loop)), target_(std::move(target)), exchange_(exchange) {}

// Tells the connection once; it is told again only after it has looked.
void OutStream::Notify(std::unique_lock<std::mutex>& lock) {
  if (notified_ || closed_) return;
  notified_ = true;
  Delivery delivery{Delivery::Kind::kStreamReady, target_, exchange_, {}, nullptr};
  lock.unlock();
  loop_->Deliver(std::move(delivery));
  lock.lock();
}

Status OutStream::Write(BytesView bytes) {
  std::unique_lock lock(mutex_);
  // Waiting for itself would hold the io thread for ever, so a quick handler's body is kept whole.
  bool unbounded = std::exchange(promised_, false) || loop_->OnThisThread();
  while (!bytes.empty()) {
    if (end_ != End::kNone) return Fail(Code::kInternal, "written to a body that has ended");
    room_.wait(lock, [&] { return closed_ || unbounded || buffer_.size() < kStreamBytesMax; });
    if (closed_) return Fail(Code::kUnavailable, "the client went away or stalled");
    size_t piece =
        unbounded ? bytes.size() : std::min(bytes.size(), kStreamBytesMax - buffer_.size());
    buffer_.append(bytes.substr(0, piece));
    bytes.remove_prefix(piece);
    Notify(lock);
  }
  return {};
}

bool OutStream::HasRoom(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  promised_ = closed_ || end_ != End::kNone || buffer_.size() < kStreamBytesMax;
  if (promised_) wake = nullptr;
  wake_.swap(wake);  // the former is destroyed with the parameter, after the lock
  return promised_;
}

Status OutStream::Finish() {
  std::unique_lock lock(mutex_);
  if (closed_) return Fail(Code::kUnavailable, "the client went away or stalled");
  if (end_ == End::kAborted) return Fail(Code::kInternal, "finished a body that was aborted");
  end_ = End::kFinished;
  Notify(lock);
  return {};
}

void OutStream::Abort() {
  std::unique_lock lock(mutex_);
  if (end_ != End::kNone) return;
  end_ = End::kAborted;
  Notify(lock);
}

Bytes OutStream::Take(End& end) {
  Bytes taken;
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    taken.swap(buffer_);
    wake.swap(wake_);
    end = end_;
    notified_ = false;
  }
  room_.notify_all();
  if (end == End::kNone) Wake(std::move(wake));
  return taken;
}

void OutStream::Close() {
  std::shared_ptr<ReplyTarget> target;
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    target.swap(target_);
    if (end_ == End::kNone) wake.swap(wake_);
  }
  room_.notify_all();
  Wake(std::move(wake));
}

// Not from within the connection's own work: what is woken writes at once, and the connection would
// find itself in the midst of it.
void OutStream::Wake(std::function<void()> wake) {
  if (wake) loop_->Post(std::move(wake));
}

InStream::InStream(std::shared_ptr<Loop> loop, std::shared_ptr<ReplyTarget> target,
                   uint64_t exchange)
    : loop_(std::move(loop)), target_(std::move(target)), exchange_(exchange) {}

Result<Bytes> InStream::Read() {
  Bytes taken;
  std::shared_ptr<ReplyTarget> target;
  {
    std::unique_lock lock(mutex_);
    more_.wait(lock, [&] { return ended_ || !buffer_.empty(); });
    if (error_) return Fail(*error_);
    taken.swap(buffer_);
    if (full_ && !ended_) target = target_;
    full_ = false;
  }
  if (target) {
    loop_->Deliver({Delivery::Kind::kBodyTaken, std::move(target), exchange_, {}, nullptr});
  }
  return taken;
}

bool InStream::Push(BytesView piece) {
  bool full = false;
  {
    std::lock_guard lock(mutex_);
    buffer_.append(piece);
    full = full_ = buffer_.size() >= kStreamBytesMax;
  }
  more_.notify_one();
  return !full;
}

void InStream::End(std::optional<Error> error) {
  std::shared_ptr<ReplyTarget> target;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = std::move(error);
    target.swap(target_);
  }
  more_.notify_all();
}

bool InStream::ended() const {
  std::lock_guard lock(mutex_);
  return ended_;
}

Exchange::Exchange(std::shared_ptr<ReplyTarget> target, uint64_t number)
    : target_(std::move(target)), number_(number) {}

Exchange::~Exchange() {
  if (answered_) return;
  Response unanswered;
  unanswered.status = 0;  // the connection knows the request's id, and makes the answer
  Send(std::move(unanswered));
}

void Exchange::Send(Response&& response) {
  if (answered_.exchange(true)) return;
  // Kept only now, by the thread that answers: were it counted by the io thread too, each request
  // would have the count go from one processor to the other.
  const std::shared_ptr<Loop> loop = target_->loop();
  loop->Deliver(
      {Delivery::Kind::kAnswer, std::move(target_), number_, std::move(response), nullptr});
}

std::unique_ptr<BodyWriter> Exchange::Stream(Response head) {
  CHECK(head.body.empty());
  if (answered_.exchange(true)) return std::make_unique<NoWriter>();
  const std::shared_ptr<Loop> loop = target_->loop();
  auto stream = std::make_shared<OutStream>(loop, target_, number_);
  loop->Deliver({Delivery::Kind::kStream, std::move(target_), number_, std::move(head), stream});
  return std::make_unique<Writer>(std::move(stream));
}

}  // namespace weft::http
