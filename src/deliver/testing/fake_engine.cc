// SPDX-License-Identifier: Apache-2.0
#include "deliver/testing/fake_engine.h"

#include <sstream>

#include "tail/testing/ground.h"

namespace weft::deliver {

void FakeEngine::FailWrite(int nth, Fail when) {
  fail_when_ = when;
  fail_in_ = nth;
}

Status FakeEngine::Query(const engine::QueryRequest&, engine::RelationSource&,
                         engine::ResultSink&) {
  return weft::Fail(Code::kNotOffered, "the fake runs no SQL");
}

Result<std::vector<iceberg::DataFile>> FakeEngine::WriteParquet(
    const engine::WriteRequest& request) {
  ++writes_;
  const bool fails = fail_in_ > 0 && --fail_in_ == 0;
  if (fails && fail_when_ == Fail::kBefore) return weft::Fail(Code::kUnavailable, "told to fail");
  std::string text;
  int64_t count = 0;
  const auto ids = tail::IdsOf(request.rows);
  const auto numbers = tail::ColumnOf(request.rows, "n");
  for (size_t row = 0; row < ids.size(); ++row) {
    text += ids[row] + " " + numbers[row] + "\n";
    ++count;
  }
  for (const iceberg::DataFile& file : request.merged_files) {
    for (const std::string& line : TRY(LinesOf(store_, file))) {
      text += line + "\n";
      ++count;
    }
  }
  iceberg::DataFile file;
  file.location = request.location + "/" + request.name + "-0.parquet";
  file.spec_id = request.spec.spec_id;
  file.record_count = count;
  file.file_bytes = static_cast<int64_t>(text.size());
  const auto key = TRY(objects::ParseLocation(file.location));
  TRY(store_.Put(key, text));
  if (fails) return weft::Fail(Code::kUnavailable, "told to fail");
  return std::vector{file};
}

Result<std::vector<std::string>> LinesOf(objects::ObjectStore& store,
                                         const iceberg::DataFile& file) {
  const auto key = TRY(objects::ParseLocation(file.location));
  std::istringstream text(TRY(store.Get(key)));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

Status FailingStore::Pass() {
  if (left_ > 0 && --left_ == 0) return Fail(Code::kUnavailable, "told to fail");
  return {};
}

Status FailingStore::Put(const objects::ObjectKey& key, BytesView body) {
  TRY(Pass());
  return inner_.Put(key, body);
}
Status FailingStore::PutIfAbsent(const objects::ObjectKey& key, BytesView body) {
  TRY(Pass());
  return inner_.PutIfAbsent(key, body);
}
Result<std::unique_ptr<objects::ObjectWriter>> FailingStore::Create(const objects::ObjectKey& key) {
  TRY(Pass());
  return inner_.Create(key);
}
Result<Bytes> FailingStore::Get(const objects::ObjectKey& key) {
  TRY(Pass());
  return inner_.Get(key);
}
Result<Bytes> FailingStore::GetRange(const objects::ObjectKey& key, int64_t offset, int64_t bytes) {
  TRY(Pass());
  return inner_.GetRange(key, offset, bytes);
}
Result<objects::ObjectInfo> FailingStore::Head(const objects::ObjectKey& key) {
  TRY(Pass());
  return inner_.Head(key);
}
Status FailingStore::Delete(const objects::ObjectKey& key) {
  TRY(Pass());
  return inner_.Delete(key);
}
Result<std::vector<objects::ObjectInfo>> FailingStore::List(const std::string& bucket,
                                                            const std::string& prefix,
                                                            const std::string& after,
                                                            int count_max) {
  TRY(Pass());
  return inner_.List(bucket, prefix, after, count_max);
}

}  // namespace weft::deliver
