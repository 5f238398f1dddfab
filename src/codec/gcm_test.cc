// SPDX-License-Identifier: Apache-2.0
#include "codec/gcm.h"

#include <gtest/gtest.h>

#include "codec/hash.h"

namespace weft::codec {
namespace {

Bytes Octets(std::string_view hex) {
  auto bytes = HexDecode(hex);
  EXPECT_TRUE(bytes.ok());
  return bytes.ok() ? *bytes : Bytes();
}

// NIST's validation vectors for GCM, 256-bit keys (test case 16 of the GCM specification).
TEST(GcmTest, AgreesWithTheSpecification) {
  Gcm gcm(Octets("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"));
  const Bytes nonce = Octets("cafebabefacedbaddecaf888");
  const Bytes context = Octets("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes plain = Octets(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449"
      "a6b525b16aedf5aa0de657ba637b39");
  Bytes bytes = plain;
  Bytes tag(Gcm::kTagBytes, '\0');
  gcm.Encrypt(nonce, context, bytes.data(), bytes.size(), tag.data());
  EXPECT_EQ(
      HexEncode(bytes),
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10"
      "56828838c5f61e6393ba7a0abcc9f662");
  EXPECT_EQ(HexEncode(tag), "76fc6ece0f4e1768cddf8853bb2d551b");
  ASSERT_TRUE(gcm.Decrypt(nonce, context, bytes.data(), bytes.size(), tag));
  EXPECT_EQ(bytes, plain);
}

TEST(GcmTest, OpensNothingThatWasChanged) {
  const Bytes key(Gcm::kKeyBytes, 'k');
  const Bytes nonce(Gcm::kNonceBytes, 'n');
  Gcm gcm(key);
  Bytes sealed = "some octets";
  Bytes tag(Gcm::kTagBytes, '\0');
  gcm.Encrypt(nonce, "context", sealed.data(), sealed.size(), tag.data());
  auto opens = [&](Gcm& with, const Bytes& a_nonce, BytesView context, Bytes bytes,
                   const Bytes& a_tag) {
    return with.Decrypt(a_nonce, context, bytes.data(), bytes.size(), a_tag);
  };
  EXPECT_TRUE(opens(gcm, nonce, "context", sealed, tag));
  Gcm other(Bytes(Gcm::kKeyBytes, 'o'));
  EXPECT_FALSE(opens(other, nonce, "context", sealed, tag));
  EXPECT_FALSE(opens(gcm, Bytes(Gcm::kNonceBytes, 'm'), "context", sealed, tag));
  EXPECT_FALSE(opens(gcm, nonce, "", sealed, tag));
  EXPECT_FALSE(opens(gcm, nonce, "context", sealed, Bytes(Gcm::kTagBytes, '\0')));
  for (char& octet : sealed) {
    octet ^= 1;
    EXPECT_FALSE(opens(gcm, nonce, "context", sealed, tag));
    octet ^= 1;
  }
  // A failure leaves nothing behind that spoils the next.
  EXPECT_TRUE(opens(gcm, nonce, "context", sealed, tag));
}

TEST(GcmTest, TakesNothingAtAll) {
  Gcm gcm(Bytes(Gcm::kKeyBytes, 'k'));
  const Bytes nonce(Gcm::kNonceBytes, 'n');
  Bytes tag(Gcm::kTagBytes, '\0');
  gcm.Encrypt(nonce, "", nullptr, 0, tag.data());
  EXPECT_TRUE(gcm.Decrypt(nonce, "", nullptr, 0, tag));
}

}  // namespace
}  // namespace weft::codec
