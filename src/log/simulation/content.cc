// SPDX-License-Identifier: Apache-2.0
#include "log/simulation/content.h"

#include <fmt/format.h>

#include <cstdio>
#include <random>

namespace weft::log {
namespace {

// Octets without a pattern; each record has a stretch of its own.
constexpr size_t kNoiseBytes = size_t{1} << 17;

BytesView Noise(size_t at, size_t bytes) {
  static const Bytes noise = [] {
    std::mt19937_64 random(1);
    Bytes made(kNoiseBytes, '\0');
    for (char& c : made) c = static_cast<char>(random() >> 32);
    return made;
  }();
  return BytesView(noise).substr(at % (kNoiseBytes / 2), bytes);
}

size_t NoiseAt(const Content& content, size_t record) {
  return static_cast<size_t>(content.unit) * 131 + static_cast<size_t>(content.part) * 31 + record;
}

std::string Words(const Content& content, size_t record) {
  return fmt::format("<{}>{}:", IdOf(content), record);
}

}  // namespace

std::string IdOf(const Content& content) {
  return fmt::format("unit {} part {}", content.unit, content.part);
}

Batch BatchOf(const Content& content) {
  auto owner = std::make_shared<std::vector<std::string>>();
  Batch batch;
  batch.id = IdOf(content);
  for (size_t i = 0; i < content.value_bytes.size(); ++i) {
    std::string value = Words(content, i);
    value += Noise(NoiseAt(content, i), content.value_bytes[i]);
    owner->push_back(std::move(value));
  }
  for (size_t i = 0; i < owner->size(); ++i) {
    // The key is the head of the value: as long as the record's number.
    batch.records.push_back({.key = BytesView((*owner)[i]).substr(0, i), .value = (*owner)[i]});
  }
  batch.owner = owner;
  return batch;
}

std::optional<UnitPart> PlaceOf(const std::string& id) {
  UnitPart place;
  if (std::sscanf(id.c_str(), "unit %d part %d", &place.unit, &place.part) != 2) return {};
  return place;
}

std::string Difference(const Content& content, const StoredBatch& stored) {
  if (stored.id != IdOf(content)) return "the id";
  if (stored.records.size() != content.value_bytes.size()) {
    return fmt::format("{} records instead of {}", stored.records.size(),
                       content.value_bytes.size());
  }
  for (size_t i = 0; i < stored.records.size(); ++i) {
    const Record& record = stored.records[i];
    const std::string words = Words(content, i);
    const bool same =
        record.value.size() == words.size() + content.value_bytes[i] &&
        record.value.starts_with(words) &&
        record.value.substr(words.size()) == Noise(NoiseAt(content, i), content.value_bytes[i]) &&
        record.key == record.value.substr(0, i);
    if (!same) return fmt::format("record {}", i);
  }
  return "";
}

}  // namespace weft::log
