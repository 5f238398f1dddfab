// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <csignal>

#include "cli/commands.h"

namespace weft::cli {
namespace {

// The command tree: names, options, and which function each leads to.
class Program {
 public:
  explicit Program(const ServerCommands& server) : server_(server) {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_flag("--json", context_.output.json, "print JSON");
    app_.add_option("--data", context_.data_folder,
                    "the server's data folder (WEFT_DATA, ./weft-data)");
    AddServer();
    AddDeclaring();
    AddRecords();
    AddSeeing();
    AddQuarantine();
    AddKeys();
    AddLog();
  }

  int Run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
      return app_.exit(help);
    } catch (const CLI::CallForAllHelp& help) {
      return app_.exit(help);
    } catch (const CLI::ParseError& error) {
      return WrongUsage(error.what(), argc, argv);
    }
    std::fflush(stdout);
    return status_;
  }

 private:
  int WrongUsage(std::string what, int argc, char** argv) const {
    Output output = context_.output;
    for (int i = 1; i < argc; ++i)
      output.json = output.json || std::string_view(argv[i]) == "--json";
    // The library speaks of a missing command where the first word is one it does not know.
    const auto named = app_.get_subcommands(
        [&](const CLI::App* command) { return argc > 1 && command->check_name(argv[1]); });
    if (argc > 1 && argv[1][0] != '-' && named.empty()) {
      what = fmt::format("there is no command '{}'", Printable(argv[1]));
    }
    return output.Failed(Error(Code::kInvalid, "usage: " + what + "; see weft --help"));
  }

  using Work = std::function<Status()>;

  CLI::App* Add(CLI::App& parent, const char* name, const char* help, Work work) {
    CLI::App* command = parent.add_subcommand(name, help);
    command->fallthrough();
    command->callback([this, work = std::move(work)] {
      Status done = work();
      if (!done.ok()) status_ = context_.output.Failed(done.error());
    });
    return command;
  }

  CLI::App* Group(const char* name, const char* help) {
    CLI::App* group = app_.add_subcommand(name, help);
    group->require_subcommand(1);
    group->fallthrough();
    return group;
  }

  void AddServer() {
    CLI::App* serve = app_.add_subcommand("serve", "run the server");
    serve->fallthrough();
    serve->add_option("--config", config_, "a YAML file of settings");
    for (const auto& flag : server_.flags) {
      if (flag.name == "data") continue;  // the one that every command has
      serve->add_option(
          flag.flag, values_[flag.name],
          flag.default_text.empty() ? flag.help : flag.help + " (" + flag.default_text + ")");
    }
    serve->callback([this, serve] {
      std::map<std::string, std::string> given;
      for (const auto& flag : server_.flags) {
        if (flag.name != "data" && serve->count(flag.flag) > 0)
          given[flag.name] = values_[flag.name];
      }
      if (!context_.data_folder.empty()) given["data"] = context_.data_folder;
      status_ = server_.serve(given, config_);
    });
    CLI::App* admin =
        Group("admin", "what the owner of the data folder may do, with the server stopped");
    CLI::App* reset = admin->add_subcommand("reset-key", "make a new administrator's key");
    reset->fallthrough();
    reset->callback([this] {
      status_ = server_.reset_key(DataFolderOf(context_.data_folder), context_.output.json);
    });
    CLI::App* rotate = admin->add_subcommand("rotate-master-key", "seal every secret by a new key");
    rotate->fallthrough();
    rotate->callback([this] {
      status_ = server_.rotate_master_key(DataFolderOf(context_.data_folder), context_.output.json);
    });
    Add(app_, "env", "print the variables that clients need, for a shell to read",
        [this] { return ShowEnvironment(context_); });
    Add(app_, "version", "print the version", [this]() -> Status {
      context_.output.Result(context_.output.json ? R"({"version":")" WEFT_VERSION R"("})"
                                                  : "weft " WEFT_VERSION);
      return {};
    });
    Add(app_, "doctor", "check this machine: disk, space, port, clock, permissions",
        [this] { return Doctor(context_); });
  }

  void AddDeclaring() {
    Add(app_, "init", "write a commented mesh to start from",
        [this] { return Init(context_, folder_); })
        ->add_option("DIR", folder_)
        ->required();
    Add(app_, "plan", "show what apply would change", [this] { return Plan(context_, folder_); })
        ->add_option("DIR", folder_)
        ->required();
    CLI::App* apply = Add(app_, "apply", "make the server as the directory says",
                          [this] { return Apply(context_, folder_, yes_); });
    apply->add_option("DIR", folder_)->required();
    apply->add_flag("--yes", yes_, "do not ask before removing something");
    CLI::App* destroy = Add(app_, "destroy", "remove what the directory's mesh declared",
                            [this] { return Destroy(context_, folder_, yes_, delete_data_); });
    destroy->add_option("DIR", folder_)->required();
    destroy->add_flag("--yes", yes_, "do not ask");
    destroy->add_flag("--delete-data", delete_data_,
                      "tables, undelivered and quarantined records too");
  }

