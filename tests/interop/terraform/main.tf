# SPDX-License-Identifier: Apache-2.0
variable "endpoint" { type = string }
variable "shards" { type = number }
variable "retention" { type = number }
variable "stage" { type = string }
variable "encryption" { type = string }
variable "metrics" { type = list(string) }

provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  endpoints {
    kinesis = var.endpoint
  }
}

resource "aws_kinesis_stream" "clicks" {
  name                = "clicks"
  shard_count         = var.shards
  retention_period    = var.retention
  shard_level_metrics = var.metrics
  encryption_type     = var.encryption
  kms_key_id          = var.encryption == "KMS" ? "alias/aws/kinesis" : null
  tags = {
    stage = var.stage
  }
}

resource "aws_kinesis_stream" "demand" {
  name                      = "demand"
  enforce_consumer_deletion = true
  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

resource "aws_kinesis_stream_consumer" "fan" {
  name       = "fan"
  stream_arn = aws_kinesis_stream.demand.arn
}

resource "aws_kinesis_resource_policy" "clicks" {
  resource_arn = aws_kinesis_stream.clicks.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "writers"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::222222222222:root" }
      Action    = ["kinesis:PutRecord", "kinesis:PutRecords"]
      Resource  = aws_kinesis_stream.clicks.arn
    }]
  })
}
