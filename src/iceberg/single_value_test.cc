// SPDX-License-Identifier: Apache-2.0
#include "iceberg/single_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace weft::iceberg {
namespace {

Type Of(TypeKind kind, int precision = 0, int scale = 0, int length = 0) {
  return Type{kind, precision, scale, length, {}};
}

constexpr int64_t kMicrosOfDay = 86'400'000'000LL;

TEST(SingleValue, HasTheSpecificationsForm) {
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kBoolean), true), Bytes("\1", 1));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kInt), int64_t{34}), Bytes("\x22\0\0\0", 4));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kLong), int64_t{-2}), "\xfe" + Bytes(7, '\xff'));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kFloat), 1.0), Bytes("\0\0\x80\x3f", 4));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kDecimal, 9, 2), Int128{1420}), Bytes("\x05\x8c", 2));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kDecimal, 9, 2), Int128{128}), Bytes("\0\x80", 2));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kDecimal, 9, 2), Int128{-128}), Bytes("\x80", 1));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kDecimal, 9, 2), Int128{0}), Bytes("\0", 1));
  EXPECT_EQ(EncodeSingleValue(Of(TypeKind::kString), Bytes("iceberg")), "iceberg");
}

TEST(SingleValue, DecodesWhatItEncoded) {
  Int128 large = 1;
  for (int digit = 0; digit < 38; ++digit) large *= 10;
  for (const Int128 value :
       {Int128{0}, Int128{-1}, Int128{255}, Int128{-129}, large - 1, 1 - large}) {
    const Type type = Of(TypeKind::kDecimal, 38, 0);
    const auto decoded = DecodeSingleValue(type, EncodeSingleValue(type, value));
    ASSERT_TRUE(decoded.ok());
    EXPECT_TRUE(std::get<Int128>(*decoded) == value);
  }
  for (const int64_t value : {int64_t{0}, int64_t{-1}, std::numeric_limits<int64_t>::min(),
                              std::numeric_limits<int64_t>::max()}) {
    const Type type = Of(TypeKind::kTimestampTz);
    EXPECT_EQ(*DecodeSingleValue(type, EncodeSingleValue(type, value)), PrimitiveValue(value));
  }
}

TEST(SingleValue, ReadsValuesFromBeforeAColumnWasWidened) {
  EXPECT_EQ(
      *DecodeSingleValue(Of(TypeKind::kLong), EncodeSingleValue(Of(TypeKind::kInt), int64_t{-7})),
      PrimitiveValue(int64_t{-7}));
  EXPECT_EQ(*DecodeSingleValue(Of(TypeKind::kDouble), EncodeSingleValue(Of(TypeKind::kFloat), 0.5)),
            PrimitiveValue(0.5));
}

TEST(SingleValue, RefusesOctetsThatAreNoValue) {
  for (const TypeKind kind :
       {TypeKind::kBoolean, TypeKind::kInt, TypeKind::kLong, TypeKind::kFloat, TypeKind::kDouble,
        TypeKind::kDate, TypeKind::kTimestamp, TypeKind::kUuid, TypeKind::kStruct}) {
    EXPECT_EQ(DecodeSingleValue(Of(kind), "abc").error().code(), Code::kCorrupt);
    EXPECT_FALSE(DecodeSingleValue(Of(kind), "").ok());
  }
  EXPECT_FALSE(DecodeSingleValue(Of(TypeKind::kDecimal), "").ok());
  EXPECT_FALSE(DecodeSingleValue(Of(TypeKind::kDecimal), Bytes(17, '\1')).ok());
  EXPECT_FALSE(DecodeSingleValue(Of(TypeKind::kFixed, 0, 0, 2), "abc").ok());
}

TEST(SingleValue, SortsAsItsType) {
  const auto compare = [](const Type& type, const PrimitiveValue& a, const PrimitiveValue& b) {
    return *CompareSingleValues(type, EncodeSingleValue(type, a), EncodeSingleValue(type, b));
  };
  EXPECT_LT(compare(Of(TypeKind::kLong), int64_t{-1}, int64_t{1}), 0);
  EXPECT_GT(compare(Of(TypeKind::kInt), int64_t{256}, int64_t{1}), 0);
  EXPECT_LT(compare(Of(TypeKind::kDecimal, 9, 2), Int128{-1000}, Int128{2}), 0);
  EXPECT_LT(compare(Of(TypeKind::kString), Bytes("z"), Bytes("é")), 0);
  EXPECT_EQ(compare(Of(TypeKind::kString), Bytes("a"), Bytes("a")), 0);
  EXPECT_LT(compare(Of(TypeKind::kDouble), -0.0, 0.0), 0);
  EXPECT_LT(compare(Of(TypeKind::kDouble), 1e300, std::nan("")), 0);
  EXPECT_EQ(compare(Of(TypeKind::kDouble), std::nan(""), std::nan("")), 0);
  EXPECT_LT(compare(Of(TypeKind::kBoolean), false, true), 0);
}

