// SPDX-License-Identifier: Apache-2.0
#include "stream/consumers.h"

#include <algorithm>

#include "meta/picture.h"
#include "stream/tags.h"

namespace weft::stream {
namespace {

constexpr int64_t kConsumersMax = 20;  // of a stream

using ConsumerMap = std::map<StreamName, std::vector<Consumer>>;

Result<std::shared_ptr<const ConsumerMap>> Load(meta::Transaction& tx) {
  auto consumers = std::make_shared<ConsumerMap>();
  // Those of a stream that is gone, or was made again, are not shown even when nobody forgot them.
  const auto rows = TRY(
      tx.Query("SELECT stream_consumers.stream, stream_consumers.name, stream_consumers.created, "
               "stream_consumers.tags FROM stream_consumers JOIN stream_streams ON "
               "stream_streams.name = stream_consumers.stream AND stream_streams.number = "
               "stream_consumers.stream_number ORDER BY stream_consumers.stream, "
               "stream_consumers.name"));
  for (const meta::Row& row : rows) {
    const StreamName stream(row.text(0));
    auto tags = TRY(ParseTags(row.text(3)));
    (*consumers)[stream].push_back({.stream = stream,
                                    .name = row.text(1),
                                    .created = Timestamp(microseconds(row.integer(2))),
                                    .tags = std::move(tags)});
  }
  return std::shared_ptr<const ConsumerMap>(std::move(consumers));
}

Error NoSuchConsumer(const StreamName& stream, const std::string& name) {
  return Error(Code::kNotFound,
               fmt::format("the stream {} has no consumer {}", stream.text(), name));
}

}  // namespace

struct Consumers::State {
  State(meta::Database& d, const Clock& c) : database(d), clock(c), picture(d, Load) {}

  meta::Database& database;
  const Clock& clock;
  meta::Picture<ConsumerMap> picture;
};

Consumers::Consumers(meta::Database& database, const Clock& clock)
    : state_(std::make_unique<State>(database, clock)) {}
Consumers::~Consumers() = default;

const std::vector<std::string>& Consumers::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE stream_consumers (stream TEXT NOT NULL, name TEXT NOT NULL, stream_number "
      "INTEGER NOT NULL, created INTEGER NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (stream, name))",
  };
  return steps;
}

Result<Consumer> Consumers::Register(const StreamName& stream, const std::string& name,
                                     const std::map<std::string, std::string>& tags) {
  const Consumer made{.stream = stream,
                      .name = name,
                      .created = std::chrono::floor<seconds>(state_->clock.Now()),
                      .tags = tags};
  TRY(state_->database.Transact([&](meta::Transaction& tx) -> Status {
    const auto owner =
        TRY(tx.Query("SELECT number FROM stream_streams WHERE name = :1", {stream.text()}));
    if (owner.empty()) {
      return Fail(Code::kNotFound, fmt::format("no such stream: {}", stream.text()));
    }
    const int64_t number = owner.front().integer(0);
    TRY(tx.Execute("DELETE FROM stream_consumers WHERE stream = :1 AND stream_number <> :2",
                   {stream.text(), number}));
    const auto there =
        TRY(tx.Query("SELECT name FROM stream_consumers WHERE stream = :1", {stream.text()}));
    for (const meta::Row& row : there) {
      if (row.text(0) != name) continue;
      return Fail(Code::kExists,
                  fmt::format("the stream {} has a consumer {} already", stream.text(), name));
    }
    if (static_cast<int64_t>(there.size()) >= kConsumersMax) {
      return Fail(Code::kThrottled, fmt::format("the stream {} has {} consumers, the most that it "
                                                "may have",
                                                stream.text(), kConsumersMax));
    }
    TRY(
        tx.Execute("INSERT INTO stream_consumers (stream, name, stream_number, created, tags) "
                   "VALUES (:1, :2, :3, :4, :5)",
                   {stream.text(), name, number, int64_t{made.created.time_since_epoch().count()},
                    TextOf(tags)}));
    state_->picture.ReloadAfter(tx);
    return {};
  }));
  return made;
}

Status Consumers::Deregister(const StreamName& stream, const std::string& name) {
  return state_->database.Transact([&](meta::Transaction& tx) -> Status {
    const int64_t gone = TRY(tx.Execute(
        "DELETE FROM stream_consumers WHERE stream = :1 AND name = :2", {stream.text(), name}));
    if (gone == 0) return Fail(NoSuchConsumer(stream, name));
    state_->picture.ReloadAfter(tx);
    return {};
  });
}

Status Consumers::SetTags(const StreamName& stream, const std::string& name,
                          const std::map<std::string, std::string>& tags) {
  return state_->database.Transact([&](meta::Transaction& tx) -> Status {
    const int64_t changed =
        TRY(tx.Execute("UPDATE stream_consumers SET tags = :1 WHERE stream = :2 AND name = :3",
                       {TextOf(tags), stream.text(), name}));
    if (changed == 0) return Fail(NoSuchConsumer(stream, name));
    state_->picture.ReloadAfter(tx);
    return {};
  });
}

Status Consumers::Forget(meta::Transaction& tx, const StreamName& stream) {
  TRY(tx.Execute("DELETE FROM stream_consumers WHERE stream = :1", {stream.text()}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Result<Consumer> Consumers::Find(const StreamName& stream, const std::string& name) const {
  for (const Consumer& consumer : TRY(Of(stream))) {
    if (consumer.name == name) return consumer;
  }
  return Fail(NoSuchConsumer(stream, name));
}

Result<std::vector<Consumer>> Consumers::Of(const StreamName& stream) const {
  const auto consumers = TRY(state_->picture.Get());
  auto found = consumers->find(stream);
  return found == consumers->end() ? std::vector<Consumer>() : found->second;
}

}  // namespace weft::stream
