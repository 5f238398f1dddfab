// SPDX-License-Identifier: Apache-2.0
// Counts what the checker takes from the heap.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "contract/checker.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WEFT_COUNTS_ALLOCATIONS 0
#else
#define WEFT_COUNTS_ALLOCATIONS 1
#endif

namespace {
thread_local int64_t allocations = 0;
}  // namespace

#if WEFT_COUNTS_ALLOCATIONS
void* operator new(size_t size) {
  ++allocations;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace weft::contract {
namespace {

constexpr const char* kContract = R"yaml(
apiVersion: v3.1.0
kind: DataContract
id: things
version: "1"
status: active
schema:
  - name: things
    properties:
      - { name: id, logicalType: integer, required: true }
      - { name: price, logicalType: number, physicalType: "decimal(20,4)" }
      - { name: ratio, logicalType: number, logicalTypeOptions: { minimum: 0, maximum: 1 } }
      - { name: code, logicalType: string, logicalTypeOptions: { pattern: "^[A-Z]{3}-", maxLength: 40 } }
      - { name: mail, logicalType: string, logicalTypeOptions: { format: email } }
      - { name: at, logicalType: timestamp, logicalTypeOptions: { format: "yyyy/MM/dd HH:mm" } }
      - { name: day, logicalType: date }
      - { name: free, logicalType: object }
      - name: lines
        logicalType: array
        logicalTypeOptions: { minItems: 1 }
        items:
          logicalType: object
          properties:
            - { name: sku, logicalType: string, required: true }
            - { name: count, logicalType: integer }
)yaml";

constexpr std::string_view kRecord =
    R"({"day":"2026-11-01","id":12345678901234,"price":"1234567890123456.7890","ratio":0.5,)"
    R"("code":"ABC-\u00e4\"\n a text that is longer","mail":"ann@example.org","at":"2026/11/01 10:00",)"
    R"("lines":[{"sku":"a long enough stock-keeping unit","count":3},{"count":4,"sku":"b"}],)"
    R"("free":{"a":[1,2.5e3,{"b":null}],"c\u0041":"d"},"unknown":{"x":1,"y":[true]}})";

TEST(Allocation, GoodRecordsTakeNothingOnceTheBuffersAreThere) {
  if (!WEFT_COUNTS_ALLOCATIONS) GTEST_SKIP() << "a sanitizer has operator new";
  auto contract = ParseOdcs(kContract);
  ASSERT_TRUE(contract.ok()) << contract.error().message();
  auto schema =
      std::make_shared<const iceberg::Schema>(MakeTableSchema(contract->objects[0]).schema);
  auto checker = Checker::Make(contract->objects[0], schema,
                               {.unknown_fields = UnknownFields::kIgnore, .errors_max = 20});
  ASSERT_TRUE(checker.ok()) << checker.error().message();
  auto session = (*checker)->Open();
  std::vector<FieldError> errors;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(session->Check(kRecord, errors)) << errors[0].field << " " << errors[0].reason;
  }
  const int64_t before = allocations;
  EXPECT_GT(before, 0) << "nothing is counted";
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(session->Check(kRecord, errors));
  EXPECT_EQ(allocations - before, 0);
}

}  // namespace
}  // namespace weft::contract