TEST(Bounds, AreShortenedToSixteenCodePoints) {
  const Type text = Of(TypeKind::kString);
  EXPECT_EQ(ShortenUpperBound(text, "short"), "short");
  EXPECT_EQ(ShortenUpperBound(text, "exactly 16 chars"), "exactly 16 chars");
  EXPECT_EQ(ShortenLowerBound(text, "more than 16 characters"), "more than 16 cha");
  EXPECT_EQ(ShortenUpperBound(text, "more than 16 characters"), "more than 16 chb");
  Bytes accents;
  for (int i = 0; i < 20; ++i) accents += "é";
  EXPECT_EQ(ShortenLowerBound(text, accents), accents.substr(0, 32));
  EXPECT_EQ(ShortenUpperBound(text, accents), accents.substr(0, 30) + "ê");
  // The code point before the surrogates is followed by the one behind them.
  EXPECT_EQ(ShortenUpperBound(text, Bytes(15, 'a') + "\xed\x9f\xbf" + "b"),
            Bytes(15, 'a') + "\xee\x80\x80");
  EXPECT_EQ(ShortenUpperBound(text, Bytes(15, 'a') + "\x7f" + "b"), Bytes(15, 'a') + "\xc2\x80");
  // The last code point of all has none behind it: the one before it moves.
  EXPECT_EQ(ShortenUpperBound(text, Bytes(15, 'a') + "\xf4\x8f\xbf\xbf" + "b"),
            Bytes(14, 'a') + "b");
  Bytes last;
  for (int i = 0; i < 17; ++i) last += "\xf4\x8f\xbf\xbf";
  EXPECT_EQ(ShortenUpperBound(text, last), std::nullopt);
  EXPECT_EQ(ShortenUpperBound(text, "\xff\xff"), std::nullopt);
  EXPECT_EQ(ShortenLowerBound(text, "\xff\xff"), std::nullopt);
}

TEST(Bounds, OfOctetsAreShortenedToSixteen) {
  const Type binary = Of(TypeKind::kBinary);
  EXPECT_EQ(ShortenLowerBound(binary, Bytes(20, '\xff')), Bytes(16, '\xff'));
  EXPECT_EQ(ShortenUpperBound(binary, Bytes(20, '\xff')), std::nullopt);
  EXPECT_EQ(ShortenUpperBound(binary, Bytes(15, 'a') + "\xff\xff"), Bytes(14, 'a') + "b");
  EXPECT_EQ(ShortenUpperBound(binary, Bytes(16, '\xff')), Bytes(16, '\xff'));
  const Type number = Of(TypeKind::kLong);
  EXPECT_EQ(ShortenUpperBound(number, Bytes(8, '\xff')), Bytes(8, '\xff'));
}

class PartitionTest : public testing::Test {
 protected:
  static Field Source(TypeKind kind) {
    Field field;
    field.id = 1;
    field.name = "at";
    field.type.kind = kind;
    return field;
  }
  // The partition value and its text.
  static std::string Text(Transform transform, TypeKind kind, const PrimitiveValue& value) {
    Schema schema;
    schema.fields = {Source(kind)};
    PartitionSpec spec;
    spec.fields = {MakePartitionField(schema.fields[0], transform, 1000)};
    const auto result = ApplyTransform(spec.fields[0], schema.fields[0].type,
                                       EncodeSingleValue(schema.fields[0].type, value));
    if (!result.ok()) return result.error().message();
    return PartitionPath(spec, schema, {*result});
  }
};

