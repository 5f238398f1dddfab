// SPDX-License-Identifier: Apache-2.0
#include "app/node.h"

#include "api/api.h"
#include "app/backends.h"
#include "aws/aws.h"
#include "base/logging.h"
#include "http/server.h"
#include "stream/consumers.h"

namespace weft::app {
namespace {

Status MigrateAll(meta::Database& database) {
  TRY(meta::Migrate(database, "stream", stream::Streams::Migrations()));
  TRY(meta::Migrate(database, "consumers", stream::Consumers::Migrations()));
  TRY(meta::Migrate(database, "contract", contract::Contracts::Migrations()));
  TRY(meta::Migrate(database, "identity", identity::Directory::Migrations()));
  TRY(meta::Migrate(database, "catalog", catalog::Catalog::Migrations()));
  TRY(meta::Migrate(database, "govern", govern::Govern::Migrations()));
  TRY(meta::Migrate(database, "tail", tail::Feeds::Migrations()));
  TRY(meta::Migrate(database, "ingest", ingest::Intakes::Migrations()));
  TRY(meta::Migrate(database, "quarantine", ingest::Quarantine::Migrations()));
  TRY(meta::Migrate(database, "deliver", deliver::Delivery::Migrations()));
  return meta::Migrate(database, "mesh", mesh::Meshes::Migrations());
}

// The four seams, opened.
struct Seams {
  std::unique_ptr<meta::Database> database;
  std::unique_ptr<objects::ObjectStore> store;
  std::unique_ptr<log::RecordLog> log;
  std::unique_ptr<engine::Engine> engine;
};

deliver::UpkeepSettings UpkeepOf(const Settings& settings) {
  deliver::UpkeepSettings upkeep;
  upkeep.interval = settings.upkeep_interval;
  upkeep.small_files_min = settings.upkeep_small_files_min;
  upkeep.merge_target_bytes = settings.upkeep_merge_target_bytes;
  upkeep.snapshot_age_max = settings.upkeep_snapshot_age_max;
  upkeep.snapshots_min = settings.upkeep_snapshots_min;
  upkeep.metadata_files_max = settings.upkeep_metadata_files_max;
  upkeep.orphan_age_min = settings.upkeep_orphan_age_min;
  return upkeep;
}

tail::Tail::Options TailOf(const Settings& settings) {
  tail::Tail::Options options;
  options.bytes_max = settings.tail_bytes_max;
  options.bytes_refuse = settings.tail_refuse_bytes;
  return options;
}

stream::Streams::Options StreamsOf(const Settings& settings) {
  return {.shards_max = settings.streams_shards_max,
          .on_demand_shards_max = settings.streams_on_demand_shards_max,
          .on_demand_streams_max = settings.streams_on_demand_streams_max};
}

// Everything between the seams and the doors, in the order of src/LAYERS.
struct Modules {
  Modules(const Settings& settings, const DataFolder& folder, Seams& seams, const Clock& clock,
          Random& random, Metrics& metrics)
      : streams(StreamsOf(settings), *seams.database, *seams.log, clock, metrics),
        consumers(*seams.database, clock),
        tables(*seams.store, clock, random),
        contracts(*seams.database),
        directory({.master_key = folder.master_key()}, *seams.database, clock, random),
        authenticator(directory, clock),
        catalog(*seams.database),
        govern(*seams.database, directory),
        feeds(*seams.database),
        tail(TailOf(settings), streams, contracts, metrics),
        intakes(*seams.database),
        ingest(contracts, intakes, streams, clock, random, metrics, &tail),
        quarantine(*seams.database, streams, ingest),
        delivery(UpkeepOf(settings), {.database = *seams.database,
                                      .store = *seams.store,
                                      .streams = streams,
                                      .tables = tables,
                                      .catalog = catalog,
                                      .feeds = feeds,
                                      .tail = tail,
                                      .engine = *seams.engine,
                                      .clock = clock,
                                      .random = random,
                                      .metrics = metrics}),
        query({.catalog = catalog,
               .govern = govern,
               .tables = tables,
               .feeds = feeds,
               .tail = tail,
               .engine = *seams.engine,
               .clock = clock,
               .metrics = metrics}),
        meshes({.bucket = settings.objects_bucket, .region = settings.region},
               {.database = *seams.database,
                .store = *seams.store,
                .streams = streams,
                .contracts = contracts,
                .directory = directory,
                .catalog = catalog,
                .govern = govern,
                .tables = tables,
                .feeds = feeds,
                .tail = tail,
                .intakes = intakes,
                .quarantine = quarantine,
                .delivery = delivery,
                .clock = clock}) {}

