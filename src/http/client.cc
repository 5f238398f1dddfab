// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/check.h"

namespace weft::http {
namespace {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderLines = std::unique_ptr<curl_slist, ListDeleter>;

void Add(HeaderLines& lines, const std::string& line) {
  curl_slist* longer = curl_slist_append(lines.get(), line.c_str());
  CHECK(longer != nullptr);
  (void)lines.release();
  lines.reset(longer);
}

bool IsContentLength(std::string_view name) {
  return curl_strequal(std::string(name).c_str(), "content-length") != 0;
}

// What the callbacks of one Send share.
struct Transfer {
  CURL* easy = nullptr;
  const Client::OnBody* on_body = nullptr;
  BodyReader* stream = nullptr;
  Response response;
  Bytes unsent;  // read from the stream and not yet taken by curl
  size_t unsent_at = 0;
  std::optional<Error> failure;  // of the caller's own parts

  static size_t OnHeader(char* at, size_t size, size_t count, void* self) {
    static_cast<Transfer*>(self)->TakeHeader({at, size * count});
    return size * count;
  }
  static size_t OnBytes(char* at, size_t size, size_t count, void* self) {
    return static_cast<Transfer*>(self)->TakeBytes({at, size * count}) ? size * count
                                                                       : size * count + 1;
  }
  static size_t OnRead(char* to, size_t size, size_t count, void* self) {
    return static_cast<Transfer*>(self)->GiveBytes(to, size * count);
  }

  void TakeHeader(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
    if (line.starts_with("HTTP/")) {  // also after a 100: only the last head counts
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      response.status = static_cast<int>(status);
      response.headers.clear();
      return;
    }
    size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
      value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    response.headers.emplace_back(name, value);
  }

  bool TakeBytes(BytesView piece) {
    if (*on_body == nullptr) {
      response.body.append(piece);
      return true;
    }
    Status taken = (*on_body)(response, piece);
    if (!taken.ok()) failure = taken.error();
    return taken.ok();
  }

  size_t GiveBytes(char* to, size_t bytes_max) {
    if (unsent_at == unsent.size()) {
      auto read = stream->Read();
      if (!read.ok()) {
        failure = read.error();
        return CURL_READFUNC_ABORT;
      }
      unsent = std::move(*read);
      unsent_at = 0;
    }
    size_t given = std::min(bytes_max, unsent.size() - unsent_at);
    std::memcpy(to, unsent.data() + unsent_at, given);
    unsent_at += given;
    return given;
  }
};

class CurlClient final : public Client {
 public:
  CurlClient(Options options, std::unique_ptr<CURL, EasyDeleter> easy)
      : options_(std::move(options)), easy_(std::move(easy)) {}

  Result<Response> Send(const Request& request, const OnBody& on_body) override {
    CURL* easy = easy_.get();
    curl_easy_reset(easy);  // keeps the connection
    Transfer transfer;
    transfer.easy = easy;
    transfer.on_body = &on_body;
    transfer.stream = request.stream.get();
    std::string url = options_.endpoint + request.path;
    if (!request.query.empty()) url += "?" + request.query;
    HeaderLines lines = HeadersOf(request);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, lines.get());
    SetConnection();
    SetMethod(request, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    char detail[CURL_ERROR_SIZE] = {};
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
    if (transfer.failure) return Fail(std::move(*transfer.failure));
    if (code == CURLE_URL_MALFORMAT)
      return Fail(Code::kInvalid, fmt::format("not an address: {}", url));
    if (code != CURLE_OK) {
      return Fail(Code::kUnavailable,
                  fmt::format("no answer from {}: {}", options_.endpoint,
                              detail[0] != '\0' ? detail : curl_easy_strerror(code)));
    }
    return std::move(transfer.response);
  }

 private:
  static HeaderLines HeadersOf(const Request& request) {
    HeaderLines lines;
    for (const auto& [name, value] : request.headers) {
      // curl takes "name:" for "leave it out", and "name;" for an empty one. It makes the length
      // itself.
      if (IsContentLength(name)) continue;
      Add(lines, value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
    }
    // What curl would add unasked.
    if (FindHeader(request.headers, "content-type").empty()) Add(lines, "Content-Type:");
    if (FindHeader(request.headers, "expect").empty()) Add(lines, "Expect:");
    if (FindHeader(request.headers, "accept").empty()) Add(lines, "Accept:");
    return lines;
  }

  void SetConnection() {
    CURL* easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT,
                     static_cast<long>(options_.connect_time_max.count()));
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options_.stall_time_max.count()));
    // The machine's own authorities are a folder, so that a file adds to them.
    if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  }

  void SetMethod(const Request& request, Transfer& transfer) {
    CURL* easy = easy_.get();
    if (request.stream) {
      curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(easy, CURLOPT_READFUNCTION, &Transfer::OnRead);
      curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
      std::string length(FindHeader(request.headers, "content-length"));
      if (!length.empty()) {
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
                         static_cast<curl_off_t>(std::strtoll(length.c_str(), nullptr, 10)));
      }
    } else if (request.method == "HEAD") {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }

  Options options_;
  std::unique_ptr<CURL, EasyDeleter> easy_;
};

}  // namespace

Result<std::unique_ptr<Client>> Client::Open(Options options) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(started == CURLE_OK);
  while (options.endpoint.ends_with('/')) options.endpoint.pop_back();
  bool known = options.endpoint.starts_with("http://") || options.endpoint.starts_with("https://");
  if (!known || options.endpoint.find('/', options.endpoint.find("://") + 3) != std::string::npos) {
    return Fail(Code::kInvalid,
                fmt::format("an endpoint is http://HOST:PORT or https://HOST:PORT, not \"{}\"",
                            options.endpoint));
  }
  std::unique_ptr<CURL, EasyDeleter> easy(curl_easy_init());
  if (!easy) return Fail(Code::kInternal, "curl does not start");
  return std::unique_ptr<Client>(std::make_unique<CurlClient>(std::move(options), std::move(easy)));
}

}  // namespace weft::http
