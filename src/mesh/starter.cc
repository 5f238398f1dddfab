// SPDX-License-Identifier: Apache-2.0
#include "mesh/declaration.h"

namespace weft::mesh {
namespace {

constexpr const char* kMesh =
    R"(# A mesh: who owns which data, what it looks like, and who may read it.
# `weft plan DIR` says what would change, `weft apply DIR` makes it so, as often as you like.
# Every key is described in docs/mesh.md.
mesh: starter

accounts:                                 # who owns what; ids have twelve digits, as in AWS
  shop:     { id: "100000000001", description: sells things }
  insights: { id: "100000000002", description: asks questions }

products:
  orders:                                 # becomes the table shop.orders
    account: shop
    database: shop
    contract: orders.odcs.yaml            # the Open Data Contract Standard; or `columns`, as below
    ingest:
      mode: partial                       # good records in, bad ones to quarantine; atomic: one bad refuses all
      unknown_fields: refuse              # a field that the contract does not have makes the record bad; or ignore
      # record_bytes_max: 1 MiB
      # bytes_per_second: 20 MiB          # more is answered 429; no limit unless told
      # records_per_second: 10000
    retention: 7d                         # of the log, 24h to 365d; the table keeps everything
    # retention_size: 20 GiB              # and at most so much of it
    delivery:                             # when records go from the log to the table, whichever comes first
      buffer_size: 64 MiB
      buffer_interval: 60 s
      partition_by: [day(ordered_at)]     # a column, or year(), month(), day(), hour() of one or of _arrival

  page_views:                             # the short form, without a contract file; every column is optional
    account: shop
    database: shop
    columns:
      - { name: url, type: string }
      - { name: visitor, type: bigint }
      - { name: seen_at, type: timestamp }
    delivery: { partition_by: [hour(_arrival)] }

groups:
  publishers: { account: shop, policies: [policies/publish.json] }
  analysts:   { account: insights, policies: [policies/query.json] }

users:                                    # `weft key create press` makes an access key
  press: { account: shop, groups: [publishers] }
  ada:   { account: insights, groups: [analysts] }

grants:                                   # what may be read; nothing is readable without one
  - { to: user/ada, table: shop.orders, columns: [order_id, ordered_at, country, total] }
  - { to: account/insights, table: shop.page_views }
)";

constexpr const char* kOrders =
    R"(# A data contract in the Open Data Contract Standard: https://bitol.io
# Each record of the product is checked against it before it is taken in.
apiVersion: v3.1.0
kind: DataContract
id: 5d0f7a8e-51f0-4f0b-9d36-0c5a4f6f2b11
name: orders
version: 1.0.0
status: active
description:
  purpose: One record for each order that a customer places.
schema:
  - name: orders
    logicalType: object
    properties:
      - name: order_id
        logicalType: string
        required: true                    # a record without it is bad
        logicalTypeOptions: { pattern: "^[A-Z]{2}[0-9]{6}$" }
      - name: ordered_at
        logicalType: timestamp
        required: true
      - name: country
        logicalType: string
        required: true
        logicalTypeOptions: { minLength: 2, maxLength: 2 }
      - name: total
        logicalType: number
        physicalType: decimal(12,2)
        logicalTypeOptions: { minimum: 0 }
      - name: email                       # not granted to ada above: for her it does not exist
        logicalType: string
)";

constexpr const char* kPublish = R"({
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:100000000001:*/POST/sink_data/" },
    { "Effect": "Allow", "Action": "weft:PutRecords", "Resource": "arn:aws:weft:*:100000000001:product/*" }
  ]
}
)";

constexpr const char* kQuery = R"({
  "Version": "2012-10-17",
  "Statement": [
    { "Effect": "Allow", "Action": ["weft:Query", "weft:ExplainAccess", "weft:Describe*"], "Resource": "*" }
  ]
}
)";

}  // namespace

const MeshFiles& StarterMesh() {
  static const MeshFiles files = {{"mesh.yaml", kMesh},
                                  {"orders.odcs.yaml", kOrders},
                                  {"policies/publish.json", kPublish},
                                  {"policies/query.json", kQuery}};
  return files;
}

}  // namespace weft::mesh
