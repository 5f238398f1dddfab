// SPDX-License-Identifier: Apache-2.0
#include "tail/feeds.h"

#include <map>

#include "base/logging.h"
#include "meta/picture.h"

namespace weft::tail {
namespace {

using FeedMap = std::map<int64_t, Feed>;  // by table

Result<std::shared_ptr<const FeedMap>> LoadFeeds(meta::Transaction& tx) {
  auto feeds = std::make_shared<FeedMap>();
  const auto rows = TRY(tx.Query("SELECT table_id, product, stream, object FROM tail_feeds"));
  for (const meta::Row& row : rows) {
    (*feeds)[row.integer(0)] = {.table_id = row.integer(0),
                                .product = ProductName(row.text(1)),
                                .stream = stream::StreamName(row.text(2)),
                                .object = row.text(3)};
  }
  return feeds;
}

}  // namespace

struct Feeds::State {
  explicit State(meta::Database& database) : picture(database, LoadFeeds) {}

  std::shared_ptr<const FeedMap> Get() {
    auto feeds = picture.Get();
    if (feeds.ok()) return *feeds;
    Log(LogLevel::kError, "tail", "cannot read the feeds of the tables",
        {{"error", feeds.error().message()}});
    return std::make_shared<const FeedMap>();
  }

  meta::Picture<FeedMap> picture;
};

Feeds::Feeds(meta::Database& database) : state_(std::make_unique<State>(database)) {}
Feeds::~Feeds() = default;

const std::vector<std::string>& Feeds::Migrations() {
  static const std::vector<std::string> steps = {
      "CREATE TABLE tail_feeds (table_id INTEGER PRIMARY KEY, product TEXT NOT NULL, "
      "stream TEXT NOT NULL, object TEXT NOT NULL)",
  };
  return steps;
}

Status Feeds::Put(meta::Transaction& tx, const Feed& feed) {
  TRY(tx.Execute(
      "INSERT INTO tail_feeds (table_id, product, stream, object) VALUES (:1, :2, :3, :4) "
      "ON CONFLICT (table_id) DO UPDATE SET product = excluded.product, stream = excluded.stream, "
      "object = excluded.object",
      {feed.table_id, feed.product.text(), feed.stream.text(), feed.object}));
  state_->picture.ReloadAfter(tx);
  return {};
}

Status Feeds::Delete(meta::Transaction& tx, int64_t table_id) {
  TRY(tx.Execute("DELETE FROM tail_feeds WHERE table_id = :1", {table_id}));
  state_->picture.ReloadAfter(tx);
  return {};
}

std::optional<Feed> Feeds::Find(int64_t table_id) const {
  auto found = Lookup(table_id);
  return found.ok() ? *std::move(found) : std::nullopt;
}

Result<std::optional<Feed>> Feeds::Lookup(int64_t table_id) const {
  const auto feeds = TRY(state_->picture.Get());
  auto found = feeds->find(table_id);
  return found == feeds->end() ? std::nullopt : std::make_optional(found->second);
}

std::vector<Feed> Feeds::All() const {
  std::vector<Feed> all;
  const auto feeds = state_->Get();
  for (const auto& [id, feed] : *feeds) all.push_back(feed);
  return all;
}

std::vector<Feed> Feeds::OfProduct(const ProductName& product) const {
  std::vector<Feed> all = All();
  std::erase_if(all, [&](const Feed& feed) { return feed.product != product; });
  return all;
}

}  // namespace weft::tail
