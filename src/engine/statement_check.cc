// SPDX-License-Identifier: Apache-2.0
// The walk goes over every place of the parsed tree where a table, a function or a query can stand;
// a kind of node that it does not know is refused. A name bound by WITH is left alone only where it
// is in scope, so that no other meaning of the name (DuckDB's own views, a file) can ever be looked
// up.
#include <algorithm>

#include "duckdb/parser/common_table_expression_info.hpp"
#include "duckdb/parser/expression/list.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/query_node/list.hpp"
#include "duckdb/parser/statement/explain_statement.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref/list.hpp"
#include "duckdb/parser/tableref/showref.hpp"
#include "engine/function_list_internal.h"
#include "engine/statement_check_internal.h"
#include "engine/statement_names_internal.h"

namespace weft::engine {
namespace {

using duckdb::ExpressionClass;
using duckdb::ParsedExpression;
using duckdb::QueryNode;
using duckdb::TableRef;

// Carries our own error through DuckDB's iterators, which take callbacks without a result.
struct Refusal {
  Error error;
};

[[noreturn]] void Refuse(Code code, std::string text) {
  throw Refusal{Error(code, std::move(text))};
}

template <class T>
T Must(Result<T> result) {
  if (!result.ok()) throw Refusal{result.error()};
  return std::move(*result);
}

std::string Lower(const std::string& text) { return duckdb::StringUtil::Lower(text); }

class Walk {
 public:
  explicit Walk(TableNames& names) : names_(names) {}

  void Node(QueryNode& node) {
    Deeper deeper(*this);
    size_t scope = ctes_.size();
    for (auto& entry : node.cte_map.map) {
      auto& cte = *entry.second;
      for (auto& target : cte.key_targets) Expression(target);
      Cte(entry.first, *cte.query->node);
    }
    Body(node);
    duckdb::ParsedExpressionIterator::EnumerateQueryNodeModifiers(
        node, [&](duckdb::unique_ptr<ParsedExpression>& child) { Expression(child); });
    ctes_.resize(scope);
  }

 private:
  // Bounds our own recursion, beside the parser's limit on expressions.
  struct Deeper {
    explicit Deeper(Walk& walk) : of(walk) {
      if (++of.depth_ > 3000) Refuse(Code::kInvalid, "the statement is nested too deeply");
    }
    ~Deeper() { --of.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    Walk& of;
  };

  void Cte(const std::string& name, QueryNode& node) {
    // Only a recursive query sees its own name, and only from the part after UNION.
    Node(node);
    ctes_.push_back(Lower(name));
  }

  void Body(QueryNode& node) {
    switch (node.type) {
      case duckdb::QueryNodeType::SELECT_NODE:
        return Select(node.Cast<duckdb::SelectNode>());
      case duckdb::QueryNodeType::SET_OPERATION_NODE: {
        auto& set = node.Cast<duckdb::SetOperationNode>();
        Node(*set.left);
        return Node(*set.right);
      }
      case duckdb::QueryNodeType::RECURSIVE_CTE_NODE: {
        auto& recursive = node.Cast<duckdb::RecursiveCTENode>();
        Node(*recursive.left);
        ctes_.push_back(Lower(recursive.ctename));
        Node(*recursive.right);
        ctes_.pop_back();
        for (auto& target : recursive.key_targets) Expression(target);
        return;
      }
      case duckdb::QueryNodeType::CTE_NODE: {
        auto& cte = node.Cast<duckdb::CTENode>();
        Cte(cte.ctename, *cte.query);
        return Node(*cte.child);
      }
      default:
        Refuse(Code::kNotOffered, "this kind of query is not offered");
    }
  }

  void Select(duckdb::SelectNode& node) {
    if (node.from_table) Table(node.from_table);
    for (auto& expression : node.select_list) Expression(expression);
    for (auto& expression : node.groups.group_expressions) Expression(expression);
    if (node.where_clause) Expression(node.where_clause);
    if (node.having) Expression(node.having);
    if (node.qualify) Expression(node.qualify);
  }

  void Table(duckdb::unique_ptr<TableRef>& table) {
    Deeper deeper(*this);
    switch (table->type) {
      case duckdb::TableReferenceType::BASE_TABLE:
        return BaseTable(table);
      case duckdb::TableReferenceType::JOIN: {
        auto& join = table->Cast<duckdb::JoinRef>();
        Table(join.left);
        Table(join.right);
        if (join.condition) Expression(join.condition);
        return;
      }
      case duckdb::TableReferenceType::SUBQUERY:
        return Node(*table->Cast<duckdb::SubqueryRef>().subquery->node);
      case duckdb::TableReferenceType::TABLE_FUNCTION:
        return TableFunction(table->Cast<duckdb::TableFunctionRef>());
      case duckdb::TableReferenceType::EXPRESSION_LIST:
        for (auto& row : table->Cast<duckdb::ExpressionListRef>().values) {
          for (auto& value : row) Expression(value);
        }
        return;
      case duckdb::TableReferenceType::PIVOT:
        return Pivot(table->Cast<duckdb::PivotRef>());
      case duckdb::TableReferenceType::SHOW_REF:
        return Show(table);
      case duckdb::TableReferenceType::EMPTY_FROM:
        return;
      default:
        Refuse(Code::kNotOffered, "this kind of table is not offered");
    }
  }