TEST_F(PartitionTest, FollowsTheTransforms) {
  const int64_t at = 20758 * kMicrosOfDay + 10 * 3'600'000'000LL + 5;  // 2026-11-01 10:00
  EXPECT_EQ(Text(Transform::kYear, TypeKind::kTimestampTz, at), "at_year=2026");
  EXPECT_EQ(Text(Transform::kMonth, TypeKind::kTimestamp, at), "at_month=2026-11");
  EXPECT_EQ(Text(Transform::kDay, TypeKind::kTimestampTz, at), "at_day=2026-11-01");
  EXPECT_EQ(Text(Transform::kHour, TypeKind::kTimestampTz, at), "at_hour=2026-11-01-10");
  EXPECT_EQ(Text(Transform::kDay, TypeKind::kDate, int64_t{20758}), "at_day=2026-11-01");
  EXPECT_EQ(Text(Transform::kIdentity, TypeKind::kTimestampTz, at),
            "at=2026-11-01T10_00_00.000005");
  EXPECT_EQ(Text(Transform::kVoid, TypeKind::kDate, int64_t{1}), "at_null=null");
}

TEST_F(PartitionTest, RoundsDownBefore1970) {
  EXPECT_EQ(Text(Transform::kYear, TypeKind::kTimestamp, int64_t{-1}), "at_year=1969");
  EXPECT_EQ(Text(Transform::kMonth, TypeKind::kTimestamp, int64_t{-1}), "at_month=1969-12");
  EXPECT_EQ(Text(Transform::kDay, TypeKind::kTimestamp, int64_t{-1}), "at_day=1969-12-31");
  EXPECT_EQ(Text(Transform::kHour, TypeKind::kTimestamp, int64_t{-1}), "at_hour=1969-12-31-23");
  EXPECT_EQ(Text(Transform::kDay, TypeKind::kTimestamp, -kMicrosOfDay), "at_day=1969-12-31");
  EXPECT_EQ(Text(Transform::kYear, TypeKind::kDate, int64_t{-719529}), "at_year=-001");
  // The ends of what the types hold must not overflow.
  EXPECT_THAT(Text(Transform::kDay, TypeKind::kTimestamp, std::numeric_limits<int64_t>::min()),
              testing::StartsWith("at_day=-"));
  EXPECT_THAT(
      Text(Transform::kMonth, TypeKind::kDate, int64_t{std::numeric_limits<int32_t>::max()}),
      testing::StartsWith("at_month=58"));
}

TEST_F(PartitionTest, RefusesWhatItCannotDo) {
  const Field text = Source(TypeKind::kString);
  EXPECT_EQ(ApplyTransform(MakePartitionField(text, Transform::kDay, 1000), text.type, "a")
                .error()
                .code(),
            Code::kInvalid);
  const Field date = Source(TypeKind::kDate);
  EXPECT_EQ(
      ApplyTransform(MakePartitionField(date, Transform::kHour, 1000), date.type, Bytes(4, '\0'))
          .error()
          .code(),
      Code::kInvalid);
  PartitionField bucket;
  bucket.transform = Transform::kOther;
  bucket.transform_text = "bucket[16]";
  EXPECT_EQ(ApplyTransform(bucket, text.type, "a").error().code(), Code::kNotOffered);
  EXPECT_EQ(ResultType(bucket, text.type).kind, TypeKind::kInt);
}

TEST_F(PartitionTest, HasAPathOfPlainCharacters) {
  EXPECT_EQ(Text(Transform::kIdentity, TypeKind::kString, Bytes("CH")), "at=CH");
  EXPECT_EQ(Text(Transform::kIdentity, TypeKind::kString, Bytes("../a b=é")), "at=.._a_b__");
  EXPECT_EQ(Text(Transform::kIdentity, TypeKind::kString, Bytes()), "at=");
  EXPECT_LT(Text(Transform::kIdentity, TypeKind::kString, Bytes(5000, 'x')).size(), 100U);
  EXPECT_EQ(Text(Transform::kIdentity, TypeKind::kBoolean, true), "at=true");
  EXPECT_EQ(Text(Transform::kIdentity, TypeKind::kLong, int64_t{-5}), "at=-5");
  EXPECT_EQ(PartitionPath({}, {}, {}), "");
  Schema schema;
  schema.fields = {Source(TypeKind::kDecimal)};
  schema.fields[0].type.scale = 2;
  PartitionSpec spec;
  spec.fields = {MakePartitionField(schema.fields[0], Transform::kIdentity, 1000),
                 MakePartitionField(schema.fields[0], Transform::kIdentity, 1001)};
  const auto value = EncodeSingleValue(schema.fields[0].type, Int128{-5});
  EXPECT_EQ(PartitionPath(spec, schema, {value, std::nullopt}), "at=-0.05/at=null");
}

}  // namespace
}  // namespace weft::iceberg
