// SPDX-License-Identifier: Apache-2.0
// Reads mesh.yaml into a Declaration, remembering the lines that the checks of what it refers to
// will name.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "govern/policy.h"
#include "mesh/declaration.h"
#include "mesh/faults.h"

namespace weft::mesh {

class DeclarationReader {
 public:
  DeclarationReader(const MeshFiles& files, Faults& faults) : files_(files), faults_(faults) {}
  void Read(const YamlNode& root);
  Declaration Take() { return std::move(declaration_); }

 private:
  // One entry of `accounts:`, `products:`, ….
  struct Entry {
    std::string name;
    int line = 0;
    const YamlNode* node = nullptr;
  };
  struct ProductLines {
    int line = 0, account = 0, database = 0, partition_by = 0;
    bool contract_read = false;
  };
  struct GrantLines {
    int line = 0, to = 0, table = 0;
    std::vector<Section::Value> columns;
  };
  struct UserLines {
    int account = 0;
    std::vector<Section::Value> groups;
  };

  std::vector<Entry> Entries(const Section& root, const std::string& key, const char* what);
  void ReadAccount(const Entry& entry);
  void ReadProduct(const Entry& entry);
  void ReadIngest(const Section& section, DeclaredProduct& product);
  void ReadDelivery(const Section& section, DeclaredProduct& product, ProductLines& lines);
  void ReadContract(const Section& section, DeclaredProduct& product, ProductLines& lines);
  void ReadColumns(const YamlNode& columns, DeclaredProduct& product, ProductLines& lines);
  void ReadGroup(const Entry& entry);
  void ReadUser(const Entry& entry);
  void ReadGrant(const YamlNode& node, size_t index);
  std::vector<DeclaredPolicy> ReadPolicies(const Section& section);

  int64_t Size(const Section& section, std::string_view key, int64_t otherwise, int64_t min,
               int64_t max);
  // A whole number from 1.
  int64_t Count(const Section& section, std::string_view key, int64_t otherwise);
  milliseconds Duration(const Section& section, std::string_view key, milliseconds otherwise,
                        milliseconds min, milliseconds max);
  bool CheckPath(const Section::Value& path, const std::string& what);

  // What refers to something else; once all of it is read. reader_references.cc.
  void CheckAccount(const std::string& name, int line);
  void CheckProducts();
  void CheckTables(const DeclaredProduct& product, const ProductLines& lines);
  void CheckUsers();
  void CheckGrants();
  void CheckGrantee(const DeclaredGrant& grant, const GrantLines& lines);
  void CheckGrantColumns(const DeclaredGrant& grant, const GrantLines& lines);

  const MeshFiles& files_;
  Faults& faults_;
  Declaration declaration_;
  std::vector<ProductLines> product_lines_;
  std::vector<int> group_lines_;
  std::vector<UserLines> user_lines_;
  std::vector<GrantLines> grant_lines_;
  std::map<std::string, std::optional<contract::Contract>>
      contracts_;                                                // by path; none: it is faulty
  std::map<std::string, bool> policies_;                         // by path; whether it is right
  std::map<std::string, const contract::SchemaObject*> tables_;  // "sales.orders"
};

}  // namespace weft::mesh