  void BaseTable(duckdb::unique_ptr<TableRef>& table) {
    auto& base = table->Cast<duckdb::BaseTableRef>();
    if (base.at_clause) Refuse(Code::kNotOffered, "time travel (AT) is not offered");
    if (base.catalog_name.empty() && base.schema_name.empty() &&
        std::find(ctes_.begin(), ctes_.end(), Lower(base.table_name)) != ctes_.end()) {
      return;
    }
    if (!base.catalog_name.empty() && Lower(base.catalog_name) != kMeshCatalog) {
      Refuse(Code::kInvalid, "a table is named database.table");
    }
    if (Lower(base.schema_name) == "information_schema") {
      auto query = Must(names_.InformationSchema(Lower(base.table_name)));
      if (!query) {
        Refuse(Code::kNotOffered,
               "of information_schema there are the views tables, columns and schemata");
      }
      return Replace(table, *query, base.alias.empty() ? base.table_name : base.alias);
    }
    auto name = Must(names_.Resolve(base.schema_name, base.table_name));
    if (base.alias.empty()) base.alias = base.schema_name.empty() ? base.table_name : "";
    base.catalog_name = kMeshCatalog;
    base.schema_name = name.first;
    base.table_name = name.second;
  }

  // Our own query in the place of a name; it is made of values alone and needs no judging.
  void Replace(duckdb::unique_ptr<TableRef>& table, const std::string& query,
               const std::string& alias) {
    duckdb::Parser parser;
    parser.ParseQuery(query);
    auto select = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
        std::move(parser.statements[0]));
    auto subquery = duckdb::make_uniq<duckdb::SubqueryRef>(std::move(select), alias);
    subquery->column_name_alias = table->column_name_alias;
    subquery->sample = std::move(table->sample);
    table = std::move(subquery);
  }

  void TableFunction(duckdb::TableFunctionRef& table) {
    if (table.function->GetExpressionClass() != ExpressionClass::FUNCTION) {
      Refuse(Code::kNotOffered, "this kind of table is not offered");
    }
    auto& function = table.function->Cast<duckdb::FunctionExpression>();
    auto name = Lower(function.function_name);
    if (!TableFunctionAllowed(name)) {
      Refuse(Code::kNotOffered, fmt::format("the table function {} is not offered", name));
    }
    Children(*table.function);
    if (table.subquery) Node(*table.subquery->node);
  }

  void Pivot(duckdb::PivotRef& pivot) {
    Table(pivot.source);
    for (auto& aggregate : pivot.aggregates) Expression(aggregate);
    for (auto& column : pivot.pivots) {
      if (!column.pivot_enum.empty())
        Refuse(Code::kNotOffered, "PIVOT is offered with IN and its values only");
      for (auto& expression : column.pivot_expressions) Expression(expression);
      for (auto& entry : column.entries) {
        if (entry.expr) Expression(entry.expr);
      }
      if (column.subquery) Node(*column.subquery);
    }
  }

  void Show(duckdb::unique_ptr<TableRef>& table) {
    auto& show = table->Cast<duckdb::ShowRef>();
    if (show.query) return Node(*show.query);
    if (show.show_type == duckdb::ShowType::SHOW_FROM) {
      if (!show.catalog_name.empty()) Refuse(Code::kInvalid, "write SHOW TABLES FROM database");
      return Replace(table, Must(names_.ShowTables(show.schema_name)), "tables");
    }
    if (show.table_name == "\"tables\"" || show.table_name == "__show_tables_expanded") {
      return Replace(table, Must(names_.ShowTables("")), "tables");
    }
    Refuse(Code::kNotOffered,
           "of SHOW there is SHOW TABLES; DESCRIBE and SUMMARIZE take a table or a query");
  }

  void Function(const std::string& spelled) {
    auto name = Lower(spelled);
    if (!FunctionAllowed(name))
      Refuse(Code::kNotOffered, fmt::format("the function {} is not offered", name));
  }

  void Children(ParsedExpression& expression) {
    duckdb::ParsedExpressionIterator::EnumerateChildren(
        expression, [&](duckdb::unique_ptr<ParsedExpression>& child) { Expression(child); });
  }

