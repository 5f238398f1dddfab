// SPDX-License-Identifier: Apache-2.0
#include "codec/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "base/check.h"

namespace weft::codec {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
constexpr int kGzipWindow = 15 + 16, kRawWindow = -15;

tl::unexpected<Error> TooLarge(int64_t bytes_max) {
  return Fail(Code::kInvalid, fmt::format("more than {} bytes unpacked", bytes_max));
}

// Makes room for the next piece in `out`: at most one byte past the limit, by which the excess
// shows.
size_t Grow(Bytes& out, size_t used, int64_t bytes_max) {
  size_t most = static_cast<size_t>(bytes_max) + 1 - used;
  size_t piece = std::min(most, std::max(kPieceBytes, used));
  out.resize(used + piece);
  return piece;
}

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// `window` tells the form; a gzip body may be several members one after another (RFC 1952).
Result<Bytes> Unzip(BytesView packed, int64_t bytes_max, int window, std::string_view name) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, window) == Z_OK);
  std::unique_ptr<z_stream, InflateEnd> end(&stream);
  Bytes out;
  size_t used = 0, taken = 0;
  for (;;) {
    if (stream.avail_in == 0) {
      size_t piece = std::min<size_t>(packed.size() - taken, std::numeric_limits<uInt>::max());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + taken));
      stream.avail_in = static_cast<uInt>(piece);
      taken += piece;
    }
    size_t room = std::min<size_t>(Grow(out, used, bytes_max), std::numeric_limits<uInt>::max());
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(room);
    int status = inflate(&stream, Z_NO_FLUSH);
    used += room - stream.avail_out;
    if (used > static_cast<size_t>(bytes_max)) return TooLarge(bytes_max);
    bool all_taken = stream.avail_in == 0 && taken == packed.size();
    if (status == Z_STREAM_END) {
      if (all_taken) break;
      if (window != kGzipWindow)
        return Fail(Code::kInvalid, fmt::format("bytes follow the {} data", name));
      CHECK(inflateReset(&stream) == Z_OK);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      return Fail(Code::kInvalid,
                  fmt::format("not {}: {}", name, stream.msg ? stream.msg : "broken"));
    } else if (all_taken && stream.avail_out > 0) {
      return Fail(Code::kInvalid, fmt::format("the {} data is cut off", name));
    }
  }
  out.resize(used);
  return out;
}

struct DeflateEnd {
  void operator()(z_stream* stream) const { deflateEnd(stream); }
};

Bytes Zip(BytesView bytes, int window) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) ==
        Z_OK);
  std::unique_ptr<z_stream, DeflateEnd> end(&stream);
  Bytes out;
  size_t used = 0, taken = 0;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    if (stream.avail_in == 0) {
      size_t piece = std::min<size_t>(bytes.size() - taken, std::numeric_limits<uInt>::max());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));
      stream.avail_in = static_cast<uInt>(piece);
      taken += piece;
    }
    out.resize(used + kPieceBytes);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = kPieceBytes;
    status = deflate(&stream, taken == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    CHECK(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR);
    used += kPieceBytes - stream.avail_out;
  }
  out.resize(used);
  return out;
}

struct ZstdDeleter {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Result<Bytes> UnpackZstd(BytesView packed, int64_t bytes_max) {
  std::unique_ptr<ZSTD_DCtx, ZstdDeleter> context(ZSTD_createDCtx());
  CHECK(context != nullptr);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  Bytes out;
  size_t used = 0;
  for (;;) {
    size_t room = Grow(out, used, bytes_max);
    ZSTD_outBuffer piece{out.data() + used, room, 0};
    size_t status = ZSTD_decompressStream(context.get(), &piece, &in);
    if (ZSTD_isError(status)) {
      return Fail(Code::kInvalid, fmt::format("not zstd: {}", ZSTD_getErrorName(status)));
    }
    used += piece.pos;
    if (used > static_cast<size_t>(bytes_max)) return TooLarge(bytes_max);
    if (in.pos == in.size && piece.pos < room) {
      if (status != 0) return Fail(Code::kInvalid, "the zstd data is cut off");
      break;
    }
  }
  if (packed.empty()) return Fail(Code::kInvalid, "the zstd data is cut off");
  out.resize(used);
  return out;
}

}  // namespace

bool UnpackedTooLarge(const Error& error) { return error.message().ends_with("bytes unpacked"); }

Result<Compression> ParseContentEncoding(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  if (lower.empty() || lower == "identity") return Compression::kNone;
  if (lower == "gzip" || lower == "x-gzip") return Compression::kGzip;
  if (lower == "zstd") return Compression::kZstd;
  return Fail(Code::kInvalid,
              fmt::format("Content-Encoding \"{}\" is not taken: gzip, zstd or none is", name));
}

Result<Bytes> Decompress(Compression how, BytesView packed, int64_t bytes_max) {
  CHECK(bytes_max >= 0);
  switch (how) {
    case Compression::kGzip:
      return Unzip(packed, bytes_max, kGzipWindow, "gzip");
    case Compression::kZstd:
      return UnpackZstd(packed, bytes_max);
    case Compression::kNone:
      break;
  }
  if (packed.size() > static_cast<size_t>(bytes_max)) return TooLarge(bytes_max);
  return Bytes(packed);
}

Bytes Compress(Compression how, BytesView bytes) {
  if (how == Compression::kGzip) return Zip(bytes, kGzipWindow);
  if (how == Compression::kNone) return Bytes(bytes);
  Bytes out(ZSTD_compressBound(bytes.size()), '\0');
  size_t size =
      ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
  CHECK(!ZSTD_isError(size));
  out.resize(size);
  return out;
}

Bytes Deflate(BytesView bytes) { return Zip(bytes, kRawWindow); }

Result<Bytes> Inflate(BytesView packed, int64_t bytes_max) {
  CHECK(bytes_max >= 0);
  return Unzip(packed, bytes_max, kRawWindow, "deflate");
}

}  // namespace weft::codec
