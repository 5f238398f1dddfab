// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    for (const char* pattern :
         {"/", "/healthz", "/api/v1/products/{product}", "/api/v1/products/{product}/records",
          "/api/v1/products/mine", "/sink_data/"}) {
      Add("GET", pattern);
    }
    Add("POST", "/api/v1/products/{product}/records");
  }
  void Add(const std::string& method, const std::string& pattern) {
    router_.Add(method, pattern,
                [this, text = method + " " + pattern](Router::Parameters, Request, Reply) {
                  called_ = text;
                });
  }
  std::string Find(std::string_view method, std::string_view path) {
    called_ = "none";
    auto match = router_.Find(method, path);
    if (match.handler != nullptr) (*match.handler)(std::move(match.parameters), {}, Reply(nullptr));
    return called_;
  }
  Router router_;
  std::string called_;
};

TEST_F(RouterTest, FindsByMethodAndPath) {
  EXPECT_EQ(Find("GET", "/"), "GET /");
  EXPECT_EQ(Find("GET", "/healthz"), "GET /healthz");
  EXPECT_EQ(Find("POST", "/api/v1/products/a/records"), "POST /api/v1/products/{product}/records");
  EXPECT_EQ(Find("GET", "/sink_data/"), "GET /sink_data/");
}

TEST_F(RouterTest, ALiteralSegmentGoesBeforeAParameter) {
  EXPECT_EQ(Find("GET", "/api/v1/products/mine"), "GET /api/v1/products/mine");
  EXPECT_EQ(Find("GET", "/api/v1/products/yours"), "GET /api/v1/products/{product}");
}

TEST_F(RouterTest, ParametersAreOneDecodedSegment) {
  EXPECT_EQ(router_.Find("GET", "/api/v1/products/a%2Fb%20c").parameters.at("product"), "a/b c");
  EXPECT_EQ(Find("GET", "/api/v1/products/a/b"), "none");
  EXPECT_EQ(Find("GET", "/api/v1/products/"), "none");
}

TEST_F(RouterTest, TellsAnUnknownPathFromAnUnknownMethod) {
  EXPECT_THAT(router_.Find("GET", "/nothing").allowed, IsEmpty());
  EXPECT_THAT(router_.Find("DELETE", "/api/v1/products/a/records").allowed,
              ElementsAre("GET", "POST"));
  EXPECT_EQ(Find("DELETE", "/healthz"), "none");
}

TEST_F(RouterTest, BrokenPathsAreUnknown) {
  for (const char* path : {"", "*", "healthz", "/api/v1/products/%zz", "//healthz", "/healthz/"}) {
    EXPECT_EQ(Find("GET", path), "none") << path;
  }
}

}  // namespace
}  // namespace weft::http