  void AddRecords() {
    CLI::App* put =
        Add(app_, "put", "publish the records of files", [this] { return Put(context_, put_); });
    put->add_option("PRODUCT", put_.product)->required();
    put->add_option("FILE", put_.files, "- is standard input")->required();
    put->add_option("--format", put_.format,
                    "json, ndjson, csv or parquet; else by the file's name");
    put->add_flag("--restart", put_.restart,
                  "send everything, also what an upload that was broken off has sent");
    put->add_option("--schema", put_.schema, "the schema object, where the contract has several");
    CLI::App* query = Add(app_, "query", "run a SQL statement; on a terminal without one, a prompt",
                          [this] { return Query(context_, query_); });
    query->add_option("SQL", query_.sql);
    auto* csv = query->add_flag("--csv", query_.csv, "print CSV");
    query->add_flag("--ndjson", query_.ndjson, "print a JSON object a line")->excludes(csv);
    query->add_option("--rows-max", query_.rows_max, "fail when there are more rows");
    query->add_option("--time-max", query_.time_max, "fail when it takes longer: 10 s, 5 m");
    CLI::App* tail =
        Add(app_, "tail", "print records as they come", [this] { return Tail(context_, tail_); });
    tail->add_option("PRODUCT", tail_.product)->required();
    tail->add_option(
        "--from", tail_.from,
        "start, end (default), an offset, a record's id, a time, or how long ago: 15m");
    tail->add_flag("--no-follow", tail_.no_follow, "end at the last record there is");
    Add(app_, "flush", "deliver what waits into the tables now",
        [this] { return Flush(context_, product_); })
        ->add_option("PRODUCT", product_)
        ->required();
  }

  void AddSeeing() {
    Add(app_, "status", "products: rows, bytes, lag, last commit, quarantine",
        [this] { return ShowStatus(context_); });
    CLI::App* contract = Group("contract", "contracts");
    Add(*contract, "show", "print a product's contract as it was given",
        [this] { return ShowContract(context_, product_); })
        ->add_option("PRODUCT", product_)
        ->required();
    CLI::App* table = Group("table", "tables");
    Add(*table, "show", "print a table's metadata location, snapshot, files and rows",
        [this] { return ShowTable(context_, table_); })
        ->add_option("TABLE", table_, "DB.TABLE")
        ->required();
  }

  void AddLog() {
    CLI::App* log = Group("log", "the record log of a stopped server");
    Add(*log, "verify", "read all of it and check every checksum",
        [this] { return VerifyLog(context_); });
    CLI::App* inspect = Add(*log, "inspect", "its partitions, or the batches of one",
                            [this] { return InspectLog(context_, inspect_); });
    inspect->add_option("PARTITION", inspect_.partition);
    inspect->add_option("--from", inspect_.from, "an offset")->check(CLI::NonNegativeNumber);
    CLI::App* accept = Add(*log, "accept-loss", "let readers go on behind damaged records",
                           [this] { return AcceptLogLoss(context_, loss_); });
    accept->add_option("PARTITION", loss_.partition)->required();
    accept->add_option("FIRST", loss_.first)->required();
    accept->add_option("LAST", loss_.last)->required();
  }

  void AddQuarantine() {
    CLI::App* quarantine = Group("quarantine", "records that were refused");
    Add(*quarantine, "ls", "a line for each record",
        [this] { return ListQuarantine(context_, product_); })
        ->add_option("PRODUCT", product_)
        ->required();
    CLI::App* show = Add(*quarantine, "show", "one record: what is wrong, and its bytes",
                         [this] { return ShowQuarantined(context_, product_, ids_.at(0)); });
    show->add_option("PRODUCT", product_)->required();
    show->add_option("ID", ids_)->required()->expected(1);
    CLI::App* redrive = Add(*quarantine, "redrive", "send records again, all or some", [this] {
      return RedriveQuarantine(context_, product_, ids_, replacement_);
    });
    redrive->add_option("PRODUCT", product_)->required();
    redrive->add_option("ID", ids_);
    redrive->add_option("--with", replacement_, "a file with the mended record, for one ID");
    CLI::App* drop = Add(*quarantine, "drop", "forget records for good",
                         [this] { return DropQuarantined(context_, product_, ids_); });
    drop->add_option("PRODUCT", product_)->required();
    drop->add_option("ID", ids_)->required();
  }

  void AddKeys() {
    CLI::App* key = Group("key", "access keys");
    Add(*key, "create", "make a key; its secret is shown once",
        [this] { return CreateKey(context_, user_); })
        ->add_option("USER", user_, "NAME or ACCOUNT/NAME")
        ->required();
    Add(*key, "ls", "list keys", [this] {
      return ListKeys(context_, user_);
    })->add_option("USER", user_);
    Add(*key, "disable", "refuse a key from now on", [this] { return DisableKey(context_, key_); })
        ->add_option("KEY", key_, "its id")
        ->required();
    Add(*key, "delete", "forget a key", [this] { return DeleteKey(context_, key_); })
        ->add_option("KEY", key_, "its id")
        ->required();
    CLI::App* explain = Add(app_, "explain-access", "say which columns somebody may read, and why",
                            [this] { return ExplainAccess(context_, user_, table_); });
    explain->add_option("WHO", user_, "user/NAME, group/NAME, role/NAME or account/NAME")
        ->required();
    explain->add_option("TABLE", table_, "DB.TABLE")->required();
  }

  const ServerCommands& server_;
  CLI::App app_{"Weft: a data mesh in one program", "weft"};
  Context context_;
  int status_ = 0;
  std::map<std::string, std::string> values_;
  std::string config_, folder_, product_, table_, user_, key_, replacement_;
  std::vector<std::string> ids_;
  bool yes_ = false, delete_data_ = false;
  PutOptions put_;
  QueryOptions query_;
  TailOptions tail_;
  InspectOptions inspect_;
  LossOptions loss_;
};

}  // namespace

int Run(int argc, char** argv, const ServerCommands& server) {
  std::signal(SIGPIPE, SIG_IGN);
  return Program(server).Run(argc, argv);
}

}  // namespace weft::cli
