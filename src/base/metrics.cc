// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>

namespace weft {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& metric) : metric_(metric) {}
  void Add(double amount) override { metric_.Increment(amount); }

 private:
  prometheus::Counter& metric_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& metric) : metric_(metric) {}
  void Set(double value) override { metric_.Set(value); }

 private:
  prometheus::Gauge& metric_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& metric) : metric_(metric) {}
  void Observe(double value) override { metric_.Observe(value); }

 private:
  prometheus::Histogram& metric_;
};

// One wrapper for each metric, found by the address of what it wraps.
template <class Wrapper, class Metric>
Wrapper& Keep(std::map<const void*, std::unique_ptr<Wrapper>>& kept, Metric& metric) {
  auto& slot = kept[&metric];
  if (!slot) slot = std::make_unique<Wrapper>(metric);
  return *slot;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  std::mutex mutex;  // guards what follows
  std::map<const void*, std::unique_ptr<PrometheusCounter>> counters;
  std::map<const void*, std::unique_ptr<PrometheusGauge>> gauges;
  std::map<const void*, std::unique_ptr<PrometheusHistogram>> histograms;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::AddCounter(const std::string& name, const std::string& help,
                             const Labels& labels) {
  std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return Keep(state_->counters, family.Add(labels));
}

Gauge& Metrics::AddGauge(const std::string& name, const std::string& help, const Labels& labels) {
  std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  return Keep(state_->gauges, family.Add(labels));
}

Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help,
                                 const std::vector<double>& buckets, const Labels& labels) {
  std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return Keep(state_->histograms, family.Add(labels, buckets));
}

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace weft
