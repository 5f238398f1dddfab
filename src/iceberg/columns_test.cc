// SPDX-License-Identifier: Apache-2.0
#include "iceberg/columns.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <random>

#include "iceberg/columns_internal.h"

namespace weft::iceberg {
namespace {

Field Of(const std::string& name, TypeKind kind, std::vector<Field> fields = {}) {
  Field field;
  field.name = name;
  field.type.kind = kind;
  field.type.fields = std::move(fields);
  return field;
}

std::shared_ptr<const Schema> EveryKind() {
  auto schema = std::make_shared<Schema>();
  schema->fields = {Of("flag", TypeKind::kBoolean),
                    Of("number", TypeKind::kInt),
                    Of("large", TypeKind::kLong),
                    Of("real", TypeKind::kFloat),
                    Of("exact", TypeKind::kDouble),
                    Of("price", TypeKind::kDecimal),
                    Of("key", TypeKind::kUuid),
                    Of("text", TypeKind::kString),
                    Of("lines", TypeKind::kList,
                       {Of("element", TypeKind::kStruct,
                           {Of("sku", TypeKind::kString),
                            Of("tags", TypeKind::kMap,
                               {Of("key", TypeKind::kString), Of("value", TypeKind::kLong)})})}),
                    Of("day", TypeKind::kDate),
                    Of("code", TypeKind::kFixed)};
  schema->fields[5].type.precision = 12;
  schema->fields[5].type.scale = 2;
  schema->fields[10].type.length = 3;
  schema->fields[8].type.fields[0].type.fields[1].type.fields[0].required = true;  // a map's key
  int last = 0;
  AssignIds(schema->fields, last);
  return schema;
}

// Row `row` of every kind: each third row is null throughout.
void AppendRow(ColumnBuilder& builder, int row) {
  if (row % 3 == 2) {
    for (size_t column = 0; column < 11; ++column) builder.column(column).AppendNull();
    builder.FinishRow();
    return;
  }
  builder.column(0).AppendBoolean(row % 2 == 0);
  builder.column(1).AppendInteger(row);
  builder.column(2).AppendInteger(row * 10'000'000'000LL);
  builder.column(3).AppendDouble(row / 2.0);
  builder.column(4).AppendDouble(row / 4.0);
  builder.column(5).AppendDecimal(-static_cast<Int128>(row) * 1'000'000'000'000LL *
                                  1'000'000'000'000LL);
  builder.column(6).AppendBytes("0123456789abcdef");
  builder.column(7).AppendBytes("row " + std::to_string(row));
  builder.column(8).AppendList(row % 4);
  for (int line = 0; line < row % 4; ++line) {
    auto& element = builder.column(8).child(0);
    element.AppendStruct();
    element.child(0).AppendBytes("sku" + std::to_string(line));
    element.child(1).AppendList(1);
    element.child(1).child(0).AppendBytes("k");
    element.child(1).child(1).AppendInteger(row + line);
  }
  builder.column(9).AppendInteger(-row);
  builder.column(10).AppendBytes("abc");
  builder.FinishRow();
}

std::string TextAt(const ColumnView& column, int64_t row) {
  return std::string(reinterpret_cast<const char*>(column.values) + column.offsets[row],
                     static_cast<size_t>(column.offsets[row + 1] - column.offsets[row]));
}

void ExpectRows(const ColumnChunk& chunk, int rows) {
  ASSERT_EQ(chunk.rows(), rows);
  const auto& columns = chunk.columns();
  ASSERT_EQ(columns.size(), 11U);
  for (const ColumnView& column : columns) {
    EXPECT_EQ(column.length, rows);
    EXPECT_EQ(column.null_count, rows / 3);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(column.values) % 64, 0U);
  }
  for (int row = 0; row < rows; ++row) {
    const bool valid = row % 3 != 2;
    for (const ColumnView& column : columns) ASSERT_EQ(column.valid(row), valid) << row;
    if (!valid) continue;
    const ColumnView& lines = columns[8];
    EXPECT_EQ(columns[0].values[row / 8] >> (row % 8) & 1, row % 2 == 0);
    EXPECT_EQ(reinterpret_cast<const int32_t*>(columns[1].values)[row], row);
    EXPECT_EQ(reinterpret_cast<const int64_t*>(columns[2].values)[row], row * 10'000'000'000LL);
    EXPECT_EQ(reinterpret_cast<const float*>(columns[3].values)[row], static_cast<float>(row) / 2);
    EXPECT_EQ(reinterpret_cast<const double*>(columns[4].values)[row], row / 4.0);
    Int128 price = 0;
    std::memcpy(&price, columns[5].values + 16 * row, 16);
    EXPECT_TRUE(price == -static_cast<Int128>(row) * 1'000'000'000'000LL * 1'000'000'000'000LL);
    EXPECT_EQ(std::memcmp(columns[6].values + 16 * row, "0123456789abcdef", 16), 0);
    EXPECT_EQ(TextAt(columns[7], row), "row " + std::to_string(row));
    ASSERT_EQ(lines.offsets[row + 1] - lines.offsets[row], row % 4);
    for (int line = 0; line < row % 4; ++line) {
      const ColumnView& element = lines.children[0];
      const int64_t at = lines.offsets[row] + line;
      EXPECT_EQ(TextAt(element.children[0], at), "sku" + std::to_string(line));
      const ColumnView& tags = element.children[1];
      ASSERT_EQ(tags.offsets[at + 1] - tags.offsets[at], 1);
      EXPECT_EQ(reinterpret_cast<const int64_t*>(tags.children[1].values)[tags.offsets[at]],
                row + line);
    }
    EXPECT_EQ(reinterpret_cast<const int32_t*>(columns[9].values)[row], -row);
    EXPECT_EQ(std::memcmp(columns[10].values + 3 * row, "abc", 3), 0);
  }
}

TEST(Columns, HoldWhatWasAppended) {
  for (const int rows : {0, 1, 3, 8, 64, 65, 1000}) {
    auto builder = ColumnBuilder::Make(EveryKind());
    for (int row = 0; row < rows; ++row) AppendRow(*builder, row);
    EXPECT_EQ(builder->rows(), rows);
    auto chunk = builder->Seal();
    ASSERT_TRUE(chunk.ok()) << chunk.error().message();
    ExpectRows(**chunk, rows);
    EXPECT_EQ(builder->rows(), 0);
  }
}

TEST(Columns, AreTheSameInAnotherProcess) {
  auto builder = ColumnBuilder::Make(EveryKind());
  for (int row = 0; row < 100; ++row) AppendRow(*builder, row);
  auto chunk = builder->Seal();
  ASSERT_TRUE(chunk.ok());
  auto mapped = MapColumnChunk(dup((*chunk)->descriptor()));
  ASSERT_TRUE(mapped.ok()) << mapped.error().message();
  auto trusted = MapTrustedChunk(dup((*chunk)->descriptor()));
  ASSERT_TRUE(trusted.ok()) << trusted.error().message();
  chunk->reset();
  for (const auto& one : {*mapped, *trusted}) {
    ExpectRows(*one, 100);
    EXPECT_EQ(one->schema().fields, EveryKind()->fields);
  }
}

TEST(Columns, AreEmptyAndUsableAfterSealing) {
  auto builder = ColumnBuilder::Make(EveryKind());
  for (int round = 0; round < 3; ++round) {
    for (int row = 0; row < 70; ++row) AppendRow(*builder, row);
    const int64_t before = builder->bytes();
    auto chunk = builder->Seal();
    ASSERT_TRUE(chunk.ok());
    ExpectRows(**chunk, 70);
    EXPECT_LT(builder->bytes(), 200);
    EXPECT_GT(before, 70 * 60);
    EXPECT_LT(before, (*chunk)->bytes());
  }
}

TEST(Columns, ForgetADroppedRow) {
  auto builder = ColumnBuilder::Make(EveryKind());
  for (int row = 0; row < 50; ++row) {
    builder->column(0).AppendNull();  // half a row, then given up
    builder->column(7).AppendBytes("gone");
    builder->column(8).AppendList(3);
    builder->column(8).child(0).AppendNull();
    builder->DropRow();
    AppendRow(*builder, row);
  }
  builder->DropRow();  // nothing to take back
  builder->column(1).AppendInteger(1);
  auto chunk = builder->Seal();  // drops the row that is not finished
  ASSERT_TRUE(chunk.ok());
  ExpectRows(**chunk, 50);
}

// Rows 0 to 299 come to one builder in pieces of all sizes: value by value, out of another builder,
// and out of a chunk.
TEST(Columns, TakeRowsOfOthersAsIfTheyWereAppended) {
  auto whole = ColumnBuilder::Make(EveryKind()), piece = ColumnBuilder::Make(EveryKind());
  std::mt19937 random(3);
  for (int row = 0; row < 300;) {
    const int count = std::min<int>(300 - row, static_cast<int>(random() % 40));
    if (random() % 3 == 0) {
      for (int i = 0; i < count; ++i) AppendRow(*whole, row + i);
    } else {
      const int before = static_cast<int>(random() % 10), after = static_cast<int>(random() % 3);
      for (int i = -before; i < count + after; ++i) AppendRow(*piece, row + i < 0 ? 0 : row + i);
      if (random() % 2 == 0) {
        whole->AppendRows(piece->Views(), before, before + count);
      } else {
        auto chunk = piece->Seal();
        ASSERT_TRUE(chunk.ok());
        whole->AppendRows((*chunk)->columns(), before, before + count);
      }
      piece->Clear();
      EXPECT_EQ(piece->rows(), 0);
    }
    row += count;
  }
  auto chunk = whole->Seal();
  ASSERT_TRUE(chunk.ok());
  ExpectRows(**chunk, 300);
}

TEST(Columns, WithoutNullsStayWithoutWhenTheyAreCopied) {
  auto schema = std::make_shared<Schema>();
  schema->fields = {Of("text", TypeKind::kString)};
  auto from = ColumnBuilder::Make(schema), to = ColumnBuilder::Make(schema);
  from->column(0).AppendNull();
  from->FinishRow();
  from->Clear();
  from->column(0).AppendBytes("a");
  from->FinishRow();
  to->AppendRows(from->Views(), 0, 1);
  auto chunk = to->Seal();
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ((*chunk)->columns()[0].validity, nullptr);
  EXPECT_EQ(TextAt((*chunk)->columns()[0], 0), "a");
}

TEST(Columns, MayLagBehindUntilTheyAreSealed) {
  auto schema = std::make_shared<Schema>();
  schema->fields = {Of("number", TypeKind::kLong), Of("late", TypeKind::kString)};
  auto builder = ColumnBuilder::Make(schema);
  for (int row = 0; row < 3; ++row) {
    builder->column(0).AppendInteger(row);
    builder->FinishRow();
    builder->column(0).AppendInteger(100);
    builder->DropRow();
  }
  for (int row = 0; row < 3; ++row) builder->column(1).AppendBytes(std::to_string(row));
  auto chunk = builder->Seal();
  ASSERT_TRUE(chunk.ok());
  ASSERT_EQ((*chunk)->rows(), 3);
  EXPECT_EQ(TextAt((*chunk)->columns()[1], 2), "2");
}

TEST(Columns, ThatLagBehindDoSoWhereTheyAreCopied) {
  auto schema = std::make_shared<Schema>();
  schema->fields = {Of("late", TypeKind::kString), Of("number", TypeKind::kLong)};
  auto from = ColumnBuilder::Make(schema), to = ColumnBuilder::Make(schema);
  for (int row = 0; row < 3; ++row) {
    from->column(1).AppendInteger(row);
    from->FinishRow();
  }
  for (int begin : {0, 3}) {
    to->AppendRows(from->Views(), 0, 3);
    for (int row = 0; row < 3; ++row) to->column(0).AppendBytes(std::to_string(begin + row));
  }
  auto chunk = to->Seal();
  ASSERT_TRUE(chunk.ok());
  ASSERT_EQ((*chunk)->rows(), 6);
  EXPECT_EQ(TextAt((*chunk)->columns()[0], 5), "5");
}

TEST(Columns, HoldNothingWithoutColumns) {
  auto builder = ColumnBuilder::Make(std::make_shared<Schema>());
  builder->FinishRow();
  auto chunk = builder->Seal();
  ASSERT_TRUE(chunk.ok());
  EXPECT_EQ((*chunk)->rows(), 1);
  EXPECT_TRUE((*chunk)->columns().empty());
}

TEST(Columns, RefuseMoreThanOffsetsCanTell) {
  auto schema = std::make_shared<Schema>();
  schema->fields = {Of("list", TypeKind::kList, {Of("element", TypeKind::kInt)})};
  auto builder = ColumnBuilder::Make(schema);
  builder->column(0).AppendList(int64_t{1} << 31);
  builder->FinishRow();
  auto chunk = builder->Seal();
  ASSERT_FALSE(chunk.ok());
  EXPECT_EQ(chunk.error().code(), Code::kInvalid);
  builder->column(0).AppendList(1);
  builder->column(0).child(0).AppendInteger(7);
  builder->FinishRow();
  EXPECT_TRUE(builder->Seal().ok());
}

// Memory of our own with these octets, sealed as a chunk is.
int SealedMemory(const std::string& bytes) {
  const int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  EXPECT_EQ(write(descriptor, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 0);
  return descriptor;
}

std::string ChunkBytes(int rows) {
  auto builder = ColumnBuilder::Make(EveryKind());
  for (int row = 0; row < rows; ++row) AppendRow(*builder, row);
  auto chunk = builder->Seal();
  std::string bytes(static_cast<size_t>((*chunk)->bytes()), '\0');
  EXPECT_EQ(pread((*chunk)->descriptor(), bytes.data(), bytes.size(), 0),
            static_cast<ssize_t>(bytes.size()));
  return bytes;
}

// Reads every value that the views say there is.
uint64_t Touch(const std::vector<ColumnView>& columns) {
  uint64_t sum = 0;
  for (const ColumnView& column : columns) {
    for (int64_t row = 0; row < column.length; ++row) sum += column.valid(row);
    int64_t octets = (column.length + 7) / 8;
    if (column.offsets != nullptr) {
      octets = column.offsets[column.length];
    } else if (column.field->type.kind != TypeKind::kBoolean) {
      octets = column.length * static_cast<int64_t>(ValueWidth(column.field->type));
    }
    if (column.values != nullptr) {
      for (int64_t at = 0; at < octets; ++at) sum += column.values[at];
    }
    sum += Touch(column.children);
  }
  return sum;
}

TEST(Columns, RefuseWhatIsNoChunk) {
  for (const std::string& bytes : {std::string(), std::string("WEFTCOL1"), std::string(4096, '\0'),
                                   ChunkBytes(10).substr(0, 700)}) {
    auto chunk = MapColumnChunk(SealedMemory(bytes));
    ASSERT_FALSE(chunk.ok());
    EXPECT_EQ(chunk.error().code(), Code::kCorrupt);
    EXPECT_EQ(MapTrustedChunk(SealedMemory(bytes)).error().code(), Code::kCorrupt);
  }
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  EXPECT_EQ(MapColumnChunk(pipes[0]).error().code(), Code::kCorrupt);
  close(pipes[1]);
  EXPECT_EQ(MapColumnChunk(-1).error().code(), Code::kCorrupt);
}

TEST(Columns, RefuseMemoryThatItsMakerCanStillChange) {
  const std::string bytes = ChunkBytes(10);
  const int descriptor = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ASSERT_EQ(write(descriptor, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(MapColumnChunk(descriptor).error().code(), Code::kCorrupt);
}

TEST(Columns, AreNeverReadOutsideTheirMemory) {
  const std::string good = ChunkBytes(20);
  std::mt19937_64 random(7);
  uint64_t read = 0;
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int change = 0; change < changes; ++change) {
      const size_t limit = random() % 2 == 0 ? 3000 : bytes.size();
      const size_t at = random() % std::min(limit, bytes.size());
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
          break;
        default: {
          const uint64_t word = random() % 2 == 0 ? ~uint64_t{0} >> random() % 64 : random() % 5000;
          std::memcpy(&bytes[at / 8 * 8], &word, 8);
        }
      }
    }
    auto chunk = MapColumnChunk(SealedMemory(bytes));
    if (chunk.ok()) {
      read += Touch((*chunk)->columns());
    } else {
      ++refused;
    }
  }
  EXPECT_GT(read, 0U);
  EXPECT_GT(refused, 500);
}

TEST(Columns, AreBuiltFastEnoughForTheDataPath) {
  auto schema = std::make_shared<Schema>();
  for (int column = 0; column < 8; ++column) {
    schema->fields.push_back(
        Of("c" + std::to_string(column), column % 2 == 0 ? TypeKind::kLong : TypeKind::kString));
  }
  auto builder = ColumnBuilder::Make(schema);
  const auto begin = std::chrono::steady_clock::now();
  for (int row = 0; row < 200'000; ++row) {
    for (size_t column = 0; column < 8; ++column) {
      if (column % 2 == 0) {
        builder->column(column).AppendInteger(row);
      } else {
        builder->column(column).AppendBytes("some text of a row");
      }
    }
    builder->FinishRow();
  }
  const auto built = std::chrono::steady_clock::now();
  auto chunk = builder->Seal();
  const auto sealed = std::chrono::steady_clock::now();
  ASSERT_TRUE(chunk.ok());
  const std::chrono::duration<double> append = built - begin;
  const std::chrono::duration<double> seal = sealed - built;
  const double megabytes = static_cast<double>((*chunk)->bytes()) / 1e6;
  RecordProperty("append_mb_s", std::to_string(megabytes / append.count()));
  RecordProperty("seal_mb_s", std::to_string(megabytes / seal.count()));
  EXPECT_LT(append.count(), 2.0);  // a hundred times what it takes: only a blunder fails this
}

}  // namespace
}  // namespace weft::iceberg