  stream::Streams streams;
  stream::Consumers consumers;
  iceberg::Tables tables;
  contract::Contracts contracts;
  identity::Directory directory;
  identity::Authenticator authenticator;
  catalog::Catalog catalog;
  govern::Govern govern;
  tail::Feeds feeds;
  tail::Tail tail;
  ingest::Intakes intakes;
  ingest::Ingest ingest;
  ingest::Quarantine quarantine;
  deliver::Delivery delivery;
  query::Query query;
  mesh::Meshes meshes;
};

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

class RunningNode final : public Node {
 public:
  explicit RunningNode(Settings settings) : settings_(std::move(settings)) {}
  ~RunningNode() override { Stop(); }

  Status Start() {
    TRY(CheckListening());
    folder_ = TRY(DataFolder::Open(settings_.data_folder, SystemDisk(), SystemRandom()));
    seams_.database = TRY(OpenDatabase(settings_));
    TRY(MigrateAll(*seams_.database));
    seams_.store = TRY(OpenObjects(settings_, SystemDisk(), SystemClock()));
    seams_.log =
        TRY(OpenLog(settings_, folder_->master_key(), SystemDisk(), SystemClock(), metrics_));
    seams_.engine = TRY(OpenEngine(settings_, *seams_.store, SystemClock(), metrics_));
    modules_ = std::make_unique<Modules>(settings_, *folder_, seams_, SystemClock(), SystemRandom(),
                                         metrics_);
    TRY(Recover());
    TRY(Listen());
    TRY(TellClients());
    api_->Open();
    modules_->streams.Start();
    modules_->delivery.Start();
    return {};
  }

  std::string endpoint() const override {
    std::string host = settings_.listen_host;
    if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return fmt::format("{}://{}:{}", settings_.tls_certificate.empty() ? "http" : "https", host,
                       server_->port());
  }

  const std::string& first_key() const override { return first_key_; }

  void Stop() override {
    // Subscriptions would last as long as the grace.
    if (aws_) aws_->Stop();
    if (server_) server_->Stop(std::chrono::duration_cast<seconds>(settings_.stop_grace));
    // Ends the statements that still run: the next line waits for whoever serves them.
    if (seams_.engine) seams_.engine->Stop();
    if (api_) api_->Stop();
    if (modules_) modules_->delivery.Stop();
    if (modules_) modules_->tail.Stop();
    if (modules_) modules_->streams.Stop();
    if (seams_.log) seams_.log->Stop();
    server_.reset();
    aws_.reset();
    api_.reset();
    modules_.reset();
    seams_ = {};
    folder_.reset();
  }

 private:
  Status CheckListening() const {
    if (IsLoopback(settings_.listen_host) || !settings_.tls_certificate.empty()) return {};
    if (settings_.plain_beyond_loopback) return {};
    return Fail(Code::kInvalid, fmt::format("{} can be reached by other machines, and there is no "
                                            "TLS: set server.tls_certificate and "
                                            "server.tls_key, or server.plain_beyond_loopback: true",
                                            settings_.listen_host));
  }

  Status Recover() {
    TRY(modules_->streams.RemoveOrphans());
    TRY(modules_->meshes.Recover());
    TRY(modules_->ingest.Recover(*seams_.database, settings_.ingest_idempotency_keys_max));
    TRY(modules_->quarantine.Recover(modules_->intakes));
    auto made = TRY(modules_->directory.EnsureAdministrator());
    if (made) {
      first_key_ = made->key.id + " " + made->secret;
      // Kept before anybody is told, so that a crash cannot lose the only key.
      TRY(folder_->WriteClient("", made->key.id, made->secret, settings_.region));
    }
    return {};
  }

