// SPDX-License-Identifier: Apache-2.0
#include "tail/converter.h"

#include <algorithm>

#include "base/logging.h"
#include "codec/kpl.h"
#include "stream/record_head.h"
#include "tail/record_key.h"

namespace weft::tail {
namespace {
constexpr size_t kSessionsMax = 16;

// The first of the columns, nested ones too, that the table does not have; "" when it has all.
// Fields of a struct go by name; an element, a key or a value by its place.
std::string Lacking(const std::vector<contract::Column>& columns,
                    const std::vector<iceberg::Field>& fields, bool in_struct) {
  for (size_t i = 0; i < columns.size(); ++i) {
    auto field = in_struct
                     ? std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& f) { return f.name == columns[i].name; })
                     : fields.begin() + static_cast<std::ptrdiff_t>(std::min(i, fields.size()));
    if (field == fields.end()) return columns[i].name;
    const std::string nested = Lacking(columns[i].children, field->type.fields,
                                       field->type.kind == iceberg::TypeKind::kStruct);
    if (!nested.empty()) return columns[i].name + "." + nested;
  }
  return "";
}
}  // namespace

Converter::Converter(const Feed& feed, std::shared_ptr<const iceberg::Schema> schema,
                     const contract::Contracts& contracts, Counter& refused)
    : feed_(feed),
      schema_(std::move(schema)),
      contracts_(contracts),
      refused_(refused),
      builder_(iceberg::ColumnBuilder::Make(schema_)) {}

Result<int> Converter::Convert(int shard, log::Offset offset, Timestamp arrival,
                               const log::Record& record) {
  stream::RecordHead head;
  head.rest = record.key;
  // What comes by Weft's own doors has no head, and mostly the key of its neighbour.
  if (record.key != last_key_ || last_key_.empty()) {
    auto decoded = stream::DecodeRecordHead(record.key);
    if (!decoded.ok()) {
      Refuse(stream::RecordId(shard, offset), decoded.error().message());
      return 0;
    }
    head = *std::move(decoded);
  }
  auto session = SessionFor(head.rest);
  if (session.ok() && *session == nullptr) return 0;
  if (!session.ok() && session.error().code() != Code::kCorrupt) return Fail(session.error());
  if (!session.ok()) {
    Refuse(stream::RecordId(shard, offset), session.error().message());
    return 0;
  }
  if (!head.taken.empty()) {
    return ConvertAggregate(**session, shard, offset, arrival, record.value, head.taken);
  }
  const std::string id = stream::RecordId(shard, offset);
  return TRY(Append(**session, record.value, id, arrival)) ? 1 : 0;
}

int Converter::ConvertAggregate(contract::Checker::Session& session, int shard, log::Offset offset,
                                Timestamp arrival, BytesView value,
                                const std::vector<bool>& taken) {
  const auto users = codec::SplitAggregate(value);
  if (!users || users->size() != taken.size()) {
    Refuse(stream::RecordId(shard, offset), "it is not the aggregate that its key says");
    return 0;
  }
  int rows = 0;
  for (size_t i = 0; i < users->size(); ++i) {
    if (!taken[i]) continue;
    const std::string id = stream::RecordId(shard, offset, static_cast<int>(i));
    auto appended = Append(session, (*users)[i].data, id, arrival);
    // The rows before it stay, so the record cannot be read once more.
    if (!appended.ok()) Refuse(id, appended.error().message());
    if (appended.ok() && *appended) ++rows;
  }
  return rows;
}

Result<bool> Converter::Append(contract::Checker::Session& session, BytesView value,
                               const std::string& id, Timestamp arrival) {
  const Status appended = session.Append(value, id, arrival.time_since_epoch().count(), *builder_);
  if (appended.ok()) return true;
  builder_->DropRow();
  if (appended.error().code() != Code::kCorrupt) return Fail(appended.error());
  Refuse(id, appended.error().message());
  return false;
}

Result<contract::Checker::Session*> Converter::SessionFor(BytesView record_key) {
  if (!last_key_.empty() && last_key_ == record_key) return last_session_;
  const RecordKey decoded = TRY(DecodeRecordKey(record_key));
  contract::Checker::Session* session = nullptr;
  if (decoded.object == feed_.object) session = TRY(Open(decoded.contract_version));
  last_key_ = record_key;
  last_session_ = session;
  return session;
}

Result<contract::Checker::Session*> Converter::Open(int contract_version) {
  auto known = sessions_.find(contract_version);
  if (known != sessions_.end()) return known->second.session.get();
  auto contract = contracts_.Find(feed_.product, contract_version);
  if (!contract.ok()) {
    // Not the record's fault: with the contract back, it can be read.
    return Fail(Code::kUnavailable,
                fmt::format("version {} of the contract of product {}: {}", contract_version,
                            feed_.product.text(), contract.error().message()));
  }
  const auto& objects = (*contract)->objects;
  auto object = std::find_if(objects.begin(), objects.end(),
                             [&](const auto& o) { return o.name == feed_.object; });
  if (object == objects.end()) {
    return Fail(Code::kCorrupt, fmt::format("contract version {} has no object {}",
                                            contract_version, feed_.object));
  }
  const std::string lacking = Lacking(object->columns, schema_->fields, true);
  if (!lacking.empty()) {
    return Fail(Code::kConflict,
                fmt::format("schema {} of table {} does not have the column {} yet",
                            schema_->schema_id, feed_.table_id, lacking));
  }
  // What the product does with unknown fields was decided when the record came in.
  auto checker = TRY(contract::Checker::Make(
      *object, schema_, {.unknown_fields = contract::UnknownFields::kIgnore, .errors_max = 1}));
  if (sessions_.size() >= kSessionsMax) {
    sessions_.clear();
    last_key_.clear();
  }
  Opened& opened = sessions_[contract_version];
  opened.checker = checker;
  opened.session = checker->Open();
  return opened.session.get();
}

void Converter::Refuse(const std::string& id, const std::string& why) {
  refused_.Add(1);
  Log(LogLevel::kError, "tail", "a stored record is no row of its table",
      {{"product", feed_.product.text()}, {"object", feed_.object}, {"id", id}, {"reason", why}});
}

}  // namespace weft::tail