  void Expression(duckdb::unique_ptr<ParsedExpression>& expression) {
    Deeper deeper(*this);
    switch (expression->GetExpressionClass()) {
      case ExpressionClass::FUNCTION: {
        auto& function = expression->Cast<duckdb::FunctionExpression>();
        Function(function.function_name);
        // Memory of DuckDB's own, pointers among it.
        if (function.export_state) Refuse(Code::kNotOffered, "EXPORT_STATE is not offered");
        break;
      }
      case ExpressionClass::WINDOW:
        Function(expression->Cast<duckdb::WindowExpression>().function_name);
        break;
      case ExpressionClass::SUBQUERY:
        Node(*expression->Cast<duckdb::SubqueryExpression>().subquery->node);
        break;
      case ExpressionClass::PARAMETER:
        Refuse(Code::kNotOffered, "parameters of prepared statements are not offered");
      default:
        break;
    }
    Children(*expression);
  }

  TableNames& names_;
  std::vector<std::string> ctes_;
  int depth_ = 0;
};

constexpr const char* kOffered =
    "offered are SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES and EXPLAIN";

Status Judge(duckdb::SQLStatement& statement, TableNames& names) {
  switch (statement.type) {
    case duckdb::StatementType::SELECT_STATEMENT:
      Walk(names).Node(*statement.Cast<duckdb::SelectStatement>().node);
      return {};
    case duckdb::StatementType::EXPLAIN_STATEMENT: {
      auto& inner = *statement.Cast<duckdb::ExplainStatement>().stmt;
      if (inner.type != duckdb::StatementType::SELECT_STATEMENT) break;
      return Judge(inner, names);
    }
    case duckdb::StatementType::MULTI_STATEMENT:
      return Fail(Code::kNotOffered, "PIVOT is offered with IN and its values only");
    default:
      break;
  }
  auto kind = duckdb::StringUtil::Replace(duckdb::StatementTypeToString(statement.type), "_", " ");
  return Fail(Code::kNotOffered, fmt::format("{} statements are not offered: {}", kind, kOffered));
}

}  // namespace

Result<duckdb::unique_ptr<duckdb::SQLStatement>> CheckStatement(const std::string& sql,
                                                                duckdb::ClientContext& context,
                                                                const StatementNames& names,
                                                                StatementTables& tables) {
  try {
    duckdb::Parser parser(context.GetParserOptions());
    parser.ParseQuery(sql);
    if (parser.statements.empty()) return Fail(Code::kInvalid, "there is no statement");
    if (parser.statements.size() > 1)
      return Fail(Code::kNotOffered, "one statement at a time is offered");
    auto statement = std::move(parser.statements[0]);
    TableNames table_names(names, tables);
    TRY(Judge(*statement, table_names));
    TRY(table_names.CheckDefault());
    return statement;
  } catch (const Refusal& refusal) {
    return Fail(refusal.error);
  } catch (const std::exception& error) {
    return Fail(StatementError(duckdb::ErrorData(error), tables.paths()));
  }
}

Error StatementError(const duckdb::ErrorData& error, const ObjectPaths& paths) {
  auto text = error.RawMessage();
  // What DuckDB finds wrong with a file it says with the file's name, which is nobody's business.
  if (text.find(paths.prefix) != std::string::npos)
    return Error(Code::kCorrupt, "a data file of the table is not what was written");
  switch (error.Type()) {
    case duckdb::ExceptionType::OUT_OF_MEMORY:
      return Error(Code::kThrottled, "the query needs more memory than it may have");
    case duckdb::ExceptionType::INTERNAL:
    case duckdb::ExceptionType::FATAL:
      return Error(Code::kInternal, "the query failed inside the engine: " +
                                        text.substr(0, text.find("\n\nStack Trace")));
    case duckdb::ExceptionType::IO:
      return Error(Code::kUnavailable, "a data file cannot be read at present");
    case duckdb::ExceptionType::PERMISSION:
      return Error(Code::kNotOffered, text);
    default:
      break;
  }
  // Hints at settings and extensions lead nowhere here.
  for (const char* hint : {"\nYou may want to", "\nIt could be loaded", "\n\nTry installing",
                           "\nPlease try", "\n(LINE", " Use \"SET "}) {
    if (auto at = text.find(hint); at != std::string::npos) text.resize(at);
  }
  // The parser's word for its own stack.
  if (text.starts_with("memory exhausted")) text = "the statement is nested too deeply";
  // Of the user's own text no more than helps.
  constexpr size_t kTextMax = 4096;
  if (text.size() > kTextMax) {
    size_t end = kTextMax;
    while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  return Error(Code::kInvalid, text.empty() ? "the statement failed" : text);
}

}  // namespace weft::engine