  Status Listen() {
    const bool loopback = IsLoopback(settings_.listen_host);
    api_ = std::make_unique<api::Api>(
        api::Options{.region = settings_.region,
                     .body_bytes_max = settings_.body_bytes_max,
                     .metrics_open = settings_.metrics_open && loopback,
                     .metrics_token = settings_.metrics_token,
                     .query_time_max = settings_.query_time_max,
                     .query_memory_bytes_max = settings_.query_memory_bytes_max,
                     .query_threads = settings_.query_workers * 2,
                     .query_queue_max = settings_.query_queue_max,
                     .follower_threads = 16},
        api::Dependencies{.authenticator = modules_->authenticator,
                          .directory = modules_->directory,
                          .govern = modules_->govern,
                          .contracts = modules_->contracts,
                          .streams = modules_->streams,
                          .intakes = modules_->intakes,
                          .ingest = modules_->ingest,
                          .quarantine = modules_->quarantine,
                          .delivery = modules_->delivery,
                          .query = modules_->query,
                          .meshes = modules_->meshes,
                          .feeds = modules_->feeds,
                          .catalog = modules_->catalog,
                          .clock = SystemClock(),
                          .metrics = metrics_});
    aws_ = std::make_unique<aws::Aws>(
        aws::Options{.region = settings_.region,
                     .master_key = folder_->master_key(),
                     .shards_max = settings_.streams_shards_max,
                     .on_demand_streams_max = settings_.streams_on_demand_streams_max,
                     .call_rates = settings_.streams_call_rates},
        aws::Dependencies{.authenticator = modules_->authenticator,
                          .govern = modules_->govern,
                          .database = *seams_.database,
                          .streams = modules_->streams,
                          .consumers = modules_->consumers,
                          .ingest = modules_->ingest,
                          .clock = SystemClock(),
                          .random = SystemRandom(),
                          .metrics = metrics_});
    http::Server::Options options;
    options.host = settings_.listen_host;
    options.port = settings_.listen_port;
    options.certificate_file = settings_.tls_certificate;
    options.key_file = settings_.tls_key;
    options.io_threads = settings_.io_threads;
    options.request_threads = settings_.request_threads;
    options.connections_max = settings_.connections_max;
    // One port serves all: an AWS call is told by its head.
    options.plan = [this](const http::Request& head) {
      if (!aws::IsAwsRequest(head)) return api_->Plan(head);
      http::BodyPlan plan = aws_->Plan(head);
      plan.handler = &aws_handler_;
      return plan;
    };
    aws_handler_ = [this](http::Request&& request, http::Reply&& reply) {
      aws_->Handle(std::move(request), std::move(reply));
    };
    auto handler = [this](http::Request&& request, http::Reply&& reply) {
      api_->Handle(std::move(request), std::move(reply));
    };
    server_ = TRY(http::Server::Open(std::move(options), handler, SystemRandom(), metrics_));
    return {};
  }

  Status TellClients() {
    auto key = TRY(folder_->ReadAdminKey());
    return folder_->WriteClient(endpoint(), key ? key->access_key_id : "", key ? key->secret : "",
                                settings_.region);
  }

  const Settings settings_;
  Metrics metrics_;
  std::unique_ptr<DataFolder> folder_;
  Seams seams_;
  std::unique_ptr<Modules> modules_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<aws::Aws> aws_;
  http::Handler aws_handler_;
  std::unique_ptr<http::Server> server_;
  std::string first_key_;
};

}  // namespace

Result<std::unique_ptr<Node>> Node::Start(const Settings& settings) {
  auto node = std::make_unique<RunningNode>(settings);
  TRY(node->Start());
  return node;
}

namespace {

// A mistyped folder must not become a new server with a new administrator.
Status RequireDataFolder(const Settings& settings) {
  if (SystemDisk().Open(settings.data_folder + "/version", OpenMode::kRead).ok()) return {};
  return Fail(Code::kNotFound,
              fmt::format("{} is not a data folder of Weft", settings.data_folder));
}

}  // namespace

Result<DataFolder::AdminKey> ResetAdministratorKey(const Settings& settings) {
  TRY(RequireDataFolder(settings));
  auto folder = TRY(DataFolder::Open(settings.data_folder, SystemDisk(), SystemRandom()));
  auto database = TRY(OpenDatabase(settings));
  TRY(meta::Migrate(*database, "identity", identity::Directory::Migrations()));
  identity::Directory directory({.master_key = folder->master_key()}, *database, SystemClock(),
                                SystemRandom());
  TRY(directory.EnsureAdministrator());
  auto made = TRY(directory.ResetAdministratorKey());
  TRY(folder->WriteClient("", made.key.id, made.secret, settings.region));
  return DataFolder::AdminKey{made.key.id, made.secret};
}

Status RotateMasterKey(const Settings& settings) {
  TRY(RequireDataFolder(settings));
  auto folder = TRY(DataFolder::Open(settings.data_folder, SystemDisk(), SystemRandom(),
                                     DataFolder::OpenFor::kNewMasterKey));
  auto database = TRY(OpenDatabase(settings));
  TRY(meta::Migrate(*database, "identity", identity::Directory::Migrations()));
  const Bytes old = folder->master_key();
  identity::Directory directory({.master_key = old}, *database, SystemClock(), SystemRandom());
  return folder->ChangeMasterKey(SystemRandom(), [&](const Bytes& next) -> Status {
    TRY(directory.Reseal(next));
    return RewrapLogKeys(settings, SystemDisk(), old, next);
  });
}

}  // namespace weft::app
